"""Sealed values open with a key we hold, at the place they were sealed for, and nowhere else."""

import pytest
from pytest_django import Settings

from core.encryption import Unsealable, seal, unseal


def test_what_is_sealed_opens_again_and_does_not_show() -> None:
    sealed = seal(b"a secret token", b"access-token")
    assert b"secret" not in sealed
    assert unseal(sealed, b"access-token") == b"a secret token"


def test_the_same_value_seals_differently_each_time() -> None:
    assert seal(b"x", b"c") != seal(b"x", b"c")


def test_it_does_not_open_at_another_place_or_after_a_change() -> None:
    sealed = seal(b"vector", b"embedding")
    for value, context in (
        (sealed, b"access-token"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"embedding"),
        (b"", b""),
    ):
        with pytest.raises(Unsealable):
            unseal(value, context)


def test_old_keys_open_what_they_sealed(settings: Settings) -> None:
    settings.SEALING_KEYS = {1: b"1" * 32}
    old = seal(b"kept", b"embedding")
    settings.SEALING_KEYS = {2: b"2" * 32, 1: b"1" * 32}
    assert unseal(old, b"embedding") == b"kept"
    assert seal(b"new", b"embedding")[1] == 2
    settings.SEALING_KEYS = {2: b"2" * 32}
    with pytest.raises(Unsealable):
        unseal(old, b"embedding")
