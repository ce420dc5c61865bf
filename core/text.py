"""Text that people and wikis wrote, made harmless for what stands beside it."""

from __future__ import annotations

import unicodedata

# Without these two, words of Persian or Hindi are spelt wrongly.
JOINERS = "\u200c\u200d"
UNSEEN = ("Cc", "Cf", "Cs")  # controls, marks of direction and other formats, half characters


def plain(text: str) -> str:
    """One line that leaves the words beside it as they are: no controls, no marks of direction, no
    half characters."""
    seen = text if text.isprintable() else "".join(filter(_is_plain, text))
    return " ".join(seen.split())


def _is_plain(letter: str) -> bool:
    return letter.isspace() or letter in JOINERS or unicodedata.category(letter) not in UNSEEN
