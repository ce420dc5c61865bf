"""What to look at twice before it is sent: one closed list, each with words for people.

Codes stand in `ClaimAttempt.cautions`; a caution never keeps anything from being sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from classify.models import Label, Verdict
from crawler.models import Photo, Region
from projects.models import AuditEvent, Person
from sdc.files.reading import PageNow
from sdc.models import Claim, ClaimAttempt, Watch


class Caution(models.TextChoices):
    BEFORE_BIRTH = "before-birth", gettext_lazy("Dated before the birth")
    AFTER_DEATH = "after-death", gettext_lazy("Dated after the death")
    PREFERRED = "preferred", gettext_lazy("Another statement is preferred")
    CROWD = "crowd", gettext_lazy("Small in a crowd")
    ARTWORK = "artwork", gettext_lazy("Reproduction of an artwork")
    ASKED_AGAIN = "asked-again", gettext_lazy("Asked for again")
    RENAMED = "renamed", gettext_lazy("Renamed")


ASKED = frozenset({Caution.ASKED_AGAIN, Caution.RENAMED})  # a person asked for this very file


@dataclass(frozen=True)
class Spoken:
    """Who spoke against a claim, and when; as far as we know."""

    by: str
    at: datetime | None

    def __str__(self) -> str:
        facts = {"who": self.by, "when": date_format(self.at, "DATE_FORMAT") if self.at else ""}
        if self.by and self.at:
            return _("%(who)s, %(when)s") % facts
        return self.by or facts["when"]


def of_file(label: Label, page: PageNow, person: Person, crowd: int) -> list[Caution]:
    """What is odd about adding this; `crowd` is how many faces the picture has."""
    photo = label.photo
    found = [
        (Caution.BEFORE_BIRTH, _before(_last_day(photo), person.born_from)),
        (Caution.AFTER_DEATH, _before(person.died_to, photo.taken_from)),
        (Caution.PREFERRED, page.prefers_others(person.qid)),
        (Caution.CROWD, is_small(label.region, crowd)),
        (Caution.ARTWORK, page.is_artwork),
    ]
    return [caution for caution, holds in found if holds]


def of_asking(claim: Claim, title: str, photo: Photo) -> list[Caution]:
    """What a person who asks for this very file knows of it."""
    asked = [Caution.ASKED_AGAIN] if claim.state in Claim.SPOKEN_AGAINST else []
    return asked + ([Caution.RENAMED] if title != photo.title else [])


def is_small(region: Region, crowd: int) -> bool:
    """Whether a face is small in a crowd: depicts is for who is clearly shown."""
    if region.origin == Region.Origin.PHOTO or crowd < settings.CROWD_FACES:
        return False
    return 100 * region.h < settings.SMALL_FACE_PERCENT


def crowds(pictures: Collection[int]) -> Counter[int]:
    """How many faces each picture has that nobody called none."""
    wrong = Label.objects.filter(verdict=Verdict.NOT_A_FACE).values("region")
    faces = Region.objects.filter(picture__in=pictures, replaced_by=None)
    faces = faces.exclude(origin=Region.Origin.PHOTO).exclude(pk__in=wrong)
    return Counter(faces.values_list("picture", flat=True))


def of_row(row: ClaimAttempt) -> list[Caution]:
    return [Caution(code) for code in row.cautions.split() if code in Caution.values]


def words(cautions: Iterable[Caution]) -> str:
    """As it is stored."""
    return " ".join(dict.fromkeys(cautions))


def said_of(rows: Collection[ClaimAttempt], person: Person) -> dict[int, list[tuple[str, str]]]:
    """(code, sentence with its details) of each row's cautions."""
    wanted = {row.pk: cautions for row in rows if (cautions := of_row(row))}
    shown = [row for row in rows if row.pk in wanted]
    faces = crowds({row.claim.photo.picture_id for row in shown})
    spoken = spoken_against([row.claim for row in shown])
    return {
        row.pk: [
            (code.value, _sentence(code, row, person, faces, spoken)) for code in wanted[row.pk]
        ]
        for row in shown
    }


def spoken_against(claims: Collection[Claim]) -> dict[int, Spoken]:
    """Who removed, took back or rejected each claim, by its id."""
    found: dict[int, Spoken] = {}
    against = [claim for claim in claims if claim.state in Claim.SPOKEN_AGAINST]
    ids = [claim.pk for claim in against]
    watches = Watch.objects.filter(claim_attempt__claim__in=ids, finding=Watch.Finding.REMOVED)
    removed = {row.claim_attempt.claim_id: row for row in watches.select_related("claim_attempt")}
    undone = {
        row.claim_id: row
        for row in ClaimAttempt.objects.filter(
            claim__in=ids, outcome=ClaimAttempt.Outcome.WRITTEN, undoes__isnull=False
        ).select_related("batch__user")
    }
    targets = [f"claim:{pk}" for pk in ids]
    events = AuditEvent.objects.filter(action="claim.rejected", target__in=targets)
    rejected = {row.target: row for row in events.select_related("actor").order_by("pk")}
    for claim in against:
        if claim.state == Claim.State.REMOVED and (watch := removed.get(claim.pk)):
            found[claim.pk] = Spoken(watch.by, watch.found_at)
        elif claim.state == Claim.State.UNDONE and (undo := undone.get(claim.pk)):
            found[claim.pk] = Spoken(str(undo.batch.user), undo.ended_at)
        elif claim.state == Claim.State.REJECTED and (event := rejected.get(f"claim:{claim.pk}")):
            found[claim.pk] = Spoken(str(event.actor or ""), event.at)
    return found


def dates(first: date | None, last: date | None) -> str:
    """“1 January 1900”, “1920” or “1920–1923”."""
    if first is None:
        return ""
    last = last or first
    if first == last:
        return date_format(first, "DATE_FORMAT")
    return str(first.year) if first.year == last.year else f"{first.year}–{last.year}"


def _before(one: date | None, other: date | None) -> bool:
    return bool(one and other and one < other)


def _last_day(photo: Photo) -> date | None:
    return photo.taken_to or photo.taken_from


def _sentence(
    caution: Caution,
    row: ClaimAttempt,
    person: Person,
    faces: Counter[int],
    spoken: dict[int, Spoken],
) -> str:
    photo = row.claim.photo
    taken = dates(photo.taken_from, photo.taken_to)
    match caution:
        case Caution.BEFORE_BIRTH:
            born = dates(person.born_from, person.born_to)
            text = _("Dated %(taken)s, before the birth (%(born)s): often a placeholder.")
            return text % {"taken": taken, "born": born}
        case Caution.AFTER_DEATH:
            died = dates(person.died_from, person.died_to)
            text = _("Dated %(taken)s, after the death (%(died)s): often the date of a scan.")
            return text % {"taken": taken, "died": died}
        case Caution.PREFERRED:
            qid = row.claim.qid
            others = [
                each["label"]
                for each in row.has_now or ()
                if each["rank"] == "preferred" and each["qid"] != qid
            ]
            text = ngettext(
                "%(names)s has preferred rank here: queries for the best rank show only that.",
                "%(names)s have preferred rank here: queries for the best rank show only these.",
                len(others),
            )
            return text % {"names": ", ".join(others)}
        case Caution.CROWD:
            text = _("One of %(n)d faces, %(share)s of the height: left out unless you tick it.")
            share = f"{100 * row.region.h:.0f} %" if row.region else "?"
            return text % {"n": faces[photo.picture_id], "share": share}
        case Caution.ARTWORK:
            return _("The file reproduces a work of art; this project asks for those, too.")
        case Caution.ASKED_AGAIN:
            who = spoken.get(row.claim_id)
            said = str(Claim.State(row.claim_was).label)
            text = _("You ask for it although it was spoken against: %(said)s.")
            return text % {"said": f"{said} ({who})" if who else said}
        case Caution.RENAMED:
            text = _("It was “%(old)s” when it was looked at.")
            return text % {"old": photo.name}
