"""The workers of this app: they look for the next row that is due, and wake again while any is."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from celery import shared_task
from django.db.models import F, Q
from django.utils import timezone

from classify.learner import bootstrap, census
from classify.learner import cache as learner_cache
from classify.learner import run as learner_run
from classify.models import Bootstrap, Learner
from classify.trust import apply as trust_apply
from core.events import wake
from core.transactions import is_transient
from core.work import Overtaken, WorkState
from projects.models import Project

log = logging.getLogger(__name__)

BUDGET = 5  # seconds a run takes new work for; the rest of the limit is for what it took last
LEASE = timedelta(seconds=30)  # longer than the hard limits
# A worker that remembers nothing reads 100,000 faces into its memory in five to ten seconds.
LEARNING_LEASE = timedelta(seconds=60)


@shared_task(name="classify.infer", soft_time_limit=50, time_limit=55)
def infer() -> None:
    """Learn from what was answered and found since, project by project."""
    learner_cache.tidy()
    until = time.monotonic() + BUDGET
    while learner := _next_learner():
        if time.monotonic() > until:
            wake("classify.infer")
            return
        if learner.take(LEARNING_LEASE):
            _infer(learner)


@shared_task(name="classify.count", soft_time_limit=50, time_limit=55)
def count() -> None:
    """Count large projects that changed. A turn of its own beside `infer`, in the same worker: it
    comes while people answer without pause, too, and where a project can't be learned from."""
    if census.count_all(BUDGET):
        wake("classify.count")


@shared_task(name="classify.bootstrap", soft_time_limit=20, time_limit=25)
def read_bootstrap() -> None:
    """Read what the wikis already know of the persons of projects."""
    bootstrap.label_all_tagged()
    until = time.monotonic() + BUDGET
    for project in Project.objects.filter(bootstrap=None, state=Project.State.ACTIVE)[:100]:
        Bootstrap.objects.get_or_create(project=project)
    while row := Bootstrap.objects.due().order_by("due_at").first():
        if time.monotonic() > until:
            wake("classify.bootstrap")
            return
        if row.spent:
            row.fail("crashed", final=True)
        elif row.take(LEASE):
            bootstrap.read(row)


@shared_task(name="classify.guard", soft_time_limit=50, time_limit=55)
def look_at_answers() -> None:
    """See whether somebody's answers of late should be looked at before they count."""
    trust_apply.watch()


def _infer(learner: Learner) -> None:
    try:
        learner_run.infer(learner)
    except Overtaken as overtaken:
        log.warning("overtaken: %s", overtaken)
    except Exception as error:
        if is_transient(error):
            learner.give_back()
        else:
            log.exception("learning failed for project %s", learner.project_id)
            learner.fail("failed", type(error).__name__)


def _next_learner() -> Learner | None:
    """The learner that waits longest for what its project has that it hasn't learned from."""
    for project in Project.objects.filter(learner=None, revision__gt=0)[:100]:
        Learner.objects.get_or_create(project=project)
    now = timezone.now()
    resting = Q(due_at__lte=now) & ~Q(state=WorkState.RUNNING)
    abandoned = Q(state=WorkState.RUNNING, lease_until__lt=now)
    behind = Learner.objects.exclude(revision=F("project__revision"))
    reviewed = (Project.State.ACTIVE, Project.State.COMPLETED)
    live = behind.filter(resting | abandoned, project__state__in=reviewed)
    return live.order_by(F("computed_at").asc(nulls_first=True), "pk").first()
