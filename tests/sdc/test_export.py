"""What can be taken along of a project: labels, claims, QuickStatements."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from classify.models import Label, Origin, Verdict
from core.text import plain
from crawler.models import Photo, ProjectPhoto, Region
from projects.models import DenyEntry, Membership, Person, Project, User
from projects.privacy import denylist_changes
from sdc import export
from sdc.batches import services as batches
from sdc.models import Claim, EditBatch, Watch
from tests.conftest import ClientOf
from tests.sdc.conftest import (
    CURIE,
    Make,
    WikiItself,
    confirmed,
    label_yes,
    send_to_the_end,
    the_attempt,
)

FILES = (
    "export-labels",
    "export-labels-json",
    "export-claims",
    "export-claims-json",
    "export-quickstatements",
)
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\tTab",
    "\rReturn",
    'Quote " and, comma; semicolon',
    "Two\nlines",
    "\u202eRight to left",
    "Łódź 居里夫人 😀",
)


@pytest.fixture
def sent(project: Project, alice: User, said_yes: Make) -> EditBatch:
    said_yes(project)
    return send_to_the_end(confirmed(project, alice))


def body(response: Any) -> str:
    assert response.status_code == 200
    assert isinstance(response, StreamingHttpResponse)
    pieces = response.streaming_content
    assert isinstance(pieces, Iterator)
    return b"".join(pieces).decode()


def fetch(client_of: ClientOf, user: User, project: Project, name: str, query: str = "") -> str:
    return body(client_of(user).get(reverse(name, args=[project.public_id]) + query))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_labels_tell_what_was_said_of_each_face(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    [label] = said_yes(project)
    [row] = rows(fetch(client_of, alice, project, "export-labels"))
    assert list(row) == list(export.LABELS)
    row["region"] = row["region"].removeprefix("'")  # ids may begin with a dash
    assert datetime.fromisoformat(row.pop("at")) == label.decided_at.replace(microsecond=0)
    assert row == {
        "file": label.photo.title,
        "page_id": str(label.photo.page_id),
        "mid": label.photo.mid,
        "qid": CURIE,
        "label": "Marie Curie",
        "verdict": "yes",
        "origin": "ask",
        "by": "Alice",
        "disputed": "false",
        "place": "pct:25.0,10.0,20.0,30.0",
        "x": "0.25",
        "y": "0.1",
        "w": "0.2",
        "h": "0.3",
        "region": label.region.public_id,
        "sha1": label.region.picture.sha1,
        "on_wiki": "false",
    }


def test_a_label_says_whether_the_file_says_so(
    project: Project, sent: EditBatch, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    [known, _unknown] = said_yes(project, 2)
    ProjectPhoto.objects.filter(photo=known.photo).update(already_depicts=True)
    found = json.loads(fetch(client_of, alice, project, "export-labels-json"))
    assert [row["on_wiki"] for row in found] == [True, True, False]


def test_json_and_csv_say_the_same(sent: EditBatch, alice: User, client_of: ClientOf) -> None:
    for name in ("export-labels", "export-claims"):
        [row] = rows(fetch(client_of, alice, sent.project, name))
        [same] = json.loads(fetch(client_of, alice, sent.project, f"{name}-json"))
        bare = {key: value.removeprefix("'") for key, value in row.items()}
        assert bare == {key: _as_text(value) for key, value in same.items()}


def _as_text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_a_photo_without_a_usable_face_has_no_box(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    [label] = said_yes(project)
    Region.objects.filter(pk=label.region_id).update(origin=Region.Origin.PHOTO)
    [row] = json.loads(fetch(client_of, alice, project, "export-labels-json"))
    assert (row["place"], row["x"], row["h"]) == ("", None, None)


def test_claims_tell_what_was_sent_and_what_became_of_it(
    sent: EditBatch, alice: User, client_of: ClientOf, wiki: WikiItself
) -> None:
    attempt = the_attempt(sent)
    Watch.objects.update(finding="removed", by="Charlie", checked_at=timezone.now())
    Claim.objects.update(state=Claim.State.REMOVED)
    [row] = rows(fetch(client_of, alice, sent.project, "export-claims"))
    assert list(row) == list(export.CLAIMS)
    assert row["mid"] == f"M{attempt.claim.page_id}"
    assert (row["file"], row["qid"]) == (attempt.title, CURIE)
    assert (row["state"], row["outcome"], row["kind"]) == ("removed", "written", "add")
    assert (row["batch"], row["by"]) == (sent.code, "Alice")
    assert (row["guid"], row["revision"]) == (attempt.guid, str(attempt.revision))
    assert row["diff"].endswith(str(attempt.revision))
    assert (row["watch"], row["watch_by"]) == ("removed", "Charlie")
    assert row["place"] == "pct:25.0,10.0,20.0,30.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["at"])


def test_what_was_not_written_says_why_in_a_code_and_in_words(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project)
    batches.stop(confirmed(project, alice), alice)
    [row] = rows(fetch(client_of, alice, project, "export-claims"))
    assert (row["outcome"], row["reason"]) == ("skipped", "stopped")
    assert row["reason_text"] == "What was not sent by then can be sent in another batch."


def test_claims_of_one_batch(
    project: Project,
    alice: User,
    sent: EditBatch,
    said_yes: Make,
    client_of: ClientOf,
    make_project: Any,
) -> None:
    said_yes(project, 2)
    second = send_to_the_end(confirmed(project, alice))
    all_ = rows(fetch(client_of, alice, project, "export-claims"))
    assert [row["batch"] for row in all_] == [sent.code, second.code, second.code]
    of_one = rows(fetch(client_of, alice, project, "export-claims", f"?batch={second.code}"))
    assert [row["batch"] for row in of_one] == [second.code] * 2
    other = make_project(alice, "Q937")
    strange = reverse("export-claims", args=[other.public_id]) + f"?batch={second.code}"
    assert client_of(alice).get(strange).status_code == 404
    assert client_of(alice).get(strange.replace(second.code, "nonsense")).status_code == 404


def test_a_draft_is_nobodys_export(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project)
    draft = batches.prepare_batch(project, alice)
    address = reverse("export-claims", args=[project.public_id])
    assert rows(body(client_of(alice).get(address))) == []
    assert client_of(alice).get(f"{address}?batch={draft.code}").status_code == 404


@pytest.mark.parametrize("name", FILES)
def test_nothing_to_export_is_still_a_valid_file(
    name: str, project: Project, alice: User, client_of: ClientOf
) -> None:
    text = fetch(client_of, alice, project, name)
    if name.endswith("json"):
        assert json.loads(text) == []
    elif name == "export-quickstatements":
        assert text == ""
    else:
        assert rows(text) == []
        assert text.splitlines()[0].startswith(("file,page_id", "mid,file"))


def quick(client_of: ClientOf, user: User, project: Project) -> list[str]:
    return fetch(client_of, user, project, "export-quickstatements").splitlines()


def test_quickstatements_hold_what_people_said_yes_to(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    labels = said_yes(project, 3)
    Label.objects.filter(pk=labels[1].pk).update(verdict=Verdict.NO)
    Label.objects.filter(pk=labels[2].pk).update(origin=Origin.BOOTSTRAP)
    line = f'{labels[0].photo.mid}|P180|{CURIE}|P2677|"pct:25.0,10.0,20.0,30.0"'
    assert quick(client_of, alice, project) == [line]
    Project.objects.filter(pk=project.pk).update(write_region=False)
    assert quick(client_of, alice, project) == [f"{labels[0].photo.mid}|P180|{CURIE}"]


def test_quickstatements_have_one_line_a_file_with_its_largest_face(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    smaller = label_yes(project, wiki, label.photo.page_id, alice)
    Region.objects.filter(pk=smaller.region_id).update(w=0.05, h=0.05)
    assert len(quick(client_of, alice, project)) == 1
    assert "pct:25.0,10.0,20.0,30.0" in quick(client_of, alice, project)[0]


@pytest.mark.parametrize("state", [state for state in Claim.State if state != Claim.State.FREE])
def test_quickstatements_leave_out_what_was_written_or_spoken_against(
    state: str, project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    [label] = said_yes(project)
    claim = Claim.objects.create(
        wiki=label.photo.wiki, page_id=label.photo.page_id, qid=CURIE, photo=label.photo
    )
    assert len(quick(client_of, alice, project)) == 1
    Claim.objects.filter(pk=claim.pk).update(state=state)
    assert quick(client_of, alice, project) == []
    Claim.objects.filter(pk=claim.pk).update(state=Claim.State.FREE, held=True)
    assert quick(client_of, alice, project) == []


def test_quickstatements_leave_out_what_a_person_left_out(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project, 2)
    out, kept = batches.prepare_batch(project, alice).attempts.select_related("claim")
    batches.exclude(out, alice)
    lines = quick(client_of, alice, project)
    assert [line.split("|")[0] for line in lines] == [f"M{kept.claim.page_id}"]


def test_quickstatements_leave_out_what_depicts_her_already_or_is_denied_or_gone(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    depicting, denied, gone, fine = said_yes(project, 4)
    ProjectPhoto.objects.filter(photo=depicting.photo).update(already_depicts=True)
    Photo.objects.filter(pk=gone.photo_id).update(state=Photo.State.WITHDRAWN)
    DenyEntry.objects.create(
        wiki=denied.photo.wiki, kind=DenyEntry.Kind.FILE, value=denied.photo.title
    )
    assert [line.split("|")[0] for line in quick(client_of, alice, project)] == [fine.photo.mid]


@pytest.mark.parametrize("name", ["export", *FILES])
def test_nothing_of_a_person_on_the_deny_list_is_taken_along(
    name: str, project: Project, alice: User, mona: User, sent: EditBatch, client_of: ClientOf
) -> None:
    address = reverse(name, args=[project.public_id])
    assert client_of(alice).get(address).status_code == 200
    DenyEntry.objects.create(wiki=sent.wiki, kind=DenyEntry.Kind.PERSON, value=CURIE)
    for user in (alice, mona):
        answer = client_of(user).get(address)
        assert answer.status_code == 403
        assert "This tool leaves Marie Curie alone" in answer.content.decode()


@pytest.mark.parametrize("name", ["export-labels", "export-labels-json"])
def test_labels_leave_out_a_file_that_is_left_alone(
    name: str, project: Project, alice: User, mona: User, said_yes: Make, client_of: ClientOf
) -> None:
    out, kept = said_yes(project, 2)
    entry = DenyEntry(kind=DenyEntry.Kind.FILE, value=out.photo.name, page_id=out.photo.page_id)
    denylist_changes.deny(entry, mona)
    text = fetch(client_of, alice, project, name)
    assert kept.photo.mid in text
    assert out.photo.mid not in text


def test_quickstatements_leave_out_a_small_face_in_a_crowd(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf, settings: Any
) -> None:
    [label] = said_yes(project)
    Region.objects.filter(pk=label.region_id).update(h=0.01)
    assert len(quick(client_of, alice, project)) == 1
    for _face in range(settings.CROWD_FACES):
        Region.objects.create(
            picture=label.region.picture, origin=Region.Origin.DETECTOR, x=0, y=0, w=0.01, h=0.01
        )
    assert quick(client_of, alice, project) == []


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_names_come_through_whole_and_harmless(
    title: str, project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    [label] = said_yes(project)
    Photo.objects.filter(pk=label.photo_id).update(title=title)
    Person.objects.update(labels={"en": title})
    User.objects.filter(pk=alice.pk).update(wiki_username=title)
    response = client_of(alice).get(reverse("export-labels", args=[project.public_id]))
    for header in response.headers.values():
        assert "\n" not in header
        assert "\r" not in header
    text = body(response)
    [row] = rows(text)
    wanted = {"file": title, "label": plain(title), "by": title}
    for name, text in wanted.items():
        assert row[name].removeprefix("'") == text
        assert not row[name].startswith(export.FORMULA)
    assert row["file"].startswith("'") == title.startswith(export.FORMULA)
    [same] = json.loads(fetch(client_of, alice, project, "export-labels-json"))
    assert (same["file"], same["label"], same["by"]) == tuple(wanted.values())


def test_files_are_named_for_old_browsers_and_new_ones(
    project: Project, alice: User, sent: EditBatch, client_of: ClientOf
) -> None:
    Person.objects.update(labels={"en": 'Łucja "Lu" \r\nż; ../x'})
    response = client_of(alice).get(reverse("export-labels", args=[project.public_id]))
    plain, named = response["Content-Disposition"].split("; filename*=UTF-8''")
    assert plain == 'attachment; filename="Q7186-labels.csv"'
    assert re.fullmatch(r"[A-Za-z0-9%._~-]+", named)
    assert named.startswith("%C5%81ucja")
    assert "%2F" not in named
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    query = f"?batch={sent.code}"
    of_batch = client_of(alice).get(reverse("export-claims", args=[project.public_id]) + query)
    assert f'filename="Q7186-batch-{sent.code}.csv"' in of_batch["Content-Disposition"]


def test_no_secret_is_in_any_file(
    sent: EditBatch, alice: User, client_of: ClientOf, bob: User
) -> None:
    User.objects.update(email="somebody@example.org")
    for name in FILES:
        text = fetch(client_of, alice, sent.project, name)
        assert "@" not in text
        assert alice.username not in text
        assert str(alice.sub) not in text


@pytest.mark.parametrize("name", ["export", *FILES])
@pytest.mark.parametrize("visibility", [Project.Visibility.PUBLIC, Project.Visibility.PRIVATE])
def test_only_members_and_moderators_may(
    name: str,
    visibility: str,
    project: Project,
    alice: User,
    bob: User,
    charlie: User,
    mona: User,
    client_of: ClientOf,
) -> None:
    Project.objects.filter(pk=project.pk).update(visibility=visibility)
    address = reverse(name, args=[project.public_id])
    for user in (alice, bob, mona):
        assert client_of(user).get(address).status_code == 200
        assert client_of(user).post(address).status_code == 405
    is_public = visibility == Project.Visibility.PUBLIC
    assert client_of(charlie).get(address).status_code == (403 if is_public else 404)
    nobody = client_of(None).get(address)
    assert nobody.status_code == 302
    assert nobody["Location"].startswith(reverse("login"))
    project.memberships.filter(user=bob).update(state=Membership.State.BANNED)
    assert client_of(bob).get(address).status_code in (403, 404)


def test_many_labels_take_a_few_queries_and_come_in_pieces(
    project: Project, alice: User, said_yes: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = said_yes(project, 7)
    monkeypatch.setattr(export, "CHUNK", 3)
    with CaptureQueriesContext(connection) as queries:
        found = [row["page_id"] for row in export.label_rows(project)]
    assert found == [label.photo.page_id for label in labels]
    assert len(queries) == 3
    with CaptureQueriesContext(connection) as queries:
        lines = list(export.quick_statements(project))
    assert len(lines) == 7
    assert len(queries) <= 2 + 3 * 6
    send_to_the_end(confirmed(project, alice))
    with CaptureQueriesContext(connection) as queries:
        assert len(list(export.claim_rows(project))) == 7
    assert len(queries) == 1 + 3, "the batches, and three chunks of the one"


def test_rows_are_made_as_they_are_asked_for(
    project: Project, alice: User, said_yes: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    said_yes(project, 6)
    monkeypatch.setattr(export, "CHUNK", 2)
    with CaptureQueriesContext(connection) as queries:
        lines = export.as_csv(export.LABELS, export.label_rows(project))
        assert len(queries) == 0
        next(lines), next(lines)
        assert len(queries) == 1


def test_long_files_come_in_pieces_of_some_size() -> None:
    lines = (f"{number:05}\n" for number in range(20000))
    pieces = list(export.in_pieces(lines))
    assert b"".join(pieces).decode().splitlines() == [f"{number:05}" for number in range(20000)]
    assert 3 <= len(pieces) <= 5


def test_the_page_explains_each_column_and_is_led_to_from_the_project(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    address = reverse("export", args=[project.public_id])
    text = client_of(alice).get(address).content.decode()
    for name in (*export.LABELS, *export.CLAIMS):
        assert f"<code>{name}</code>" in text
    for name in FILES:
        assert f'href="{reverse(name, args=[project.public_id])}"' in text
    assert f'href="{address}"' in client_of(alice).get(project.get_absolute_url()).content.decode()
