"""The one way to say no to a person: a code, a sentence, and where there is one a way on."""


class Refused(Exception):
    """`code` for tests and logs, `sentence` (translated) for people, `url` a way on."""

    def __init__(self, code: str, sentence: str, url: str = "") -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.url = url
