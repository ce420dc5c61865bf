"""Every POST sent eight times at once on MariaDB: no 5xx, and no more effect than sent once.

The POSTs are those of `rules.py`, so a new one is asked by itself: it fails until it has an effect
here or a reason for none. The eight have a connection each, and their data is committed. After
each POST the tables that changed are copied back.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.cache import caches
from django.db import connection, connections, models
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from classify import answers as classify_answers
from core.work import WorkState
from crawler.models import EmbedJob, Picture, ProjectPhoto
from projects.models import Admission, Membership, Objection, Project, User
from sandbox import RunningSandbox
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch, Writer, WritingStop
from sdc.sending_rights import stops
from sdc.watch import face_review
from sdc.writing.reasons import Reason
from tests.hostile.rules import RULES
from tests.hostile.test_matrix import URLS, Site, browser, in_admin, knowing, rule_of
from tests.hostile.world import Made, Texts, Who, make_cast

AT_ONCE = 8
OWN_UUID = "0b7c9f5e-3c1d-4f4a-9a53-6f1b0c9d2e11"
APPS = ("core", "projects", "crawler", "classify", "sdc")
UNSEEN = {"core.Measure", "core.WikiPace"}  # of processes, not of people
# Counts of changes, which grow by what changes nothing else as well.
TICKS = {"pulse", "revision", "words", "attempt", "trace", "password"}


@dataclass(frozen=True)
class Case:
    """What the page of a POST sends, by whom, and what must stand before. `nothing`: why it has
    no effect on our rows. `again`: why each of the eight may have one of its own, and `single`
    counts what must be there once all the same."""

    form: dict[str, Any] = field(default_factory=dict)
    who: Who | None = None
    before: Callable[[Site], object] | None = None
    nothing: str = ""
    again: str = ""
    single: Callable[[], int] | None = None
    named: dict[str, str] = field(default_factory=dict)


def update(model: type[models.Model], **fields: Any) -> Callable[[Site], object]:
    """Set fields of all rows of a model."""
    return lambda site: model._base_manager.update(**fields)


def batch_is(state: str) -> Callable[[Site], object]:
    return lambda site: EditBatch.objects.filter(pk=site.public.batch.pk).update(state=state)


def count_pausing() -> int:
    return Objection.objects.filter(value="Q7186").exclude(pauses_until=None).count()


def written(site: Site) -> None:
    Claim.objects.filter(pk=site.public.claim.pk).update(state=Claim.State.WRITTEN)
    Watch.objects.update(finding=Watch.Finding.STANDS)


def draft_is(**fields: Any) -> Callable[[Site], object]:
    return lambda site: EditBatch.objects.filter(pk=site.public.drafts[Who.OWNER].pk).update(
        **fields
    )


def removed_before(site: Site) -> None:
    attempt = site.public.drafts[Who.OWNER].attempts.get()
    Claim.objects.filter(pk=attempt.claim_id).update(state=Claim.State.REMOVED)
    ClaimAttempt.objects.filter(pk=attempt.pk).update(
        outcome=ClaimAttempt.Outcome.SKIPPED, reason=Reason.REMOVED, state=WorkState.QUEUED
    )


def one_looked(site: Site) -> None:
    owner = site.cast[Who.OWNER]
    face_review.look_again(site.public.watch, owner, "yes", UUID(OWN_UUID))
    session = site.clients[Who.OWNER].session
    session["last-second-look"] = [site.public.project.public_id, site.public.watch.pk, OWN_UUID]
    session.save()


def first_batch(site: Site) -> None:
    Writer.objects.filter(user=site.cast[Who.OWNER]).update(looked_at=None)
    written(site)


def asked_to_join(site: Site) -> None:
    Membership.objects.create(
        project=site.public.project, user=site.cast[Who.STRANGER], state=Membership.State.ASKED
    )


def left_out(site: Site) -> None:
    ProjectPhoto.objects.filter(project=site.public.project).update(
        left_out=True, left_out_by=site.cast[Who.MEMBER], left_out_at=timezone.now()
    )


def redrawn(site: Site) -> None:
    made, box = site.public, (0.1, 0.1, 0.2, 0.2)
    member = site.cast[Who.MEMBER]
    classify_answers.draw(made.project, made.photos[0], box, member, UUID(OWN_UUID), made.asked)


STRANGER = "{stranger}"
FACE = {"client_uuid": OWN_UUID, "photo": "{photo_id}", "region": "{other_region}"}
SCREEN = {"client_uuid": OWN_UUID, "shown": "{other_region}", "yes": "{other_region}"}
PHOTO = {"client_uuid": OWN_UUID, "photo": "{photo_id}"}
ENDS = {"reason": "because"}

CASES: dict[str, list[Case]] = {
    # The site and one's account
    "object": [Case({"about": "Q7186", "kind": "person", "message": "No"}, Who.NOBODY,
                    again="each is an objection of its own", single=count_pausing)],
    "theme": [Case({"theme": "dark"}, nothing="a cookie")],
    "language": [Case({"language": "fr"}, Who.NOBODY, nothing="a cookie")],
    "login": [Case(nothing="nobody logs in by a form")],
    "account_login": [Case(nothing="nobody logs in by a form")],
    "account_logout": [Case(nothing="the session ends")],
    "mediawiki_login": [Case(nothing="it leads to the wiki")],
    "local-login": [Case({}, Who.NOBODY)],
    "account-visibility": [Case({"show": "on"}),
                           Case({}, before=update(User, show_on_leaderboard=True))],
    "sessions-end": [Case({"others": "on"}, nothing="other sessions end")],
    "keys": [Case({"key-yes": "k"})],
    "account-delete": [Case({"name": "member"}, Who.MEMBER)],
    "tours": [Case({"seen": "project"})],
    "notifications-wanted": [Case({"kind": "people"})],
    "join": [Case({"code": "{invite}", "join": "on"}, Who.STRANGER)],
    "join-code": [Case({"join": "on"}, Who.STRANGER)],
    # A new project
    "project-new": [Case({"person": "Q7259", "do": "start", "public": "on", "row": "depicts"},
                         nothing="a place is lacking here: see test_new.py")],
    "new-sum": [Case(nothing="a sum is shown")],
    "admission": [Case({"note": "please"})],
    # A project
    "project-settings": [Case({
        "name": "Another name", "visibility": "public", "joining": "invite", "rule": "centroid",
        "threshold": "0.5", "min_confirmed": "5"})],
    "project-state": [Case({"deed": "pause"}), Case({"deed": "complete"}),
                      Case({"deed": "archive", "sure": "on"}),
                      Case({"deed": "resume"}, before=update(Project, state="paused"))],
    "project-delete": [Case({"name": "{project_name}"})],
    "project-wake": [Case(again="the faces are looked at again each time")],
    "photo-retry": [Case({"photo": "{aside}"}), Case({"box": "{drawn}"}), Case()],
    "put-back-all": [Case(before=left_out)],
    "redrawn-undo": [Case(before=redrawn)],
    "source-add": [Case({"place": "search:radium"})],
    "source-change": [Case({"do": "take-away"}), Case({"do": "watch"}),
                      Case({"do": "look"}, again="it is read from the beginning each time")],
    "recrawl": [Case(again="all is read from the beginning each time")],
    # Its people
    "member-counts": [Case({"counts": "no"})],
    "member-change": [
        Case({"user": "{user_id}", "deed": "remove"}), Case({"user": "{user_id}", "deed": "ban"}),
        Case({"user": "{user_id}", "deed": "reviewer"}),
        Case({"user": STRANGER, "deed": "accept"}, before=asked_to_join),
        Case({"user": STRANGER, "deed": "decline"}, before=asked_to_join)],
    "invite-new": [Case({"days": "7", "uses": "50"}, again="each is a code of its own")],
    "project-join": [Case(who=Who.STRANGER, before=update(Project, joining="open"))],
    "project-ask": [Case({"note": "please"}, Who.STRANGER),
                    Case({"take-back": "on"}, Who.STRANGER, before=asked_to_join)],
    "project-leave": [Case(who=Who.MEMBER)],
    # Answering and reviewing
    "grid-answer": [Case(SCREEN)],
    "grid-skip": [Case(SCREEN)],
    "answer": [Case(FACE | {"verdict": "yes"})],
    "skip": [Case(FACE)],
    "undo": [Case({"client_uuid": OWN_UUID}, Who.MEMBER)],
    "draw": [Case(PHOTO | {"x": "0.1", "y": "0.1", "w": "0.2", "h": "0.2"}),
             Case(PHOTO | {"x": "0.1", "y": "0.1", "w": "0.2", "h": "0.2",
                           "replaces": "{other_region}"})],
    "no-usable-face": [Case(PHOTO), Case(FACE)],
    "not-here": [Case(PHOTO)],
    "review-answer": [Case({"client_uuid": OWN_UUID, "deed": "reject", "region": "{region_id}"})],
    "review-reassign": [Case({"client_uuid": OWN_UUID, "deed": "else", "region": "{region_id}",
                              "other": "{other_project}"})],
    "again-answer": [Case({"client_uuid": OWN_UUID, "shown": "{looked}", "yes": "{looked}"})],
    "again-rest": [Case(nothing="no round is over here: see classify/test_looks.py")],
    "second-look": [Case({"client_uuid": OWN_UUID, "verdict": "no"}),
                    Case({"client_uuid": OWN_UUID})],
    "second-look-undo": [Case(before=one_looked)],
    # Sending
    "preview-choose": [Case({"shown": "{draft_attempt}"})],
    "attempt-ask": [Case(before=removed_before)],
    "batch-looked": [Case(before=first_batch, named={"code": "batch"})],
    "batch-hand-over": [Case(before=update(Writer, edit_count=1))],
    "batch-take-back-hand-over": [Case(before=draft_is(state=EditBatch.State.HANDED))],
    "batch-pause": [Case(before=batch_is(EditBatch.State.RUNNING))],
    "batch-resume": [Case(before=batch_is(EditBatch.State.PAUSED))],
    "batch-stop": [Case(before=batch_is(EditBatch.State.RUNNING))],
    "batch-check": [Case(before=update(Watch, state=WorkState.DONE))],
    "batch-undo": [Case(before=written)],
    "edit-undo": [Case(before=written)],
    "sent-batch-pause": [Case(before=batch_is(EditBatch.State.RUNNING))],
    "sent-batch-resume": [Case(before=batch_is(EditBatch.State.PAUSED))],
    "sent-batch-stop": [Case(before=batch_is(EditBatch.State.RUNNING))],
    "sent-batch-undo": [Case(before=written)],
    "sent-edit-undo": [Case(before=written)],
    # The admin; its actions are found below
    "admin:switch": [Case({"reason": "stop", "sure": "on"}),
                     Case({"do": "go"}, before=lambda site: stops.place(
                         WritingStop.Source.MODERATOR, "stop", by=site.cast[Who.MODERATOR]))],
    "admin:logout": [Case(nothing="the session ends")],
    "admin:login": [Case(nothing="it leads to the login page")],
    "admin:projects_denyentry_add": [Case({"kind": "person", "value": "Q42", "reason": "asked"})],
    "admin:projects_denyentry_change": [Case({"reason": "another one"},
                                             again="each is kept in the audit log")],
    "admin:projects_denyentry_delete": [Case({"post": "yes", "reason": "wrong"})],
}  # fmt: skip
# Pages of the admin that take a form and change nothing: lists without a chosen action, and pages
# to look at. What they do have are actions.
LISTS = ("_changelist", "_history", "admin:index", "admin:app_list", "admin:view_on_site")
# What must stand before an action of the admin has an effect.
BEFORE = {
    "project resume": update(Project, state="paused"),
    "admission allow": update(Admission, state=Admission.State.WAITING),
    "admission refuse": update(Admission, state=Admission.State.WAITING),
    "claim release": update(Claim, held=True),
    "editbatch stop_batches": batch_is(EditBatch.State.RUNNING),
    "editbatch undo_batches": written,
    "user let_count": update(Membership, doubt="quick", counts=False),
    "user release_users": lambda site: stops.place(
        WritingStop.Source.MODERATOR, "stop", user=site.cast[Who.MEMBER]),
    "project release_projects": lambda site: stops.place(
        WritingStop.Source.MODERATOR, "stop", project=site.public.project),
    "photo look_again": update(Picture, state=WorkState.ASIDE),
}  # fmt: skip


AGAIN = {"user end_sessions": "each ends what began meanwhile"}


def posts() -> Iterator[tuple[str, str, Case]]:
    """Name, key of the URL, and case of each POST."""
    for url in URLS:
        rule = rule_of(url)
        if not rule.post or url.name in ("", "admin:autocomplete", "admin:jsi18n"):
            continue
        if in_admin(url) and url.key not in CASES:
            continue  # a list, or a page that is for nobody; see LISTS
        for number, case in enumerate(CASES.get(url.key, [Case()]), 1):
            yield f"{url.key} {number}", url.key, case
    for model, page in sorted(admin.site._registry.items(), key=lambda each: str(each[0])):
        for action in page.actions or ():
            name = f"{model._meta.model_name} {action}"
            form = {"action": action, **ENDS, "_selected_action": f"<{model._meta.label}>"}
            case = Case(form, before=BEFORE.get(name), again=AGAIN.get(name, ""))
            yield name, f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", case


class Tables:
    """The tables as they were, kept in a database of their own, and what became of them since."""

    def __init__(self) -> None:
        self.kept = f"{connection.settings_dict['NAME']}_kept"
        self.names = [
            name for name in connection.introspection.table_names() if name != "django_migrations"
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{self.kept}`")
            cursor.execute(f"CREATE DATABASE `{self.kept}`")
            for name in self.names:
                cursor.execute(f"CREATE TABLE `{self.kept}`.`{name}` LIKE `{name}`")
                cursor.execute(f"INSERT INTO `{self.kept}`.`{name}` SELECT * FROM `{name}`")
        self.sums = self._sums()
        self.rows = {model: self._rows(model) for model in self._models()}

    def restore(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
            for name, checksum in self._sums().items():
                if checksum != self.sums[name]:
                    cursor.execute(f"DELETE FROM `{name}`")
                    cursor.execute(f"INSERT INTO `{name}` SELECT * FROM `{self.kept}`.`{name}`")
            cursor.execute("SET FOREIGN_KEY_CHECKS = 1")

    def drop(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE `{self.kept}`")

    def effects(self) -> dict[str, Any]:
        """What differs from what was kept, without keys and moments."""
        found: dict[str, Any] = {}
        for model, before in self.rows.items():
            now = self._rows(model)
            new = Counter(self._shape(model, now[pk]) for pk in now.keys() - before.keys())
            changed = {
                pk: {name: value for name, value in now[pk].items() if value != before[pk][name]}
                for pk in now.keys() & before.keys()
            }
            told = {
                "new": new,
                "gone": sorted(before.keys() - now.keys(), key=str),
                "changed": {pk: fields for pk, fields in changed.items() if fields},
            }
            if any(told.values()):
                found[model._meta.label] = told
        return found

    def _sums(self) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute("CHECKSUM TABLE " + ", ".join(f"`{name}`" for name in self.names))
            return {name.rpartition(".")[2]: number for name, number in cursor.fetchall()}

    def _models(self) -> list[type[models.Model]]:
        return [
            model
            for app in APPS
            for model in apps.get_app_config(app).get_models()
            if model._meta.managed and not model._meta.proxy and model._meta.label not in UNSEEN
        ]

    def _rows(self, model: type[models.Model]) -> dict[Any, dict[str, Any]]:
        """By key; a key of a row that was not there before is only "new"."""
        known = getattr(self, "rows", {})
        rows = {}
        for values in model._base_manager.values():
            for each in model._meta.concrete_fields:
                value = values[each.attname]
                if isinstance(each, models.DateTimeField):
                    values[each.attname] = value is not None
                elif each.name in TICKS:
                    del values[each.attname]
                elif isinstance(each, models.ForeignKey) and known and value is not None:
                    theirs = known.get(each.related_model)
                    values[each.attname] = value if theirs and value in theirs else "new"
            rows[values[model._meta.pk.attname]] = values
        return rows

    @staticmethod
    def _shape(model: type[models.Model], values: dict[str, Any]) -> tuple[Any, ...]:
        """Of a new row what does not differ from one try to the next."""
        return tuple(
            (each.name, values[each.attname])
            for each in model._meta.concrete_fields
            if each.attname in values
            and (each.choices or each.name in ("action", "amount", "reason", "user"))
        )


@dataclass
class Crowd:
    """One person's browser, eight times."""

    site: Site
    pool: ThreadPoolExecutor

    def post(self, who: Who, address: str, form: dict[str, Any], times: int) -> list[HttpResponse]:
        start = threading.Barrier(times)
        cookies = self.site.clients[who].cookies

        def once(_number: int) -> HttpResponse:
            client: Any = browser(self.site.cast, Who.NOBODY)
            client.cookies.update(cookies)
            start.wait(30)
            answer: HttpResponse = client.post(address, form)
            return answer

        return list(self.pool.map(once, range(times)))

    def leave(self) -> None:
        done = threading.Barrier(AT_ONCE)

        def close(_number: int) -> None:
            done.wait(30)  # each thread of the pool takes one
            connections.close_all()

        list(self.pool.map(close, range(AT_ONCE)))


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(300)
def test_eight_at_once_are_as_good_as_one(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LOCAL_LOGIN", True)
    site = make_site()
    tables, wrong = Tables(), []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        crowd = Crowd(site, pool)
        for name, key, case in posts():
            try:
                wrong += [f"{name}: {said}" for said in problems(crowd, tables, key, case)]
            finally:
                tables.restore()
        crowd.leave()
    tables.drop()
    assert not wrong, "\n".join(wrong)


def test_each_case_is_of_a_post() -> None:
    keys = {url.key for url in URLS if rule_of(url).post}
    assert set(CASES) - keys == set(), "there is no such POST"
    names = {name for name, _key, _case in posts()}
    assert set(BEFORE) - names == set(), "there is no such action"
    lists = {url.key for url in URLS if in_admin(url) and rule_of(url).post and url.name}
    plain = {key for key in lists - set(CASES) if key.endswith(LISTS)}
    for_nobody = {key for key in lists - set(CASES) if key.endswith(("_change", "_add", "_delete"))}
    rest = lists - set(CASES) - plain - for_nobody
    assert rest <= {"admin:autocomplete", "admin:jsi18n"}, "say in CASES what its page sends"
    assert all(key in RULES or "*" in "".join(RULES) for key in CASES)


def make_site() -> Site:
    cast = make_cast()
    public = Made(cast, "Q7186", 700_000, Texts())
    private = Made(cast, "Q937", 800_000, Texts(), visibility=Project.Visibility.PRIVATE)
    Objection.objects.update(kind="person", value="Q42")
    EmbedJob.objects.update(state=WorkState.ASIDE)
    return Site(cast, public, private, {who: browser(cast, who) for who in Who})


def problems(crowd: Crowd, tables: Tables, key: str, case: Case) -> Iterator[str]:
    once, single = outcome(crowd, tables, key, case, 1)
    tables.restore()
    eight, together = outcome(crowd, tables, key, case, AT_ONCE)
    if case.single and (count := case.single()) != 1:
        yield f"{case.single.__name__}: {count} instead of 1"
    if bad := [each for each in single + together if each >= 500]:
        yield f"answered {bad}"
    if case.nothing or case.again:
        if case.nothing and (once or eight):
            yield f"has an effect: {once or eight}"
        return
    if not once:
        yield f"has no effect ({single}): say in CASES what its page sends, or why not"
    for label in once.keys() | eight.keys():
        if once.get(label) != eight.get(label):
            yield f"{label}: once {once.get(label)}, eight times {eight.get(label)}"


def outcome(
    crowd: Crowd, tables: Tables, key: str, case: Case, times: int
) -> tuple[dict[str, Any], list[int]]:
    """Effects and statuses of a POST that is sent so often at once."""
    for cache in caches:
        caches[cache].clear()
    url = next(url for url in URLS if url.key == key)
    who = case.who or knowing(url)
    site = crowd.site
    names = site.public.names(who)
    address = site.address(url, site.public, who, **{
        param: names[name] for param, name in case.named.items()
    }) if not in_admin(url) or url.params else reverse(key)  # fmt: skip
    if case.before:
        case.before(site)
    form = filled(site, who, dict(rule_of(url).sent) | case.form)
    answers = crowd.post(who, address, form, times)
    return tables.effects(), [answer.status_code for answer in answers]


def filled(site: Site, who: Who, form: dict[str, Any]) -> dict[str, Any]:
    made = site.public
    names = made.names(who) | {
        "stranger": site.cast[Who.STRANGER].public_id,
        "aside": made.aside.public_id,
        "looked": made.looked.public_id,
        "other_project": site.private.project.public_id,
        "project_name": str(made.project),
    }
    return {name: _row(site, value) if value[:1] == "<" else value.format(**names)
            for name, value in form.items()}  # fmt: skip


def _row(site: Site, label: str) -> int:
    """A row of a model, for an action of its list in the admin."""
    if label == "<projects.User>":
        return site.cast[Who.MEMBER].pk
    row = apps.get_model(label.strip("<>"))._default_manager.order_by("pk").first()
    assert row, label
    return int(row.pk)
