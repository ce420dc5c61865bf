"""Deleting a project: closed at once, emptied bit by bit, gone at last, or as much as is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import Exists, ManyToOneRel, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from classify import selectors as classify
from classify.models import (
    Answer,
    Bootstrap,
    Forecast,
    Label,
    Learner,
    Look,
    Question,
    Round,
    Score,
    Skip,
)
from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused
from core.work import WorkState
from crawler import selectors as crawler
from crawler.models import EmbedJob, ProjectEngine, ProjectPhoto
from projects.ledger import audit
from projects.models import (
    Census,
    Contribution,
    Invite,
    Membership,
    Notification,
    Project,
    Source,
    Subject,
    Tally,
    User,
)
from sdc.models import ClaimAttempt, Edit, EditBatch, WritingStop
from sdc.preview.eligibility import claims_count, edits_count

STEP = 500  # rows deleted in one transaction
UNDER_WAY = (EditBatch.State.RUNNING, EditBatch.State.PAUSED)

# In the order in which they can go. What stands in neither list fails a test.
GOES: tuple[type[models.Model], ...] = (
    Question, Skip, Look, Round, Score, Label, Answer, Forecast, Census, Bootstrap, Learner,
    EmbedJob, ProjectPhoto, Source, ProjectEngine, Invite, Notification,
)  # fmt: skip
# With the project itself, so only where nothing was ever sent.
STAYS: tuple[type[models.Model], ...] = (
    EditBatch, Contribution, Tally, Membership, WritingStop, Subject,
)  # fmt: skip

Counts = list[tuple[str, int]]


def goes(project: Project) -> Counts:
    """What deleting removes, with numbers, for the page that asks: of a large project as they
    were counted last."""
    drafts = unsent(EditBatch.objects.filter(project=project))
    faces, photos = classify.face_counts(project), crawler.crawl_progress(project).photos
    return [
        (_("Answers about faces, with the names of who gave them"), faces.answered),
        (_("Photos that belong to the project, as a list"), photos),
        (_("What the tool thinks of faces, and its questions"), faces.unanswered),
        (_("Sources"), _of(Source, project)),
        (_("Invite codes"), _of(Invite, project)),
        (_("Drafts and batches of which nothing was written"), drafts.count()),
        (_("Vectors and crops of faces, but those that another project needs"), faces.faces),
    ]


def stays(project: Project) -> Counts:
    """What deleting leaves here, with numbers as in `goes`."""
    return [
        (_("Edits on the wiki, and the record of them here"), edits_count(project)),
        (_("Statements that were written, with what became of them"), claims_count(project)),
        (_("Members who sent edits, so that they can take them back"), _senders(project).count()),
    ]


def check(project: Project) -> None:
    """Raises Refused while something of it is being written."""
    batches = EditBatch.objects.filter(project=project, state__in=UNDER_WAY)
    tries = ClaimAttempt.objects.filter(batch__project=project)
    if batches.exists() or tries.filter(state=WorkState.RUNNING).exists():
        words = _("A batch of this project is under way. Let it end, or stop it first.")
        raise Refused("under-way", words)


@atomic
def delete(project: Project, by: User) -> None:
    """Close a project for everybody at once; the sweep takes its rows away. Raises Refused."""
    held = Project.objects.select_for_update().get(pk=project.pk)
    check(held)
    if held.deleted_at:
        return
    audit(by, "project.deleted", held, f"project:{held.pk}")
    senders = _senders(held).values("pk")
    held.memberships.exclude(user__in=senders).delete()
    held.memberships.update(role=Membership.Role.MEMBER, note="")
    Project.objects.filter(pk=held.pk).update(
        state=Project.State.ARCHIVED,
        active_key=None,
        deleted_at=timezone.now(),
        name="",
        joining=Project.Joining.INVITE,
        visibility=Project.Visibility.PRIVATE,
    )
    Question.objects.filter(subject__project=held).delete()
    Invite.objects.filter(project=held).delete()
    announce("project-deleted")


def deleted() -> QuerySet[Project]:
    return Project.objects.exclude(deleted_at=None).order_by("deleted_at")


def go_on(until: float) -> int:
    """Take away what is left of deleted projects, until the monotonic time `until`; returns how
    many rows went. Workers that still held one may have written more: it is looked at again."""
    count = 0
    for project in deleted():
        count += _empty(project, until)
        if time.monotonic() > until:
            break
    return count


def _empty(project: Project, until: float) -> int:
    count = 0
    for model in GOES:
        rows = _rows_of(model, project)
        while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:STEP]):
            atomic(model._base_manager.filter(pk__in=keys).delete)()
            count += len(keys)
            if time.monotonic() > until:
                return count
    count += forget_unsent(EditBatch.objects.filter(project=project))
    if not project.batches.exists():
        Project.objects.filter(pk=project.pk).delete()
        count += 1
    return count


def forget_unsent(batches: QuerySet[EditBatch]) -> int:
    """Delete those of these batches of which nothing was written; returns how many."""
    count = 0
    for batch in unsent(batches):
        _delete(batch)
        count += 1
    return count


@atomic
def _delete(batch: EditBatch) -> None:
    ClaimAttempt.objects.filter(batch=batch).delete()
    batch.delete()


def unsent(batches: QuerySet[EditBatch]) -> QuerySet[EditBatch]:
    written = Edit.objects.filter(batch=OuterRef("pk"))
    undone = EditBatch.objects.filter(undoes=OuterRef("pk"))
    doubts = ClaimAttempt.objects.filter(batch=OuterRef("pk"), in_doubt=True)
    tried = doubts.filter(outcome=ClaimAttempt.Outcome.PLANNED, batch__confirmed_at__isnull=False)
    quiet = batches.exclude(state__in=UNDER_WAY)
    return quiet.filter(~Exists(written), ~Exists(undone), ~Exists(tried))


def _senders(project: Project) -> QuerySet[User]:
    return User.objects.filter(edits__batch__project=project).distinct()


def _of(model: type[models.Model], project: Project) -> int:
    return _rows_of(model, project).count()


def _rows_of(model: type[models.Model], project: Project) -> QuerySet[Any]:
    """Select the rows that point to a project or to one of its subjects."""
    names = {field.name for field in model._meta.fields}
    path = "project" if "project" in names else "subject__project"
    return model._base_manager.filter(**{path: project})


def relations_to(
    model: type[models.Model], on_delete: Any = None
) -> Iterator[tuple[type[models.Model], str]]:
    """Every model and field that points to a model (with that `on_delete`), hidden ones, too."""
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel) and on_delete in (None, relation.on_delete):
            yield relation.related_model, relation.field.name
