"""Moderation in Django's admin: every list and page opens, and its deeds do what they say."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from classify.models import Answer, Label, Origin, Score, Verdict
from core.work import WorkState
from crawler.models import Embedding, Photo, Picture, ProjectPhoto, Region
from crawler.registry import selection
from projects import ledger
from projects.creation.forms import OwnNameField
from projects.members import services as members
from projects.models import Admission, AuditEvent, DenyEntry, Objection, Project, User
from projects.privacy import objections
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch, WritingStop
from sdc.sending_rights import stops
from tests.conftest import ClientOf, MakeProject

pytestmark = pytest.mark.django_db
MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in
     ("projects", "crawler", "classify", "sdc")),
    key=lambda model: model._meta.label,
)  # fmt: skip


@pytest.fixture
def project(alice: User, bob: User, make_project: MakeProject) -> Project:
    """A project with a row of everything that moderators look at."""
    made = make_project(alice, members=[bob])
    members.invite(made, alice)
    picture = Picture.objects.create(
        sha1="a" * 40, width=100, height=80, mime="image/jpeg", state=WorkState.ASIDE,
        error=Picture.Error.BROKEN, looked_at=timezone.now(),
    )  # fmt: skip
    photo = Photo.objects.create(
        wiki="sandbox", page_id=7, title="File:Curie <b>.jpg", picture=picture
    )
    ProjectPhoto.objects.create(project=made, photo=photo)
    region = Region.objects.create(
        picture=picture, origin=Region.Origin.DETECTOR, x=0.1, y=0.1, w=0.2, h=0.2
    )
    Embedding.objects.create(region=region, engine=selection.default(), vector=b"sealed")
    face = {"subject": made.subject, "photo": photo, "region": region}
    said = {"user": bob, "verdict": Verdict.YES, "origin": Origin.ASK}
    answer = Answer.objects.create(**face, **said)
    Label.objects.create(**face, **said, answer=answer)
    Score.objects.create(**face, unlikely=0.4, is_match=True, revision=1)
    claim = Claim.objects.create(wiki="sandbox", page_id=7, qid="Q7186", photo=photo, project=made)
    batch = EditBatch.objects.create(project=made, user=bob, wiki="sandbox", summary="")
    attempt = ClaimAttempt.objects.create(
        batch=batch, claim=claim, guid="M7$1", statement={}, sha1="a" * 40, revision=12
    )
    Edit.objects.create(
        attempt=attempt, kind="add", wiki="sandbox", page_id=7, qid="Q7186", guid="M7$1",
        revision=12, user=bob, batch=attempt.batch, summary="…",
    )  # fmt: skip
    Watch.objects.create(claim_attempt=attempt, finding=Watch.Finding.REMOVED, by="Charlie")
    stops.place(WritingStop.Source.SHARE, "4 of 10 removed", user=bob)
    DenyEntry.objects.create(wiki="sandbox", kind=DenyEntry.Kind.PERSON, value="Q1")
    Admission.objects.create(person=made.person, cause=Admission.Cause.LITTLE_KNOWN, asked_by=bob)
    objections.lodge("Q1", Objection.Kind.PERSON, "Please")
    ledger.audit(alice, "project.created", made, "person:Q7186")
    return made


def lists(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_moderators_find_and_open_everything(
    model: type[Model], project: Project, mona: User, client_of: ClientOf
) -> None:
    client = client_of(mona)
    page = client.get(lists(model))
    assert page.status_code == 200
    assert "<b>.jpg" not in page.content.decode()  # names of files are text
    assert client.get(lists(model), {"q": "Curie"}).status_code == 200
    row = model._default_manager.first()
    assert row, "the fixture makes one of each"
    opened = client.get(f"{lists(model)}{row.pk}/change/")
    assert opened.status_code == 200
    assert client.post(f"{lists(model)}{row.pk}/change/", {}).status_code in (
        (200, 302) if model is DenyEntry else (403,)
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_nobody_else_does(
    model: type[Model], project: Project, alice: User, client_of: ClientOf
) -> None:
    for user, told in ((alice, 403), (None, 200)):
        page = client_of(user).get(lists(model), follow=True)
        assert page.status_code == told
        assert 'type="password"' not in page.content.decode()


def test_one_logs_in_to_the_admin_through_the_wiki(client_of: ClientOf) -> None:
    there = {"next": lists(Project)}
    page = client_of(None).get(reverse("admin:login"), there, follow=True)
    assert page.redirect_chain[-1][0] == f"{reverse('login')}?next={lists(Project)}"
    elsewhere = {"next": "https://evil.example/"}
    page = client_of(None).get(reverse("admin:login"), elsewhere, follow=True)
    assert page.redirect_chain[-1][0] == f"{reverse('login')}?next={reverse('admin:index')}"


def test_the_page_of_a_project_shows_its_sources_and_members(
    project: Project, mona: User, client_of: ClientOf
) -> None:
    page = client_of(mona).get(f"{lists(Project)}{project.pk}/change/").content.decode()
    assert "Marie Curie" in page
    assert "sources-0" in page
    assert "memberships-1" in page


def test_the_page_of_a_batch_shows_its_attempts(
    project: Project, mona: User, client_of: ClientOf
) -> None:
    batch = EditBatch.objects.get()
    page = client_of(mona).get(f"{lists(EditBatch)}{batch.pk}/change/").content.decode()
    assert "M7 Q7186" in page


def do(client_of: ClientOf, user: User, row: Model, action: str, reason: str = "") -> None:
    form = {"action": action, "_selected_action": [row.pk], "reason": reason}
    assert client_of(user).post(lists(type(row)), form).status_code == 302


def test_a_project_is_paused_and_goes_on(project: Project, mona: User, client_of: ClientOf) -> None:
    do(client_of, mona, project, "pause")
    project.refresh_from_db()
    assert project.state == Project.State.PAUSED
    do(client_of, mona, project, "resume")
    project.refresh_from_db()
    assert project.state == Project.State.ACTIVE
    deeds = AuditEvent.objects.filter(actor=mona).order_by("id").values_list("action", flat=True)
    assert list(deeds) == ["project.paused", "project.active"]


def test_an_archived_project_is_not_reopened_by_moderators(
    project: Project, mona: User, client_of: ClientOf
) -> None:
    Project.objects.update(state=Project.State.ARCHIVED, active_key=None)
    for action in ("pause", "resume"):
        do(client_of, mona, project, action)
        project.refresh_from_db()
        assert project.state == Project.State.ARCHIVED


def test_a_claim_is_held_and_released(project: Project, mona: User, client_of: ClientOf) -> None:
    claim = Claim.objects.get()
    do(client_of, mona, claim, "hold")  # without a reason
    claim.refresh_from_db()
    assert not claim.held
    do(client_of, mona, claim, "hold", "Is this her sister?")
    claim.refresh_from_db()
    assert (claim.held, claim.held_by, claim.held_reason) == (True, mona, "Is this her sister?")
    do(client_of, mona, claim, "release")
    claim.refresh_from_db()
    assert not claim.held


def test_a_picture_is_looked_at_again(project: Project, mona: User, client_of: ClientOf) -> None:
    do(client_of, mona, Photo.objects.get(), "look_again")
    assert Picture.objects.get().state == WorkState.QUEUED


def test_what_is_taken_off_the_deny_list_is_written_down(
    project: Project, mona: User, client_of: ClientOf
) -> None:
    entry = DenyEntry.objects.get()
    client_of(mona).post(
        f"{lists(DenyEntry)}{entry.pk}/delete/", {"post": "yes", "reason": "Why not"}
    )
    assert not DenyEntry.objects.exists()
    event = AuditEvent.objects.get(actor=mona)
    assert (event.action, event.target) == ("deny.removed", "person:Q1")


def test_a_name_turns_nothing_beside_it_and_keeps_no_marks_when_it_is_typed(
    project: Project, alice: User, mona: User, client_of: ClientOf
) -> None:
    turned = "\u202eevil"
    Project.objects.update(name=turned)
    ledger.audit(alice, "project.renamed", project, "project:1", name=turned)
    event = AuditEvent.objects.latest("pk")
    desk = client_of(mona)
    pages = [lists(Project), reverse("admin:projects_project_change", args=[project.pk])]
    pages += [lists(AuditEvent), reverse("admin:projects_auditevent_change", args=[event.pk])]
    for page in pages:
        body = desk.get(page).content.decode()
        assert "evil" in body, page
        assert "\u202e" not in body, page
        assert "u202e" not in body, page
    assert OwnNameField().clean(f" The {turned}\u2066 one ") == "The evil one"
