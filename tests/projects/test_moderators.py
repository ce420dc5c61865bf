"""Who moderates: a group with exactly what it takes, given and taken at each login."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from crawler.models import Embedding, Photo, Picture
from projects import permissions
from projects.accounts import login
from projects.models import AuditEvent, DenyEntry, Project, User, WikiCredential
from projects.permissions import MODERATORS, Can, may, moderates
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject
from tests.factories import make_user
from tests.projects.test_login import log_in
from wikivisage.ops import retention as ops_retention

pytestmark = pytest.mark.django_db
SECRET = ("wikicredential", "embedding", "session", "group", "permission", "socialtoken",
          "socialaccount", "socialapp", "emailaddress")  # fmt: skip


def test_the_group_may_look_and_write_one_list_and_nothing_else(mona: User) -> None:
    rights = mona.get_all_permissions()
    changing = {right for right in rights if ".view_" not in right}
    assert changing == {
        "projects.moderate",
        "projects.add_denyentry",
        "projects.change_denyentry",
        "projects.delete_denyentry",
    }
    assert not [right for right in rights if right.rpartition("_")[2] in SECRET]
    assert {"sdc.view_claim", "sdc.view_edit", "projects.view_auditevent"} <= rights


def test_the_group_is_made_once_and_keeps_what_an_operator_adds(db: None) -> None:
    group = Group.objects.get(name=MODERATORS)
    rights = set(group.permissions.all())
    added = Permission.objects.exclude(pk__in=[right.pk for right in rights])[0]
    group.permissions.add(added)
    call_command("migrate", verbosity=0)
    assert Group.objects.get() == group
    assert set(group.permissions.all()) == {*rights, added}


def test_being_staff_opens_the_door_and_gives_nothing(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    private = make_project(alice, visibility=Project.Visibility.PRIVATE)
    staff = make_user(is_staff=True)
    assert not moderates(staff)
    assert not may(staff, Can.VIEW, private)
    assert client_of(staff).get(reverse("admin:projects_project_changelist")).status_code == 403


def test_the_group_gives_nothing_without_being_staff(mona: User) -> None:
    assert moderates(mona)
    User.objects.filter(pk=mona.pk).update(is_staff=False)
    assert not moderates(User.objects.get(pk=mona.pk))


def test_moderators_come_and_go_by_name(
    sandbox: RunningSandbox, client_of: ClientOf, settings: Settings
) -> None:
    log_in(client_of(None), "Mona")
    assert moderates(User.objects.get())
    settings.MODERATORS = []
    log_in(client_of(None), "Mona")
    user = User.objects.get()
    assert (user.is_staff, user.groups.count()) == (False, 0)


def test_moderators_come_and_go_with_their_groups_on_the_wiki(
    fresh_sandbox: RunningSandbox, client_of: ClientOf, settings: Settings
) -> None:
    settings.MODERATOR_GROUPS = ["sysop"]
    fresh_sandbox.world.users.change("Charlie", groups=["autoconfirmed", "sysop"])
    client = client_of(None)
    log_in(client, "Charlie")
    assert moderates(User.objects.get())
    assert client.get(reverse("admin:index")).status_code == 200
    fresh_sandbox.world.users.change("Charlie", groups=["autoconfirmed"])
    log_in(client_of(None), "Charlie")
    assert not moderates(User.objects.get())
    assert not User.objects.get().is_staff


@pytest.mark.waits
def test_whoever_is_named_no_more_loses_the_rights_though_their_session_goes_on(
    fresh_sandbox: RunningSandbox, client_of: ClientOf, settings: Settings
) -> None:
    settings.MODERATOR_GROUPS = ["sysop"]
    fresh_sandbox.world.users.change("Charlie", groups=["sysop"])
    fresh_sandbox.world.users.change("Mona", groups=["autoconfirmed"])
    named, sysop = client_of(None), client_of(None)
    log_in(named, "Mona")
    log_in(sysop, "Charlie")
    assert not ops_retention.due()["moderators who are none any more"]
    settings.MODERATORS = []
    fresh_sandbox.faults.add("http", {}, status=503)
    ops_retention.sweep(1)
    assert permissions.moderators().count() == 2, "nobody goes while the wiki can't be asked"
    fresh_sandbox.faults.clear()
    ops_retention.sweep(1)
    assert permissions.moderators().get().wiki_username == "Charlie"
    assert named.get(reverse("admin:index")).status_code == 302
    assert sysop.get(reverse("admin:index")).status_code == 200
    deeds = AuditEvent.objects.filter(action="moderator.removed")
    assert deeds.count() == 1


def test_groups_of_the_wiki_say_nothing_unless_the_operator_so_sets(
    fresh_sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    fresh_sandbox.world.users.change("Charlie", groups=["sysop"])
    log_in(client_of(None), "Charlie")
    assert not User.objects.get().is_staff


def test_the_wiki_s_groups_are_not_kept(sandbox: RunningSandbox, client_of: ClientOf) -> None:
    log_in(client_of(None), "Alice")
    account = apps.get_model("socialaccount", "SocialAccount").objects.get()
    assert account.extra_data == {"username": "Alice"}


def test_a_superuser_is_never_demoted(
    sandbox: RunningSandbox, alice: User, client_of: ClientOf
) -> None:
    User.objects.filter(pk=alice.pk).update(is_superuser=True, is_staff=True)
    log_in(client_of(None), "Alice")
    alice.refresh_from_db()
    assert (alice.is_superuser, alice.is_staff) == (True, True)
    assert moderates(alice)


@pytest.mark.parametrize("model", [WikiCredential, Embedding, Session, Group, Permission])
def test_secrets_and_rights_have_no_page(model: type, mona: User, client_of: ClientOf) -> None:
    assert model not in admin.site._registry
    with pytest.raises(NoReverseMatch):
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")  # type: ignore[attr-defined]


def test_no_page_shows_a_token_or_a_vector(mona: User, alice: User, client_of: ClientOf) -> None:
    for model in admin.site._registry:
        for field in admin.site._registry[model].get_fields(_request(mona)):
            assert field not in ("access_token", "refresh_token", "vector", "password", "code_hash")
    page = client_of(mona).get(reverse("admin:projects_user_change", args=[alice.pk]))
    assert page.status_code == 200
    assert "pbkdf2" not in page.content.decode()
    assert 'type="password"' not in page.content.decode()


def _request(user: User) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_moderators_do_not_raise_their_own_rights(mona: User, client_of: ClientOf) -> None:
    client = client_of(mona)
    address = reverse("admin:projects_user_change", args=[mona.pk])
    wanted = {"is_superuser": "on", "is_staff": "on", "groups": "1", "_save": "Save"}
    assert client.post(address, wanted).status_code == 403
    assert client.post(reverse("admin:projects_user_add"), wanted).status_code == 403
    group = client.post("/admin/auth/group/1/change/", {"permissions": "1"})
    assert group.status_code in (403, 404)
    mona.refresh_from_db()
    assert not mona.is_superuser
    assert mona.user_permissions.count() == 0
    assert mona.groups.count() == 1


@pytest.mark.parametrize("power", ["mona", "superuser"])
def test_nobody_edits_the_audit_log(power: str, mona: User, client_of: ClientOf) -> None:
    if power == "superuser":
        User.objects.filter(pk=mona.pk).update(is_superuser=True)
    event = AuditEvent.objects.create(actor=mona, action="claim.held")
    client = client_of(mona)
    row = reverse("admin:projects_auditevent_change", args=[event.pk])
    assert client.post(row, {"action": "nothing.happened", "_save": "Save"}).status_code == 403
    gone = reverse("admin:projects_auditevent_delete", args=[event.pk])
    assert client.post(gone, {"post": "yes"}).status_code == 403
    assert client.post(reverse("admin:projects_auditevent_add"), {}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
    client.post(reverse("admin:projects_auditevent_changelist"), form)
    kept = AuditEvent.objects.get(pk=event.pk)
    assert (kept.action, kept.actor) == ("claim.held", mona)


def test_the_deny_list_is_what_moderators_write(mona: User, client_of: ClientOf) -> None:
    page = client_of(mona).get(reverse("admin:projects_denyentry_add"))
    assert page.status_code == 200
    assert client_of(mona).get(reverse("admin:projects_denyentry_changelist")).status_code == 200
    assert not DenyEntry.objects.exists()


def test_the_groups_that_count_are_those_of_the_wiki_that_is_written_to(
    fresh_sandbox: RunningSandbox,
    client_of: ClientOf,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One logs in at another wiki, whose administrators are others."""
    settings.MODERATOR_GROUPS = ["sysop"]
    told = {"username": "Charlie", "groups": ["sysop"]}
    monkeypatch.setattr(login.WikiProvider, "extract_extra_data", lambda *_: told)
    log_in(client_of(None), "Charlie")
    assert not moderates(User.objects.get())


def test_who_comes_and_goes_as_a_moderator_is_in_the_audit_log(
    sandbox: RunningSandbox, client_of: ClientOf, settings: Settings
) -> None:
    for _twice in range(2):
        log_in(client_of(None), "Mona")
    settings.MODERATORS = []
    log_in(client_of(None), "Mona")
    target = f"user:{User.objects.get().pk}"
    events = AuditEvent.objects.filter(target=target, action__startswith="moderator.")
    assert [event.action for event in events.order_by("pk")] == [
        "moderator.added",
        "moderator.removed",
    ]


def test_that_a_moderator_has_pictures_looked_at_again_is_in_the_audit_log(
    mona: User, client_of: ClientOf
) -> None:
    picture = Picture.objects.create(
        sha1="a" * 40, width=10, height=10, mime="image/jpeg", state="x"
    )
    photo = Photo.objects.create(
        wiki="sandbox", page_id=10**9, title="File:Broken.jpg", picture=picture, thumb_path=""
    )
    form = {"action": "look_again", "_selected_action": [photo.pk]}
    client_of(mona).post(reverse("admin:crawler_photo_changelist"), form)
    event = AuditEvent.objects.get(action="photo.looked-at-again")
    assert (event.actor, event.target) == (mona, f"photo:{photo.pk}")
