"""Every POST is counted by a limit, and writes who did what, or says why not: see `rules.py`.

As in `test_matrix.py` the URLs are the site's own. Each POST is really made, by somebody who may,
and the audit log is compared before and after.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.cache import caches
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from classify import answers
from core.ratelimit import LIMITS, Limit
from core.work import WorkState
from crawler import omissions
from crawler.models import Picture
from projects.models import Admission, AuditEvent, Membership, Project
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch, Writer
from sdc.sending_rights import stops
from sdc.writing.reasons import Reason
from tests.hostile.rules import Because, Rule
from tests.hostile.test_matrix import URLS, Site, Url, knowing, rule_of, site
from tests.hostile.world import Made, Who

__all__ = ["site"]

# In these the account or the site acts, so that the row names nobody.
NAMELESS = {"object", "account-delete"}
Outcome = ClaimAttempt.Outcome
State = EditBatch.State


def _posts() -> list[Url]:
    """URLs at which a POST does something for somebody."""
    return [url for url in URLS if (rule := rule_of(url)).post and (does(rule) or rule.audit)]


def does(rule: Rule) -> bool:
    return rule.post is not None and "ok" in f"{rule.post.public} {rule.post.private}".split()


def who_does(url: Url) -> Who:
    return Who(rule_of(url).by) if rule_of(url).by else knowing(url)


def form_of(url: Url, made: Made, who: Who) -> dict[str, str]:
    names = made.names(who) | {
        "me": str(made.cast[who]) if who != Who.NOBODY else "",
        "project": str(made.project),
        "uuid": str(uuid4()),
    }
    return {name: value.format(**names) for name, value in rule_of(url).done}


def address_of(site: Site, url: Url, who: Who) -> str:
    made = site.public
    sent = {"code": made.batch.code} if url.key == "batch-looked" else {}
    return site.address(url, made, who, **sent)


# What has to be so before a POST can do anything ------------------------------------------


def _nothing(made: Made) -> None:
    """All is as it has to be."""


def _asleep(made: Made) -> None:
    Project.objects.update(active_at=timezone.now() - timedelta(days=200))


def _open(made: Made) -> None:
    Project.objects.update(joining=Project.Joining.OPEN)


def _omitted(made: Made) -> None:
    omissions.leave_out(made.project, made.photos[2], made.cast[Who.REVIEWER])
    omissions.left_out(made.project).update(left_out_by=made.cast[Who.MEMBER])


def _redrawn(made: Made) -> None:
    member, box = made.cast[Who.MEMBER], (0.1, 0.1, 0.3, 0.3)
    answers.draw(made.project, made.photos[0], box, member, uuid4(), replaces=made.face)


def _askable(made: Made) -> None:
    rows = ClaimAttempt.objects.filter(batch__in=made.drafts.values())
    rows.update(outcome=Outcome.SKIPPED, reason=Reason.REMOVED)


def _to_look_at(made: Made) -> None:
    Writer.objects.update(looked_at=None)


def _new_account(made: Made) -> None:
    Writer.objects.update(edit_count=0, autoconfirmed=False)


def _handed(made: Made) -> None:
    EditBatch.objects.filter(state=State.DRAFT).update(state=State.HANDED)


def _running(made: Made) -> None:
    EditBatch.objects.filter(pk=made.batch.pk).update(state=State.RUNNING)


def _paused(made: Made) -> None:
    EditBatch.objects.filter(pk=made.batch.pk).update(state=State.PAUSED)


def _written(made: Made) -> None:
    Claim.objects.filter(pk=made.claim.pk).update(state=Claim.State.WRITTEN)
    Watch.objects.update(finding=Watch.Finding.STANDS)


BEFORE: dict[str, Callable[[Made], None]] = {
    "project-wake": _asleep,
    "project-join": _open,
    "put-back-all": _omitted,
    "redrawn-undo": _redrawn,
    "attempt-ask": _askable,
    "batch-looked": _to_look_at,
    "batch-hand-over": _new_account,
    "batch-take-back-hand-over": _handed,
    "batch-pause": _running,
    "batch-resume": _paused,
    "batch-stop": _running,
    "batch-undo": _written,
    "edit-undo": _written,
    "sent-batch-stop": _running,
    "sent-batch-pause": _running,
    "sent-batch-resume": _paused,
    "sent-batch-undo": _written,
    "sent-edit-undo": _written,
}


def test_each_post_names_its_limit_and_its_row_or_why_none() -> None:
    for url in _posts():
        rule = rule_of(url)
        assert rule.audit, f"{url.key}: which row of the audit log, or why none?"
        if isinstance(rule.audit, Because):
            assert len(rule.audit.reason) > 10, url.key
        assert getattr(url.view, "limited", "post") == rule.limit, url.key
        assert rule.limit in LIMITS, url.key
    assert {*BEFORE} <= {url.key for url in URLS}


def test_no_post_is_turned_off_here() -> None:
    """What answers 404 to everybody may do something under other settings: turn it on in `site`."""
    posts = {url.key: access.public for url in URLS if (access := rule_of(url).post)}
    assert [key for key, gets in posts.items() if set(gets.split()) == {"404"}] == []


@pytest.mark.long
def test_each_post_is_refused_beyond_its_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = []
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0 + 1)
    for name in LIMITS:
        monkeypatch.setitem(LIMITS, name, Limit(0, 60))
    # who has no cookie of ours is counted by address alone
    site.clients[Who.NOBODY].cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    for url in _posts():
        who = who_does(url)
        made = site.public
        answer = site.ask(who, "post", site.address(url, made, who), form_of(url, made, who))
        if answer.status_code != 429:
            wrong.append(f"{url.key} as {who}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_each_post_writes_the_row_that_its_rule_names(site: Site) -> None:
    wrong = []
    for url in _posts():
        rule, who, made = rule_of(url), who_does(url), site.public
        caches["counts"].clear()
        with transaction.atomic():
            BEFORE.get(url.key, _nothing)(made)
            last = AuditEvent.objects.order_by("pk").last()
            client, address = site.clients[who], address_of(site, url, who)
            cookies = copy.copy(client.cookies)
            response = client.post(address, form_of(url, made, who))
            client.cookies = cookies
            rows = AuditEvent.objects.filter(pk__gt=last.pk if last else 0).order_by("pk")
            of = made.project if url.in_project else None
            found = [
                (each.action, each.actor, each.project if url.in_project else None) for each in rows
            ]
            transaction.set_rollback(True)
        actor = None if url.key in NAMELESS else site.cast[who]
        wanted = [] if isinstance(rule.audit, Because) else [(rule.audit, actor, of)]
        if found != wanted:
            wrong.append(f"{url.key} ({response.status_code}): {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


# What the actions of moderators write, and what has to be so before -------------------------


def _waiting(made: Made) -> None:
    Admission.objects.update(state=Admission.State.WAITING)


def _stopped(made: Made) -> None:
    stops.place("moderator", "vandal", user=made.cast[Who.MEMBER])
    stops.place("moderator", "vandals", project=made.project)


def _held(made: Made) -> None:
    Claim.objects.update(held=True)


def _free(made: Made) -> None:
    Claim.objects.update(state=Claim.State.FREE)


def _doubted(made: Made) -> None:
    rows = Membership.objects.filter(project=made.project, user=made.cast[Who.MEMBER])
    rows.update(doubt=Membership.Doubt.FAST, counts=False)


def _project_paused(made: Made) -> None:
    Project.objects.update(state=Project.State.PAUSED)


def _picture_aside(made: Made) -> None:
    Picture.objects.filter(photos=made.photos[0]).update(state=WorkState.ASIDE)


# model, action -> which row it is done to, what has to be so before, what it writes
ACTIONS: dict[tuple[str, str], tuple[Callable[[Made], Any], Callable[[Made], None], str]] = {
    ("Admission", "allow"): (lambda _: Admission.objects.first(), _waiting, "admission.allowed"),
    ("Admission", "refuse"): (lambda _: Admission.objects.first(), _waiting, "admission.refused"),
    ("Objection", "take"): (lambda made: made.objection, _nothing, "objection.in-work"),
    ("Objection", "follow"): (lambda made: made.objection, _nothing, "objection.upheld"),
    ("Objection", "decline"): (lambda made: made.objection, _nothing, "objection.declined"),
    ("Objection", "lift_pause"): (
        lambda made: made.objection,
        _nothing,
        "objection.pause-lifted",
    ),
    ("Photo", "look_again"): (lambda made: made.photos[0], _picture_aside, "photo.looked-at-again"),
    ("EditBatch", "stop_batches"): (lambda made: made.batch, _running, "batch.stopped"),
    ("EditBatch", "undo_batches"): (lambda made: made.batch, _written, "batch.undone"),
    ("Claim", "hold"): (lambda made: made.claim, _free, "claim.held"),
    ("Claim", "release"): (lambda made: made.claim, _held, "claim.released"),
    ("Claim", "reject"): (lambda made: made.claim, _free, "claim.rejected"),
    ("User", "stop_users"): (lambda made: made.cast[Who.MEMBER], _nothing, "writing.stopped"),
    ("User", "release_users"): (lambda made: made.cast[Who.MEMBER], _stopped, "writing.released"),
    ("User", "end_sessions"): (lambda made: made.cast[Who.MEMBER], _nothing, "sessions.ended"),
    ("User", "let_count"): (lambda made: made.cast[Who.MEMBER], _doubted, "member.counts"),
    ("Project", "pause"): (lambda made: made.project, _nothing, "project.paused"),
    ("Project", "resume"): (lambda made: made.project, _project_paused, "project.active"),
    ("Project", "stop_projects"): (lambda made: made.project, _nothing, "writing.stopped"),
    ("Project", "release_projects"): (lambda made: made.project, _stopped, "writing.released"),
    ("WritingStop", "lift"): (lambda _: stops.active().first(), _stopped, "writing.released"),
}


def test_each_action_of_moderators_writes_its_row(site: Site) -> None:
    offered = {
        (model.__name__, name if isinstance(name, str) else name.__name__): model
        for model, shown in admin.site._registry.items()
        for name in shown.actions or ()
    }
    assert set(ACTIONS) == set(offered), "say what the action writes"
    made, mona, wrong = site.public, site.cast[Who.MODERATOR], []
    for (name, action), (row_of, before, wanted) in ACTIONS.items():
        meta = offered[name, action]._meta
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        caches["counts"].clear()
        with transaction.atomic():
            before(made)
            last = AuditEvent.objects.latest("pk").pk
            form = {"action": action, "_selected_action": row_of(made).pk, "reason": "asked to"}
            site.clients[Who.MODERATOR].post(address, form)
            rows = AuditEvent.objects.filter(pk__gt=last)
            found = [each.action for each in rows if each.actor == mona]
            transaction.set_rollback(True)
        if wanted not in found:
            wrong.append(f"{name} {action}: {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)
