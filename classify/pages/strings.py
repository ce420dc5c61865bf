"""What the pages' scripts say, in the language of the page."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def ask(name: str) -> dict[str, str]:
    """About one face."""
    named = {"name": name}
    return common() | {
        "yes": _("Yes, %(name)s") % named,
        "no": _("No, not %(name)s") % named,
        "background": _("Only in the background"),
        "artwork": _("An artwork of %(name)s") % named,
        "not-a-face": _("Not a face"),
        "cant-tell": _("Can't tell"),
        "skip": _("Skipped for now"),
        "nousableface": _("%(name)s is here, without a usable face") % named,
        # Translators: {n} is the number of a face on the photo
        "choose": _("Face {n} is %(name)s, the others are not") % named,
        "choosenone": _("None of these faces is %(name)s") % named,
        "draw": _("The face you drew is %(name)s") % named,
        "undone": _("Taken back"),
        "question": _("Is this %(name)s? A face in {photo}.") % named,
        "gone": _("That is not asked any more; here is the next."),
        **_counted(
            "needed",
            lambda n: ngettext(
                "{n} more Yes, and the tool looks for others by itself.",
                "{n} more Yes, and the tool looks for others by itself.",
                n,
            ),
        ),
    }


def grid(name: str) -> dict[str, str]:
    """About many faces, or one."""
    return ask(name) | {
        # Translators: on a button; n is the number of faces that are marked
        "confirm": _("Confirm {n}"),
        "nobody": _("Nobody here is %(name)s") % {"name": name},
        **_counted(
            "others", lambda n: ngettext("{n} is somebody else", "{n} are somebody else", n)
        ),
        # Translators: after “Confirm 12”: how many faces got another word than Yes
        **_counted("else", lambda n: ngettext("{n} other", "{n} others", n)),
        **_counted("screen", lambda n: ngettext("{n} answer kept", "{n} answers kept", n)),
        "mark-no": _("No"),
        "mark-cant-tell": _("Can't tell"),
        "mark-background": _("Background"),
        "mark-not-a-face": _("Not a face"),
        "mark-artwork": _("Artwork"),
    }


def common() -> dict[str, str]:
    return {
        **_counted(
            "kept",
            lambda n: ngettext(
                "{n} answer is kept here until it can be sent.",
                "{n} answers are kept here until they can be sent.",
                n,
            ),
        ),
        "offline": _("The server can't be reached."),
        "refused": _("This answer was not taken."),
    }


def review(name: str) -> dict[str, str]:
    named = {"name": name}
    return common() | {
        **_counted("approved", lambda n: ngettext("{n} face approved", "{n} faces approved", n)),
        **_counted("rejected", lambda n: ngettext("{n} face rejected", "{n} faces rejected", n)),
        **_counted("said", lambda n: ngettext("{n} answer kept", "{n} answers kept", n)),
        **_counted(
            "else",
            # Translators: a face of this project belongs to another one; {name} is a person
            lambda n: ngettext(
                "{n} face is {name}: No here, Yes there",
                "{n} faces are {name}: No here, Yes there",
                n,
            ),
        ),
        "two": _("Choose two faces to compare."),
        "draw": _("The box is drawn anew"),
        "nousableface": _("%(name)s is here, without a usable face") % named,
        "nothere": _("%(name)s is not in this photo") % named,
        "drawn": _("The face you drew is %(name)s") % named,
        "undone": _("Taken back"),
        "undoneMany": ngettext("{n} answer taken back", "{n} answers taken back", 2),
        # Translators: n is a number of faces
        "selected": _("{n} selected"),
    }


def _counted(key: str, say: Callable[[int], str]) -> dict[str, str]:
    """What a script says of one and of more; it fills in the number itself."""
    return {key: say(1).replace("{n}", "1"), f"{key}Many": say(2)}


def answers_kept(n: int) -> str:
    return ngettext("%d answer is kept.", "%d answers are kept.", n) % n
