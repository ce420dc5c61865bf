"""Sealing (encryption at rest) of tokens and vectors with AES-256-GCM.

Layout: version (1 byte, 1) · key number (1 byte) · nonce (12 bytes) · ciphertext and tag.
The context is authenticated: the name of the column and what its row is about, see `context`. So a
sealed value opens in its own row alone, and who swaps two in the database gains nothing. The first
key of `settings.SEALING_KEYS` seals, every key opens; `manage.py rekey` seals again what is there.
What is sealed stands in `wikivisage.ops.rotate_keys`.
"""

import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

VERSION = 1
OBJECTION, CONTACT = "objection", "objection-contact"  # columns of what objectors write


class Unsealable(Exception):
    """The value was not sealed by us, for this context, with a key we still hold."""


class Misplaced(Unsealable):
    """It was tampered with, or sealed for another row, column, or key of this number."""


def context(column: str, *row: object) -> bytes:
    """What a value is sealed for: its column, and what tells its row from all others."""
    return ":".join((column, *map(str, row))).encode()


@cache
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def seal(plain: bytes, context: bytes) -> bytes:
    number, key = next(iter(settings.SEALING_KEYS.items()))
    nonce = os.urandom(12)
    return bytes((VERSION, number)) + nonce + _cipher(key).encrypt(nonce, plain, context)


def unseal(sealed: bytes | memoryview, context: bytes) -> bytes:
    """Raises Unsealable."""
    sealed = bytes(sealed)
    if len(sealed) < 30 or sealed[0] != VERSION or sealed[1] not in settings.SEALING_KEYS:
        raise Unsealable("unknown version or key")
    try:
        return _cipher(settings.SEALING_KEYS[sealed[1]]).decrypt(sealed[2:14], sealed[14:], context)
    except InvalidTag:
        raise Misplaced("tampered with, or sealed for another place") from None
