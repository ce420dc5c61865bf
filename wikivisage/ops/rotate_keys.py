"""What is sealed, and sealing it anew with the first key while everything runs.

A row is read, opened, sealed and written back only where it still holds what was read: what
another process writes meanwhile (a refreshed token, a new vector) is never overwritten. It can
be stopped at any time and begun again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import BinaryField, Count
from django.db.models.functions import Substr

from core import encryption
from core.encryption import VERSION, Unsealable, context, seal, unseal
from core.transactions import atomic
from crawler.detection import embeddings
from crawler.models import Embedding
from projects.accounts import tokens
from projects.models import Objection, WikiCredential

BATCH = 200  # rows in one short transaction


@dataclass(frozen=True)
class Sealed:
    """A sealed value, and what it is sealed for."""

    pk: int
    value: bytes
    context: bytes


@dataclass(frozen=True)
class Column:
    """A field that holds sealed values; each is sealed for the `name` of the column and the fields
    of its row that it is `bound_to`."""

    model: type[models.Model]
    field: str
    name: str
    bound_to: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field}"

    @property
    def rows(self) -> Any:
        """Those with a value; `head` is its version and the number of its key."""
        head = Substr(self.field, 1, 2, output_field=BinaryField())
        every = self.model._default_manager.alias(head=head)
        return every.exclude(**{self.field: None}).exclude(**{self.field: b""})

    def values(self, rows: Any) -> Iterator[Sealed]:
        for pk, sealed, *row in rows.values_list("pk", self.field, *self.bound_to):
            yield Sealed(pk, bytes(sealed), context(self.name, *row))


SEALED = (
    Column(WikiCredential, "access_token", tokens.ACCESS, ("user_id", "wiki")),
    Column(WikiCredential, "refresh_token", tokens.REFRESH, ("user_id", "wiki")),
    Column(Embedding, "vector", embeddings.COLUMN, embeddings.BOUND_TO),
    Column(Objection, "message", encryption.OBJECTION, ("code",)),
    Column(Objection, "contact", encryption.CONTACT, ("code",)),
)


def first_key() -> int:
    return next(iter(settings.SEALING_KEYS))


def left(column: Column) -> Counter[int]:
    """How many values each key has sealed, by its number."""
    heads = column.rows.annotate(head=Substr(column.field, 1, 2, output_field=BinaryField()))
    rows = heads.order_by().values("head").annotate(n=Count("pk")).values_list("head", "n")
    return Counter({bytes(head)[1]: n for head, n in rows if len(bytes(head)) == 2})


def reseal(column: Column, sealed: Sealed) -> bool:
    """Seal one value with the first key; False when it has become another one meanwhile.

    Raises Unsealable.
    """
    anew = seal(unseal(sealed.value, sealed.context), sealed.context)
    same = column.model._default_manager.filter(**{"pk": sealed.pk, column.field: sealed.value})
    return bool(same.update(**{column.field: anew}))


def reseal_all(column: Column, batch: int = BATCH, pause: float = 0) -> Counter[str]:
    """All that another key has sealed: how many are "done", were "changed" by another process at
    that very moment (and are taken up by the next run), or open with "no key" that we hold."""
    told: Counter[str] = Counter()
    for some in _batches(column, batch):
        told += _reseal_some(column, some)
        time.sleep(pause)
    return told


@atomic
def _reseal_some(column: Column, some: list[Sealed]) -> Counter[str]:
    told: Counter[str] = Counter()
    for sealed in some:
        try:
            told["done" if reseal(column, sealed) else "changed"] += 1
        except Unsealable:
            told["no key"] += 1
    return told


def _batches(column: Column, size: int) -> Iterator[list[Sealed]]:
    last = 0
    others = column.rows.exclude(head=bytes((VERSION, first_key()))).order_by("pk")
    while some := list(column.values(others.filter(pk__gt=last)[:size])):
        yield some
        last = some[-1].pk
