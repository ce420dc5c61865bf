"""What exactly went wrong with a picture or a listing: our own words beside the code of the reason.

They are stored in English, figures and all, and shown in the reader's language. What others say
(a decoder, the wiki) stays as it came.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

NO_PAGE = _("no page shows it any more")
NO_ADDRESS = _("the wiki gave no address for it")
WRONG_KIND = _("the wiki says it is %(kind)s")
NO_KIND = _("the wiki doesn’t say what it is")
FAILS = _("the wiki fails to make it")
BYTES = _("%(n)s bytes")
MORE_BYTES = _("more than %(n)s bytes")
SLOW = _("the download was too slow")
WIKI_SLOW = _("the wiki was too slow")
NO_FORMAT = _("no format we know")
PIXELS = _("%(width)s x %(height)s pixels")
SCANS = _("%(width)s x %(height)s pixels in %(n)s scans")
NOT_BEGUN = _("not begun")
PUT_OFF = _("put off")
PAGE_GONE = _("the page is gone")
NOW = _("it is %(sha1)s by now")

SENTENCES = (
    NO_PAGE, NO_ADDRESS, WRONG_KIND, NO_KIND, FAILS, MORE_BYTES, BYTES, SLOW, WIKI_SLOW, NO_FORMAT,
    SCANS, PIXELS, NOT_BEGUN, PUT_OFF, PAGE_GONE, NOW,
)  # fmt: skip
_GAP = re.compile(r"%\\?\((\w+)\\?\)s")
_PATTERNS = [(each, re.compile(_GAP.sub(r"(?P<\1>.+?)", re.escape(each)))) for each in SENTENCES]


def in_words(detail: str) -> str:
    """A stored detail in the reader's language; nothing where the words are not ours."""
    for sentence, pattern in _PATTERNS:
        if found := pattern.fullmatch(detail):
            return gettext(sentence) % found.groupdict()
    return ""
