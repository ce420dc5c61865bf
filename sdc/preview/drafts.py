"""The preview: what exactly would be written, read fresh from the wiki, and what is skipped.

A draft holds no lock. A new preview throws the old draft away; its GUIDs were never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.conf import settings
from django.utils import timezone

from classify.models import Label
from classify.selectors import eligible_labels, named_by_hand
from core import i18n
from core.transactions import atomic
from core.work import WorkState
from crawler.models import Photo, ProjectPhoto
from projects.models import Project, User
from projects.privacy import denylist, pauses
from sdc.files import reading, statements
from sdc.files.reading import PageNow
from sdc.models import Claim, ClaimAttempt, EditBatch, new_batch_code
from sdc.preview import warnings
from sdc.preview.warnings import Caution
from sdc.sending_rights import limits
from sdc.writing.reasons import Reason
from wiki import http

DRAFT_LIVES = timedelta(days=1)  # what is older must be read again before it is sent
DRAFT_IS_FRESH = timedelta(minutes=10)  # what is older is read again when it is looked at
# Files that we hold for done and look at again, to see what was removed. More of them would
# make a page wait for ever in a project that is nearly complete.
LOOK_BACK = 200

State = Claim.State
Outcome = ClaimAttempt.Outcome


# Skipped for these, a file may be asked for all the same; see sdc/preview/selection.py.
ASKABLE = frozenset({Reason.REMOVED, Reason.TAKEN_BACK, Reason.REJECTED, Reason.MOVED})


@dataclass(frozen=True)
class Wishes:
    """What the user chose in the draft before, as ids of claims; it outlives a new reading."""

    left_out: frozenset[int] = frozenset()
    taken_in: frozenset[int] = frozenset()  # although we would leave it out by ourselves
    asked_for: frozenset[int] = frozenset()  # although it would be skipped

    def leaves_out(self, found: Found) -> bool:
        claim = found.claim.pk
        small = Caution.CROWD in found.cautions and claim not in self.taken_in
        return claim in self.left_out or small


@dataclass(frozen=True)
class Found:
    """A file that was read fresh: planned, or skipped with a reason."""

    label: Label
    page: PageNow
    claim: Claim
    cautions: list[Caution]
    reason: Reason | None = None


def prepare_batch(project: Project, user: User) -> EditBatch:
    """A fresh draft of what `user` could send: one attempt a file, planned or skipped.

    Reads the wiki, 50 files a call, outside any transaction. As many are planned as the user's
    next batch may have. What the user chose in the draft before stays chosen. Raises WikiError.
    """
    revision = Project.objects.values_list("revision", flat=True).get(pk=project.pk)
    limit = limits.standing_of(user).limit
    labels = _candidates(project)
    if pauses.of_project(project):  # nothing is planned: a few show why
        labels = labels[: reading.A_CALL]
    claims = _claims(project, labels)
    denied, paused = _denied(project, labels), _paused(project)
    wishes = _wishes(project, user)
    wiki = partial(http.api, settings.WIKI.commons_api)
    found: list[Found] = []
    planned = 0
    for chunk in _chunks(labels):
        if planned >= limit:
            break
        pages = reading.read_pages(wiki, [label.photo.page_id for label in chunk])
        crowds = warnings.crowds({label.photo.picture_id for label in chunk})
        for label in chunk:
            page, claim = pages[label.photo.page_id], claims[label.photo.page_id]
            if _settled_by(project, claim) and page.depicts(project.person.qid):
                continue  # it stands as a batch of this project left it: nothing new to say
            file = _look_at(label, page, claim, crowds[label.photo.picture_id], wishes, project)
            if page.denied or denied(label.photo):
                file = replace(file, reason=Reason.DENIED)
            elif file.reason is None and (page.paused or paused(label.photo)):
                file = replace(file, reason=Reason.OBJECTED)
            counts = file.reason is None and not wishes.leaves_out(file)
            if counts and planned >= limit:
                continue  # it comes in the next batch
            planned += counts
            found.append(file)
    names = _labels_of(file.page for file in found if file.reason is None or file.cautions)
    return _save(project, user, revision, found, names)


def _look_at(
    label: Label, page: PageNow, claim: Claim, crowd: int, wishes: Wishes, project: Project
) -> Found:
    reason = why_not(claim, page, label.photo, project)
    odd = warnings.of_file(label, page, project.person, crowd)
    if reason in ASKABLE and claim.pk in wishes.asked_for and may_ask(claim):
        return Found(label, page, claim, odd + warnings.of_asking(claim, page.title, label.photo))
    return Found(label, page, claim, odd, reason)


def may_ask(claim: Claim) -> bool:
    """Whether a person may ask for this very file: nothing is under way, nobody holds it."""
    return not claim.held and claim.state in (State.FREE, *Claim.SPOKEN_AGAINST)


def why_not(claim: Claim, page: PageNow, photo: Photo, project: Project) -> Reason | None:
    """Why nothing may be added to a file; None if it may. The gravest reason comes first."""
    if page.problem and page.problem is not Reason.PROTECTED:
        return page.problem
    if page.sha1 != photo.picture.sha1:
        return Reason.CHANGED
    if under_way := claim.under_way(project):
        return under_way
    if page.depicts(project.person.qid):
        return Reason.ALREADY_THERE
    if page.problem:
        return page.problem
    if page.is_artwork and not project.include_artworks:
        return Reason.ARTWORK
    if spoken_against := claim.spoken_against():
        return spoken_against
    if claim.state in (State.WRITTEN, State.PRESENT):
        return Reason.REMOVED
    return Reason.MOVED if page.title != photo.title else None


def draft_of(project: Project, user: User) -> EditBatch | None:
    """The user's draft, if it is still what a new preview would likely show."""
    revision = Project.objects.values_list("revision", flat=True).get(pk=project.pk)
    return EditBatch.objects.filter(
        project=project,
        user=user,
        state=EditBatch.State.DRAFT,
        revision=revision,
        created_at__gte=timezone.now() - DRAFT_IS_FRESH,
    ).first()


def _candidates(project: Project) -> list[Label]:
    """Labels that may be sent; what we hold for done comes last, and only the newest of it."""
    done = set(
        Claim.objects.filter(
            wiki=settings.WIKI.code,
            qid=project.person.qid,
            state__in=(State.WRITTEN, State.PRESENT),
        ).values_list("page_id", flat=True)
    )
    depicting = ProjectPhoto.objects.filter(project=project, already_depicts=True)
    done.update(depicting.values_list("photo__page_id", flat=True))
    labels = [label for label in eligible_labels(project) if label.photo.wiki == settings.WIKI.code]
    old = [label for label in labels if label.photo.page_id in done]
    old.sort(key=lambda label: label.decided_at, reverse=True)
    return [label for label in labels if label.photo.page_id not in done] + old[:LOOK_BACK]


def _chunks(labels: list[Label]) -> Iterable[list[Label]]:
    left = iter(labels)
    while chunk := list(islice(left, reading.A_CALL)):
        yield chunk


def _claims(project: Project, labels: list[Label]) -> dict[int, Claim]:
    """The claim of each page, made where there is none; free claims lock nothing."""
    key = {"wiki": settings.WIKI.code, "qid": project.person.qid}
    made = [Claim(**key, page_id=label.photo.page_id, photo=label.photo) for label in labels]
    Claim.objects.bulk_create(made, ignore_conflicts=True, batch_size=200)
    photos = {label.photo.page_id for label in labels}
    claims = {claim.page_id: claim for claim in Claim.objects.filter(**key)}
    return {page_id: claims[page_id] for page_id in photos}


def _denied(project: Project, labels: list[Label]) -> Any:
    """Says of a photo whether it, or the person, is on the deny-list."""
    person = denylist.denied_person(project.person.qid)
    photos = [label.photo for label in labels]
    files = denylist.denied_files((photo.page_id, photo.title) for photo in photos)
    files |= denylist.denied_makers((each.page_id, each.uploader, each.author) for each in photos)
    return lambda photo: person or photo.page_id in files


def _paused(project: Project) -> Callable[[Photo], bool]:
    """Says of a photo whether somebody objects to it, or to the person, and nobody decided yet."""
    person, now = pauses.of_project(project) is not None, timezone.now()
    return lambda photo: person or (photo.paused_until is not None and photo.paused_until > now)


def _settled_by(project: Project, claim: Claim) -> bool:
    done = claim.state in (State.WRITTEN, State.PRESENT)
    return done and claim.project_id == project.pk


def _labels_of(pages: Iterable[PageNow]) -> dict[str, str]:
    """Labels of what the files depict now; without them Q-IDs must do."""
    wanted = reading.item_labels_wanted(pages)
    if not wanted:
        return {}
    try:
        wikidata = partial(http.api, settings.WIKI.wikidata_api)
        return reading.read_labels(wikidata, wanted, i18n.of_wikis())
    except http.WikiError:
        return {}


@atomic
def _save(
    project: Project,
    user: User,
    revision: int,
    found: list[Found],
    names: dict[str, str],
) -> EditBatch:
    code = new_batch_code()
    wishes = _discard_drafts(project, user)
    for file in found:  # somebody took it out: that stands, whoever looks next
        claim = file.claim
        if file.reason is Reason.REMOVED and claim.state != State.REMOVED:
            Claim.objects.filter(pk=claim.pk, state=claim.state).update(
                state=State.REMOVED, updated_at=timezone.now()
            )
    batch = EditBatch.objects.create(
        code=code,
        project=project,
        user=user,
        wiki=settings.WIKI.code,
        revision=revision,
        summary=_summary(project, code, settings.SUMMARY_SUGGESTED),
    )
    rows = [_attempt(batch, file, names, **_outcome(file, wishes)) for file in found]
    by_hand = named_by_hand(project, [file.label for file in found])
    for row in rows:
        if row.label_id in by_hand:
            row.own_summary = _summary(project, code, settings.SUMMARY_BY_HAND)
    ClaimAttempt.objects.bulk_create(rows, batch_size=100)
    return batch


def _summary(project: Project, code: str, how: str) -> str:
    return statements.summary(settings.EDIT_SUMMARY, project.person, code, how)


def _outcome(file: Found, wishes: Wishes) -> dict[str, Any]:
    if file.reason:
        return {"outcome": Outcome.SKIPPED, "reason": file.reason, "state": WorkState.DONE}
    outcome = Outcome.EXCLUDED if wishes.leaves_out(file) else Outcome.PLANNED
    return {"outcome": outcome, "claim_was": file.claim.state}


def _wishes(project: Project, user: User) -> Wishes:
    """The user's last word on each file: what was left out of a batch stays out of the next."""
    drafted: dict[int, tuple[str, str]] = {}
    left_out: dict[int, bool] = {}
    rows = ClaimAttempt.objects.filter(
        batch__project=project, batch__user=user, batch__kind=EditBatch.Kind.ADD
    ).exclude(outcome=Outcome.SKIPPED)
    told = rows.order_by("pk").values_list("claim", "outcome", "cautions", "batch__state")
    for claim, outcome, odd, state in told:
        left_out[claim] = outcome == Outcome.EXCLUDED
        if state == EditBatch.State.DRAFT:
            drafted[claim] = (outcome, odd)
    return Wishes(
        left_out=frozenset(claim for claim, is_out in left_out.items() if is_out),
        taken_in=frozenset(
            claim for claim, (outcome, _odd) in drafted.items() if outcome == Outcome.PLANNED
        ),
        asked_for=frozenset(
            claim for claim, (_out, odd) in drafted.items() if warnings.ASKED & set(odd.split())
        ),
    )


def _discard_drafts(project: Project, user: User) -> Wishes:
    """Delete the user's drafts; returns what was chosen in them."""
    drafts = EditBatch.objects.select_for_update().filter(
        project=project, user=user, state=EditBatch.State.DRAFT
    )
    ids = list(drafts.values_list("pk", flat=True))
    wishes = _wishes(project, user)
    ClaimAttempt.objects.filter(batch__in=ids).delete()
    EditBatch.objects.filter(pk__in=ids, state=EditBatch.State.DRAFT).delete()
    return wishes


def _attempt(batch: EditBatch, file: Found, names: dict[str, str], **fields: Any) -> ClaimAttempt:
    label, page, claim = file.label, file.page, file.claim
    guid = ClaimAttempt.new_guid(page.page_id)
    place = statements.place_of(label.region) if batch.project.write_region else None
    return ClaimAttempt(
        batch=batch,
        claim=claim,
        label=label,
        region=label.region,
        guid=guid,
        statement=statements.depicts(guid, claim.qid, place),
        cautions=warnings.words(file.cautions),
        sha1=label.photo.picture.sha1,
        title=page.title or label.photo.title,
        base_revision=page.revision,
        has_now=_has_now(page, names),
        **fields,
    )


def _has_now(page: PageNow, names: dict[str, str]) -> list[dict[str, str]] | None:
    if page.statements is None:
        return None
    return [
        {"qid": qid, "label": names.get(qid, qid), "rank": each.rank}
        for each in statements.depicted(page.statements)
        if (qid := each.item)
    ]
