"""The wiki refuses this site's OAuth consumer: the operator's to mend, and no user's fault."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from projects.accounts import tokens
from projects.models import Notification, Project, User, WikiCredential
from sdc import selectors
from sdc.batches import services as batches
from sdc.models import EditBatch, Writer
from sdc.writing.reasons import Reason
from tests import factories
from tests.conftest import ClientOf
from tests.sdc.conftest import (
    Make,
    WikiItself,
    claim_of,
    confirmed,
    send,
    send_to_the_end,
    time_passes,
)
from wikivisage.ops import probes

State = EditBatch.State


def tokens_expire() -> None:
    WikiCredential.objects.update(expires_at=timezone.now(), refreshing_until=None)


def consumer_finding() -> probes.Finding:
    [finding] = list(probes.consumer())
    return finding


@pytest.mark.parametrize(
    ("setting", "value"), [("OAUTH_CLIENT_ID", "nobody"), ("OAUTH_CLIENT_SECRET", "wrong")]
)
def test_a_wrong_setting_pauses_batches_until_it_is_right(
    setting: str, value: str, project: Project, alice: User, said_yes: Make, wiki: WikiItself,
    mona: User, client_of: ClientOf, settings: Any, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    said_yes(project, 2)
    batch = confirmed(project, alice)
    right = getattr(settings, setting)
    tokens_expire()
    setattr(settings, setting, value)
    for _round in range(3):
        send(0.5)
        time_passes()
    send(0.5)
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.PAUSED, Reason.MISCONFIGURED)
    assert batch.resume_at
    assert not WikiCredential.objects.get(user=alice).needs_login
    page = client_of(alice).get(batch.project_url).content.decode()
    assert "It is not about your account." in page
    assert "We try again at" in page
    told = Notification.objects.get(user=mona, read_at=None)
    assert told.kind == Notification.Kind.CONSUMER
    assert "registration" in client_of(mona).get(reverse("notifications")).content.decode()
    errors = [row.getMessage() for row in caplog.records if "OAuth consumer" in row.getMessage()]
    assert len(errors) == 1, "once, not at each try"
    assert consumer_finding().status == probes.FAIL
    setattr(settings, setting, right)
    time_passes()
    assert send_to_the_end(batch).state == State.DONE
    assert len(wiki.edits()) == 2
    assert consumer_finding().status == probes.OK


def test_a_wrong_setting_is_told_by_the_preview_too(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf, settings: Any
) -> None:
    said_yes(project)
    draft = batches.prepare_batch(project, alice)
    EditBatch.objects.filter(pk=draft.pk).update(created_at=timezone.now())
    tokens_expire()
    settings.OAUTH_CLIENT_SECRET = "wrong"
    Writer.objects.update(asked_at=None)
    answer = client_of(alice).post(reverse("preview", args=[project.public_id]))
    assert answer.status_code == 503
    assert "It is not about your account." in answer.content.decode()
    with pytest.raises(batches.Refused, match="not about your account"):
        batches.confirm(draft, alice)


def test_a_consumer_that_the_wiki_switched_off_is_the_sites_matter(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, mona: User,
    client_of: ClientOf,
) -> None:  # fmt: skip
    label, _other = said_yes(project, 2)
    batch = confirmed(project, alice)
    code = "mwoauth-invalid-authorization-not-approved"
    wiki.running.faults.add("refuse", {"action": "wbsetclaim"}, codes=[code])
    send_to_the_end(batch)
    assert (batch.state, batch.reason) == (State.STOPPED, Reason.TOOL_OFF)
    assert claim_of(label).state == "free"
    page = client_of(alice).get(batch.project_url).content.decode()
    assert "The wiki does not let this tool in" in page
    assert "It is not about your account." in page
    assert Notification.objects.filter(user=mona, kind=Notification.Kind.CONSUMER).count() == 1
    assert "batches stopped or paused by trouble" in (
        client_of(mona).get(reverse("admin:index")).content.decode().lower()
    )
    finding = consumer_finding()
    assert finding.status == probes.FAIL
    assert "since" in finding.says
    wiki.running.faults.clear()
    assert send_to_the_end(confirmed(project, alice)).state == State.DONE
    assert consumer_finding().status == probes.OK


def test_a_login_that_the_consumer_spoils_is_told_to_moderators(
    mona: User, settings: Any, client_of: ClientOf
) -> None:
    from tests.projects.test_login import log_in

    settings.OAUTH_CLIENT_SECRET = "wrong"
    settings.SOCIALACCOUNT_PROVIDERS["mediawiki"]["APPS"][0]["secret"] = "wrong"
    try:
        answer = log_in(client_of(None), "Bob")
    finally:
        settings.SOCIALACCOUNT_PROVIDERS["mediawiki"]["APPS"][0]["secret"] = "sandbox-secret"
    assert answer.status_code == 502
    assert Notification.objects.filter(user=mona, kind=Notification.Kind.CONSUMER).exists()


def test_after_logging_in_again_the_batch_says_so(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, client_of: ClientOf
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    tokens.reject(alice, tokens.access_token(alice))
    send(0.5)
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.PAUSED, Reason.LOGIN)
    page = client_of(alice).get(batch.project_url).content.decode()
    assert "The wiki no longer takes our sign-in for you." in page
    assert "/login/?next=" in page
    tokens.store(alice, *factories.issue_tokens(wiki.running, "Alice"), expires_in=4 * 3600)
    page = client_of(alice).get(batch.project_url).content.decode()
    assert "You are logged in again." in page
    assert "The wiki no longer takes our sign-in for you." not in page
    assert "/login/?next=/p/" not in page
    assert batches.resume(batch, alice)
    assert send_to_the_end(batch).state == State.DONE


@pytest.mark.parametrize("moment", range(1, 8))
def test_the_counts_of_a_batch_add_up_while_it_is_sent(
    moment: int, project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    """A worker writes all of it between two queries of the page."""
    said_yes(project, 3)
    batch, asked = confirmed(project, alice), 0

    def meanwhile(run: Any, *args: Any) -> Any:
        nonlocal asked
        asked += 1
        found = run(*args)
        if asked == moment:
            send(2)
        return found

    with connection.execute_wrapper(meanwhile):
        progress = selectors.batch_progress(batch)
    assert progress.not_as_planned == 0
    assert progress.total == 3
