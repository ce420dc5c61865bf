"""The preview: what exactly would be written, read fresh from the wiki, and what is skipped.

A draft holds no lock. A new preview throws the old draft away; its GUIDs were never sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language

from classify.models import Label
from classify.selectors import eligible_labels
from crawler.models import Photo, ProjectPhoto
from projects import http
from projects.models import DenyEntry, Project, User
from projects.work import WorkState
from sdc import reading, statements
from sdc.models import Claim, ClaimAttempt, EditBatch, new_batch_code
from sdc.reading import PageNow
from sdc.reasons import Reason

DRAFT_LIVES = timedelta(days=1)  # what is older must be read again before it is sent
DRAFT_IS_FRESH = timedelta(minutes=10)  # what is older is read again when it is looked at
# Files that we hold for done and look at again, to see what was removed. More of them would
# make a page wait for ever in a project that is nearly complete.
LOOK_BACK = 200

State = Claim.State
Outcome = ClaimAttempt.Outcome


def prepare_batch(project: Project, user: User) -> EditBatch:
    """A fresh draft of what `user` could send: one attempt a file, planned or skipped.

    Reads the wiki, 50 files a call, outside any transaction. At most BATCH_MAX are planned.
    Rows that the user left out of the draft before stay out. Raises WikiError.
    """
    revision = Project.objects.values_list("revision", flat=True).get(pk=project.pk)
    labels = _candidates(project)
    claims = _claims(project, labels)
    denied = _denied(project, labels)
    wiki = partial(http.api, settings.WIKI.commons_api)
    planned: list[tuple[Label, PageNow]] = []
    skipped: list[tuple[Label, PageNow, Reason]] = []
    removed: list[Claim] = []
    for chunk in _chunks(labels):
        pages = reading.read_pages(wiki, [label.photo.page_id for label in chunk])
        for label in chunk:
            page, claim = pages[label.photo.page_id], claims[label.photo.page_id]
            if denied(label.photo):
                skipped.append((label, page, Reason.DENIED))
            elif _settled_by(project, claim) and page.depicts(project.person.qid):
                continue  # it stands as a batch of this project left it: nothing new to say
            elif reason := why_not(claim, page, label.photo, project):
                skipped.append((label, page, reason))
                if reason is Reason.REMOVED and claim.state != State.REMOVED:
                    removed.append(claim)
            else:
                planned.append((label, page))
        if len(planned) >= settings.BATCH_MAX:
            break
    del planned[settings.BATCH_MAX :]
    names = _labels_of(page for _label, page in planned)
    return _save(project, user, revision, claims, planned, skipped, removed, names)


def why_not(claim: Claim, page: PageNow, photo: Photo, project: Project) -> Reason | None:
    """Why nothing may be added to a file; None if it may. The gravest reason comes first."""
    if page.problem and page.problem is not Reason.PROTECTED:
        return page.problem
    if page.sha1 != photo.picture.sha1:
        return Reason.CHANGED
    if claim.held:
        return Reason.HELD
    if claim.state == State.SENDING:
        return Reason.SENDING if claim.project_id == project.pk else Reason.CLAIMED
    if page.depicts(project.person.qid):
        return Reason.ALREADY_THERE
    if claim.state in (State.UNDONE, State.UNDOING):
        return Reason.TAKEN_BACK
    if claim.state == State.REJECTED:
        return Reason.REJECTED
    if claim.state in (State.REMOVED, State.WRITTEN, State.PRESENT):
        return Reason.REMOVED
    return page.problem


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
    entries = set(
        DenyEntry.objects.filter(wiki=settings.WIKI.code)
        .filter(
            Q(kind=DenyEntry.Kind.PERSON, value=project.person.qid) | Q(kind=DenyEntry.Kind.FILE)
        )
        .values_list("kind", "value")
    )
    person = (DenyEntry.Kind.PERSON.value, project.person.qid) in entries

    def denied(photo: Photo) -> bool:
        names = (photo.title, photo.name)
        return person or any((DenyEntry.Kind.FILE.value, name) in entries for name in names)

    return denied


def _settled_by(project: Project, claim: Claim) -> bool:
    done = claim.state in (State.WRITTEN, State.PRESENT)
    return done and claim.project_id == project.pk


def _labels_of(pages: Iterable[PageNow]) -> dict[str, str]:
    """Labels of what the files depict now; without them Q-IDs must do."""
    wanted = reading.item_labels_wanted(pages)
    if not wanted:
        return {}
    language = (get_language() or "en").split("-")[0]
    try:
        wikidata = partial(http.api, settings.WIKI.wikidata_api)
        return reading.read_labels(wikidata, wanted, language)
    except http.WikiError:
        return {}


def _save(
    project: Project,
    user: User,
    revision: int,
    claims: dict[int, Claim],
    planned: list[tuple[Label, PageNow]],
    skipped: list[tuple[Label, PageNow, Reason]],
    removed: list[Claim],
    names: dict[str, str],
) -> EditBatch:
    code = new_batch_code()
    with transaction.atomic():
        left_out = _discard_drafts(project, user)
        for claim in removed:  # somebody took it out: that stands, whoever looks next
            Claim.objects.filter(pk=claim.pk, state=claim.state).update(
                state=State.REMOVED, updated_at=timezone.now()
            )
        batch = EditBatch.objects.create(
            code=code,
            project=project,
            user=user,
            wiki=settings.WIKI.code,
            revision=revision,
            summary=statements.summary(settings.EDIT_SUMMARY, project.person, code),
        )
        rows = []
        for label, page in planned:
            claim = claims[page.page_id]
            outcome = Outcome.EXCLUDED if claim.pk in left_out else Outcome.PLANNED
            rows.append(_attempt(batch, claim, label, page, names, outcome=outcome))
        for label, page, reason in skipped:
            done = {"outcome": Outcome.SKIPPED, "reason": reason, "state": WorkState.DONE}
            rows.append(_attempt(batch, claims[page.page_id], label, page, names, **done))
        ClaimAttempt.objects.bulk_create(rows, batch_size=100)
    return batch


def _discard_drafts(project: Project, user: User) -> set[int]:
    """Delete the user's drafts; returns the claims that the user had left out."""
    drafts = EditBatch.objects.select_for_update().filter(
        project=project, user=user, state=EditBatch.State.DRAFT
    )
    ids = list(drafts.values_list("pk", flat=True))
    attempts = ClaimAttempt.objects.filter(batch__in=ids)
    left_out = set(attempts.filter(outcome=Outcome.EXCLUDED).values_list("claim_id", flat=True))
    attempts.delete()
    EditBatch.objects.filter(pk__in=ids, state=EditBatch.State.DRAFT).delete()
    return left_out


def _attempt(
    batch: EditBatch,
    claim: Claim,
    label: Label,
    page: PageNow,
    names: dict[str, str],
    **fields: Any,
) -> ClaimAttempt:
    guid = ClaimAttempt.new_guid(page.page_id)
    place = statements.place_of(label.region) if batch.project.write_region else None
    return ClaimAttempt(
        batch=batch,
        claim=claim,
        label=label,
        region=label.region,
        guid=guid,
        statement=statements.depicts(guid, claim.qid, place),
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
        {"qid": qid, "label": names.get(qid, qid), "rank": each.get("rank", "normal")}
        for each in statements.depicted(page.statements)
        if (qid := statements.item_of(each))
    ]
