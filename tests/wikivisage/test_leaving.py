"""Deleting a project or an account: what goes, what stays nameless, what stays public."""

from __future__ import annotations

import pytest
from django.db.models.deletion import CASCADE
from django.urls import reverse

from classify.models import Answer, Label, Origin, Skip, Verdict
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects import ledger
from projects.models import (
    AuditEvent,
    Contribution,
    Membership,
    Notification,
    Project,
    Subject,
    User,
    WikiCredential,
)
from projects.notifications.services import notify
from sdc.erasure import accounts, projects
from sdc.erasure.projects import relations_to
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch
from sdc.writing import outcomes
from tests.conftest import ClientOf, MakeProject
from wikivisage.ops import backlog
from wikivisage.ops import retention as ops_retention

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(alice: User, bob: User, make_project: MakeProject) -> Project:
    """Alice owns it, Bob answered a face; nothing was sent."""
    made = make_project(alice, members=[bob])
    picture = Picture.objects.create(sha1="a" * 40, width=1, height=1, mime="image/jpeg", state="d")
    photo = Photo.objects.create(wiki="sandbox", page_id=7, title="File:A.jpg", picture=picture)
    ProjectPhoto.objects.create(project=made, photo=photo)
    region = Region.objects.create(picture=picture, origin="detector", x=0, y=0, w=1, h=1)
    face = {"subject": made.subject, "photo": photo, "region": region}
    said = {"user": bob, "verdict": Verdict.YES, "origin": Origin.ASK}
    Label.objects.create(**face, **said, answer=Answer.objects.create(**face, **said))
    ledger.contribute(made, bob, Contribution.Kind.ANSWER)
    return made


def sent(project: Project, by: User, state: str = "done") -> EditBatch:
    """A batch with one edit."""
    photo = Photo.objects.get()
    batch = EditBatch.objects.create(project=project, user=by, wiki="sandbox", state=state)
    claim = Claim.objects.create(
        wiki="sandbox", page_id=7, qid="Q7186", photo=photo, project=project, state="written"
    )
    attempt = ClaimAttempt.objects.create(
        batch=batch, claim=claim, guid="M7$1", statement={}, sha1="a" * 40,
        label=Label.objects.first(),
    )  # fmt: skip
    Edit.objects.create(
        attempt=attempt, kind="add", wiki="sandbox", page_id=7, qid="Q7186", guid="M7$1",
        user=by, batch=batch, summary="…",
    )  # fmt: skip
    return batch


def delete(client_of: ClientOf, user: User, project: Project, name: str = "Marie Curie") -> int:
    url = reverse("project-delete", args=[project.public_id])
    return client_of(user).post(url, {"name": name}).status_code


def test_each_relation_has_its_place_in_the_lists() -> None:
    """A new model that points to projects or users is thought of here, too."""
    cascades = {model for model, _ in relations_to(Project, CASCADE)}
    cascades |= {model for model, _ in relations_to(Subject, CASCADE)}
    assert cascades == {*projects.GOES, *projects.STAYS} - {EditBatch}
    related = {model for model, _ in relations_to(User)}
    assert {*accounts.LEDGER, *accounts.GOES} <= related
    named = {model.__name__ for model in related} - {"User_groups", "User_user_permissions"}
    moving = named - {model.__name__ for model in (*accounts.LEDGER, *accounts.GOES)}
    assert moving == {
        "Admission", "Answer", "AuditEvent", "Claim", "Contribution", "DenyEntry", "EmbedJob",
        "Invite", "Label", "Look", "Membership", "Objection", "Project", "ProjectPhoto", "Question",
        "Region", "Subject", "Tally", "Watch", "WritingStop",
    }  # fmt: skip


def test_a_project_without_edits_is_gone_for_good(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    page = client_of(alice).get(reverse("project-delete", args=[project.public_id]))
    assert "1</b> · Answers" in page.content.decode()
    assert delete(client_of, bob, project) == 403
    assert delete(client_of, alice, project, "marie") == 422
    assert delete(client_of, alice, project, " marie CURIE") == 302
    assert client_of(bob).get(project.get_absolute_url()).status_code == 404, "at once"
    ops_retention.sweep(60)
    for model in (Project, Answer, Label, ProjectPhoto, Contribution, Membership):
        assert not model._default_manager.exists(), model
    assert AuditEvent.objects.get(action="project.deleted").target == f"project:{project.pk}"


def test_a_preview_from_a_backup_is_no_edit_in_doubt(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    """It is read before it is sent, but counts as unsent: it keeps no project from going."""
    draft = EditBatch.objects.create(project=project, user=alice, wiki="sandbox")
    photo = Photo.objects.get()
    claim = Claim.objects.create(wiki="sandbox", page_id=7, qid="Q7186", photo=photo)
    said = {"guid": "M7$1", "statement": {}, "sha1": "a" * 40, "label": Label.objects.get()}
    row = ClaimAttempt.objects.create(batch=draft, claim=claim, **said)
    outcomes.doubt_all()
    row.refresh_from_db()
    assert row.in_doubt
    counted = {name: values for name, _, _, values in backlog.gauges()}
    assert counted["attempts_in_doubt"] == {(): 0}
    assert delete(client_of, alice, project) == 302
    ops_retention.sweep(60)
    assert not Project.objects.exists()


def test_of_a_project_with_edits_the_public_ledger_stays(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    batch = sent(project, bob, "running")
    EditBatch.objects.create(project=project, user=bob, wiki="sandbox")  # a draft
    assert delete(client_of, alice, project) == 422, "not while it is under way"
    EditBatch.objects.filter(pk=batch.pk).update(state="done")
    assert delete(client_of, alice, project) == 302
    ops_retention.sweep(60)
    for model in (Answer, Label, ProjectPhoto):
        assert not model._default_manager.exists(), model
    assert Edit.objects.get().batch == EditBatch.objects.get() == batch
    assert Claim.objects.get().state == "written"
    kept = Membership.objects.get()
    assert (kept.user, kept.role) == (bob, "member"), "who sent can take it back"
    assert client_of(bob).get(batch.project_url).status_code == 200
    assert client_of(alice).get(project.get_absolute_url()).status_code == 404


def leave(client_of: ClientOf, user: User, name: str | None = None) -> int:
    client, other = client_of(user), client_of(user)
    other.get(reverse("account"))
    data = {"name": str(user) if name is None else name}
    status = client.post(reverse("account-delete"), data).status_code
    if status == 302:
        for one in (client, other):
            assert one.get(reverse("account")).status_code == 302, "logged out everywhere"
    return status


def test_an_account_that_sent_nothing_is_gone_and_its_answers_are_nameless(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    client_of(bob).get(reverse("account-delete"))
    assert leave(client_of, bob, "Alice") == 422
    assert leave(client_of, bob) == 302
    assert not User.objects.filter(wiki_username="Bob").exists()
    assert not WikiCredential.objects.filter(user__wiki_username="Bob").exists()
    former = Answer.objects.get().user
    assert former
    assert str(former).startswith("former-")
    assert (former.sub, former.is_active, former.wiki_username) == (None, False, "")
    assert Label.objects.get().user == Contribution.objects.get().user == former
    assert Membership.objects.get(user=former).state == "left"


def test_edits_stay_under_the_name_that_the_wiki_shows_and_nothing_else_does(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    sent(project, bob, "running")
    assert leave(client_of, bob) == 422
    EditBatch.objects.update(state="done")
    assert leave(client_of, bob) == 302
    kept = Edit.objects.get().user
    assert (kept.pk, str(kept), kept.sub, kept.is_active) == (bob.pk, "Bob", None, False)
    assert not kept.credentials.exists()
    assert Answer.objects.get().user != kept
    assert not kept.contributions.exists()
    assert not AuditEvent.objects.filter(actor=kept).exists()


def test_nothing_that_stays_tells_whose_the_nameless_answers_were(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    batch = sent(project, bob)
    ledger.audit(bob, "member.joined", project, f"user:{bob.pk}")
    ledger.audit(alice, "member.role", project, f"user:{bob.pk}", role="reviewer")
    ledger.audit(bob, "batch.confirmed", project, f"batch:{batch.code}")
    notify([alice], project, Notification.Kind.PEOPLE, code="doubted", who="Bob")
    assert leave(client_of, bob) == 302
    former = Answer.objects.get().user
    assert former
    said = AuditEvent.objects.values_list("action", "actor", "target")
    assert set(said) == {
        ("member.joined", former.pk, f"user:{former.pk}"),
        ("member.role", alice.pk, f"user:{former.pk}"),
        ("batch.confirmed", bob.pk, f"batch:{batch.code}"),
        ("account.deleted", None, f"user:{former.pk}"),
    }
    assert "Bob" not in str(Notification.objects.get().data)


def test_an_owner_hands_over_or_deletes_first(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    assert leave(client_of, alice) == 422
    assert project.get_absolute_url() in client_of(alice).get(
        reverse("account-delete")
    ).content.decode()  # fmt: skip
    project.memberships.filter(user=bob).delete()
    assert leave(client_of, alice) == 302
    ops_retention.sweep(60)
    assert not Project.objects.exists(), "nobody else was in it"
    assert not User.objects.filter(wiki_username="Alice").exists()


def test_everybody_may_take_along_what_is_kept_about_them(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    sent(project, bob)
    Skip.objects.create(subject=project.subject, user=bob, region=Region.objects.get())
    ledger.audit(alice, "member.role", project, f"user:{bob.pk}", role="reviewer")
    told = client_of(bob).get(reverse("account-data")).json()
    assert told["account"]["wiki_username"] == "Bob"
    assert told["answers"][0]["photo__title"] == "File:A.jpg"
    assert told["edits"][0]["qid"] == "Q7186"
    assert len(told["skipped"]) == 1
    assert [deed["action"] for deed in told["deeds_about_you"]] == ["member.role"]
    assert "Alice" not in str(told)
    assert "token" not in str(told)
