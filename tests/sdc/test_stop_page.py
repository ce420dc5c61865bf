"""A page of the wiki stops all writing, so that one needs no account here to stop the tool."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from core.models import WikiPace
from projects.models import AuditEvent, Project, User
from sandbox import RunningSandbox
from sdc import context, tasks
from sdc.models import ClaimAttempt, EditBatch, WritingStop
from sdc.sending_rights import stop_page as sending_rights_stop_page
from sdc.sending_rights import stops
from tests.conftest import ClientOf, MakeProject
from tests.sdc.conftest import Make, WikiItself, confirmed, send, send_to_the_end, time_passes

pytestmark = pytest.mark.django_db
PAGE = "Commons:WikiVisage/Stop"
COMMENT = "<!-- Anything outside of comments stops the tool. -->"


@pytest.fixture(autouse=True)
def stop_page(settings: Settings, fresh_sandbox: RunningSandbox) -> None:
    settings.STOP_PAGE = PAGE


@pytest.fixture
def project(alice: User, make_project: MakeProject) -> Project:
    return make_project(alice)


def says(sandbox: RunningSandbox, text: str, user: str = "Charlie") -> None:
    """Somebody edits the page; a worker that looks half a minute later sees it."""
    page = sandbox.world.page("commons", PAGE)
    if page is None:
        sandbox.world.add_page("commons", PAGE, text, user=user)
    else:
        sandbox.world.save_text(page, text, user=user)
    half_a_minute_passes()


def half_a_minute_passes() -> None:
    WikiPace.objects.filter(lane=sending_rights_stop_page.LANE).update(next_at=timezone.now())


@pytest.mark.parametrize("text", [None, "", " \n ", COMMENT, f"{COMMENT}\n\n<!-- not closed"])
def test_a_page_that_says_nothing_lets_the_tool_write(
    text: str | None, project: Project, alice: User, said_yes: Make, sandbox: RunningSandbox
) -> None:
    if text is None:
        page = sandbox.world.page("commons", PAGE)
        assert page
        sandbox.world.delete(page, user="Admin")
    else:
        says(sandbox, text)
    said_yes(project, 1)
    batch = send_to_the_end(confirmed(project, alice))
    assert batch.attempts.get().outcome == ClaimAttempt.Outcome.WRITTEN


def test_whatever_else_it_says_stops_all_writing(
    project: Project, alice: User, said_yes: Make, sandbox: RunningSandbox, wiki: WikiItself
) -> None:
    [label] = said_yes(project, 1)
    batch = confirmed(project, alice)
    says(sandbox, f"{COMMENT}\nIt marks statues. Please look at my talk page.")
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (EditBatch.State.PAUSED, "all-stopped")
    assert wiki.edits(label.photo.page_id) == []
    stop = WritingStop.objects.get()
    assert stop.source == WritingStop.Source.PAGE
    assert stop.reason == "Charlie: It marks statues. Please look at my talk page."
    event = AuditEvent.objects.get(action="writing.stopped")
    assert (event.actor, event.data["source"]) == (None, "page")


def test_it_goes_on_once_the_page_is_blank(
    project: Project, alice: User, said_yes: Make, sandbox: RunningSandbox, wiki: WikiItself
) -> None:
    [label] = said_yes(project, 1)
    batch = confirmed(project, alice)
    says(sandbox, "Stop")
    send()
    says(sandbox, COMMENT)
    send_to_the_end(batch)
    assert len(wiki.edits(label.photo.page_id)) == 1
    assert stops.of_everything() is None


def test_the_heartbeat_lifts_it_though_nobody_writes(sandbox: RunningSandbox, db: None) -> None:
    says(sandbox, "Stop")
    tasks.look_at_stop_page()
    assert stops.of_everything()
    says(sandbox, "")
    tasks.look_at_stop_page()
    assert stops.of_everything() is None


def test_a_stop_by_the_page_ends_with_its_setting(
    sandbox: RunningSandbox, db: None, settings: Settings
) -> None:
    says(sandbox, "Stop")
    tasks.look_at_stop_page()
    settings.STOP_PAGE = ""
    tasks.look_at_stop_page()
    assert stops.of_everything() is None
    assert sending_rights_stop_page.may_write()


def test_other_words_take_the_place_of_the_first(sandbox: RunningSandbox, db: None) -> None:
    for words in ("Stop", "Stop until Monday"):
        says(sandbox, words)
        sending_rights_stop_page.look()
    assert WritingStop.objects.get().reason == "Charlie: Stop until Monday"


@pytest.mark.waits
@pytest.mark.parametrize("fault", ["http", "cut-before"])
def test_nothing_is_written_while_the_page_cannot_be_read(
    fault: str, project: Project, alice: User, said_yes: Make, sandbox: RunningSandbox,
    wiki: WikiItself,
) -> None:  # fmt: skip
    [label] = said_yes(project, 1)
    batch = confirmed(project, alice)
    sandbox.faults.add(fault, {"action": "query", "title": PAGE})
    send()
    time_passes()
    send()
    assert wiki.edits(label.photo.page_id) == []
    assert stops.active().count() == 0  # nobody said stop
    sandbox.faults.clear()
    send_to_the_end(batch)
    assert len(wiki.edits(label.photo.page_id)) == 1


def test_what_was_read_long_ago_is_not_believed(sandbox: RunningSandbox, db: None) -> None:
    assert sending_rights_stop_page.may_write()
    long_ago = timezone.now() - timedelta(minutes=5)
    WikiPace.objects.filter(lane=sending_rights_stop_page.LANE).update(next_at=long_ago)
    clock = WikiPace.objects.get(lane=sending_rights_stop_page.LANE)
    mine = WikiPace.objects.filter(pk=clock.pk, next_at=clock.next_at)
    # another worker has just begun to read
    mine.update(
        next_at=timezone.now() + sending_rights_stop_page.EVERY,
        reason=sending_rights_stop_page.UNREAD,
    )
    assert not sending_rights_stop_page.may_write()


def test_all_workers_together_look_every_half_minute(sandbox: RunningSandbox, db: None) -> None:
    sandbox.world.reset_request_counts()
    for _worker in range(5):
        assert sending_rights_stop_page.may_write()
    assert sum(sandbox.world.request_counts.values()) == 1
    half_a_minute_passes()
    assert sending_rights_stop_page.may_write()
    assert sum(sandbox.world.request_counts.values()) == 2


def test_everybody_sees_who_stopped_it_and_where(
    sandbox: RunningSandbox, alice: User, client_of: ClientOf
) -> None:
    assert "Nothing is written" not in client_of(None).get(reverse("home")).content.decode()
    says(sandbox, "<b>Statues</b> everywhere")
    sending_rights_stop_page.look()
    context.forget()
    for user in (None, alice):
        page = client_of(user).get(reverse("home")).content.decode()
        assert "Nothing is written to the wiki for now." in page
        assert f'<a href="{settings.WIKI.page_url(PAGE)}">{PAGE}</a>' in page
        assert "<q>Charlie: &lt;b&gt;Statues&lt;/b&gt; everywhere</q>" in page


def test_an_edit_in_the_wiki_s_own_way_is_enough(fresh_sandbox: RunningSandbox, db: None) -> None:
    charlie = fresh_sandbox.world.users.by_name("Charlie")
    assert charlie
    signed = {"Authorization": f"Bearer {fresh_sandbox.world.users.issue_token(charlie)}"}
    api, form = settings.WIKI.commons_api, {"format": "json", "formatversion": "2"}
    asked = {"action": "query", "meta": "tokens", "type": "csrf"}
    body = requests.get(api, params=form | asked, headers=signed, timeout=10).json()
    token = body["query"]["tokens"]["csrftoken"]
    edit = {"action": "edit", "title": PAGE, "text": "Stop, please", "token": token}
    body = requests.post(api, data=form | edit, headers=signed, timeout=10).json()
    assert "edit" in body, body
    assert body["edit"]["result"] == "Success"
    half_a_minute_passes()
    sending_rights_stop_page.look()
    assert WritingStop.objects.get().reason == "Charlie: Stop, please"
    page = requests.get(settings.WIKI.page_url(PAGE), timeout=10)  # where banner and desk lead
    assert page.status_code == 200
    assert "Stop, please" in page.text
