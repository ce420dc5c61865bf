"""The rows that say which version of a detector or an embedder found a face or made a vector.

The engines that this code ships describe themselves, see `crawler/engines`; `write_versions`
writes their rows after each `migrate`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.apps.registry import Apps
from django.core.management import CommandError
from django.db import DEFAULT_DB_ALIAS

from crawler.engines import KINDS, Kind, UnknownEngine
from crawler.models import EngineVersion

Part = EngineVersion.Part


class ChangedVersion(CommandError):
    """The code describes other weights or vectors under a name that is in the database."""


@dataclass(frozen=True)
class Description:
    """What the code says of a version, with the names of the row's fields."""

    name: str
    part: str
    weights: dict[str, str]
    licence_code: str
    licence_weights: str
    dimension: int = 0
    metric: str = ""
    match: float = 0.0
    prior: dict[str, float] = field(default_factory=dict)


def version(name: str) -> EngineVersion:
    """Return the row of a version. Raises UnknownEngine."""
    row = EngineVersion.objects.filter(name=name).first()
    if row is None:
        raise UnknownEngine(name)
    return row


def describe_detector(kind: Kind) -> Description:
    detector = kind.detector
    return Description(
        name=detector.name,
        part=Part.DETECTOR,
        weights=dict(detector.weights),
        licence_code=detector.licences.code,
        licence_weights=detector.licences.weights,
    )


def describe_embedder(kind: Kind) -> Description:
    return Description(
        name=kind.name,
        part=Part.EMBEDDER,
        weights=dict(kind.weights),
        licence_code=kind.licences.code,
        licence_weights=kind.licences.weights,
        dimension=kind.dimension,
        metric=kind.metric,
        match=kind.match,
        prior=dict(kind.prior),
    )


def write_versions(apps: Apps | None = None, using: str = DEFAULT_DB_ALIAS, **_kwargs: Any) -> None:
    """Write the rows of the engines that this code ships; a receiver of `post_migrate`.

    Licences and priors follow the code. Raises ChangedVersion where the code describes other
    weights or other vectors under a name that is in use.
    """
    try:
        model = apps.get_model("crawler", "EngineVersion") if apps else EngineVersion
    except LookupError:  # migrated to where there was no such table
        return
    rows = {row.name: row for row in model._default_manager.using(using).all()}
    for kind in KINDS.values():
        for description in (describe_detector(kind), describe_embedder(kind)):
            row = rows.get(description.name)
            if row is None:
                model(**asdict(description)).save(using=using)
            else:
                _update(row, description, using)


def _update(row: Any, description: Description, using: str) -> None:
    declared = asdict(description)
    changed = [name for name, value in declared.items() if getattr(row, name) != value]
    fixed = sorted(EngineVersion.IMMUTABLE.intersection(changed))
    if fixed:
        raise ChangedVersion(
            f"{row.name} is in the database with another {', '.join(fixed)}. "
            "Vectors of the two can't be compared: give the changed engine a new name."
        )
    if changed:
        for name in changed:
            setattr(row, name, declared[name])
        row.save(using=using, update_fields=changed)
