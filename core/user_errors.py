"""The one way to say no to a person: a code, a sentence, and where there is one a way on."""

from collections.abc import Sequence

from django.utils.translation import gettext as _


class Refused(Exception):
    """`code` for tests and logs, `sentence` (translated) for people; the way on is a `url` or
    some `guesses` at what was meant; `way` are the words of the link, if not “Open it”."""

    def __init__(
        self,
        code: str,
        sentence: str,
        url: str = "",
        guesses: Sequence[str] = (),
        way: str = "",
    ) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.url = url
        self.guesses = guesses
        self.way = way


def archived() -> Refused:
    sentence = _("This project is archived; nothing is left to do in it.")
    return Refused("archived", sentence)
