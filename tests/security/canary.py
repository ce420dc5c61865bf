# ruff: noqa: E402, T201
"""A process that meets every trouble it can, with canaries in all secrets; prints all it shows.

Run by `test_canary` with `python -m tests.security.canary FOLDER`. The wiki it talks to answers
with an error that holds everything it was sent. What only turns up here (session, token of a form)
is written to FOLDER/canaries.json.
"""

from __future__ import annotations

import json
import logging
import pathlib
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import django
import pytest  # noqa: F401  static files need not be collected then

django.setup()

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.messages import get_messages
from django.core import mail
from django.db import connection
from django.db.models import BinaryField
from django.test import Client, override_settings
from django.test.utils import setup_test_environment
from django.utils import timezone
from django.utils.log import AdminEmailHandler

from celery_app import app
from classify.models import Learner
from crawler.models import CrawlStep, Embedding
from projects.accounts import tokens
from projects.models import Notification, Project, User, WikiCredential
from projects.notifications import services as notifications
from tests import factories
from tests.classify.faces import Cast, add_photo
from wiki import http

ACCESS, REFRESH, CODE = "canary-access-token", "canary-refresh-token", "canary-oauth-code"
LOCAL, CSRF = "canary-of-a-variable", "canary-csrf-token"
found: dict[str, str] = {}


def main(folder: pathlib.Path) -> None:
    setup_test_environment()
    alice, mona = factories.make_user("Alice"), factories.make_user("Mona")
    factories.make_moderator(mona)
    for user in (alice, mona):
        tokens.store(user, ACCESS, REFRESH, 4 * 3600)
    project = factories.make_project(alice)
    _photo, [face] = add_photo(project, [Cast().face("marie")])
    from classify.learner.cache import forget
    from core.encryption import unseal
    from crawler.detection.embeddings import context_of

    forget()
    row = Embedding.objects.get(region=face)
    vector = unseal(row.vector, context_of(face, row.engine))
    found["vector"], found["vector in hex"] = vector[:24].decode("latin-1"), vector[:24].hex()

    browsers = {user: _browser(user) for user in (alice, mona)}
    steps: list[Callable[[], object]] = [
        _log_in_fails,
        lambda: _use_tokens(alice),
        lambda: _pages(browsers[alice], project),
        _tasks,
        _task_raises,
        lambda: _reprs(alice),
        lambda: _admin(browsers[mona]),
        _rows,
        lambda: _page_raises(browsers[alice], project),
    ]
    for step in steps:
        try:
            step()
        except Exception:
            logging.getLogger("canary").exception("a step failed")
    (folder / "canaries.json").write_text(json.dumps(found))
    print("all steps were taken")


def _browser(user: User | None) -> Client:
    client = Client(raise_request_exception=False, headers={"host": f"127.0.0.1:{settings.PORT}"})
    if user:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        name = settings.SESSION_COOKIE_NAME
        found[f"session of {user}"] = client.cookies[name].value
    return client


def _show(response: Any) -> Any:
    print(response.status_code, dict(response.headers))
    body = b"".join(response.streaming_content) if response.streaming else response.content
    print(body.decode("utf-8", "replace"))
    request = getattr(response, "wsgi_request", None)
    if request is not None and hasattr(request, "_messages"):
        print([str(each) for each in get_messages(request)])
    return response


def _log_in_fails() -> None:
    browser = _browser(None)
    for query in (f"code={CODE}", f"code={CODE}&state=wrong", "error=access_denied", ""):
        _show(browser.get(f"/accounts/mediawiki/login/callback/?{query}"))
    for mode in ("500", "error", "nonsense"):
        (settings.DATA_DIR / "mode").write_text(mode)
        begun = browser.post("/accounts/mediawiki/login/")
        state = begun.headers["Location"].partition("state=")[2].partition("&")[0]
        _show(browser.get(f"/accounts/mediawiki/login/callback/?code={CODE}&state={state}"))
    (settings.DATA_DIR / "mode").write_text("error")


def _use_tokens(user: User) -> None:
    """In the name of a user, by both ways to the wiki; then with tokens that are over."""
    from wiki.pywikibot_client import submit, wiki_site

    def plainly() -> Any:
        return http.api(settings.WIKI.commons_api, token=ACCESS, action="query")

    def by_pywikibot() -> Any:
        with wiki_site("Alice", ACCESS) as site:
            return submit(site, post=True, action="wbsetclaim", token=CSRF)

    def refreshed() -> Any:
        WikiCredential.objects.update(expires_at=timezone.now() - timedelta(hours=1))
        return tokens.access_token(user)

    for mode in ("500", "error", "nonsense", "cut"):
        (settings.DATA_DIR / "mode").write_text(mode)
        for deed in (plainly, by_pywikibot, refreshed):
            try:
                deed()
            except Exception as error:
                logging.getLogger("canary").exception("%s: %s", deed.__name__, type(error).__name__)
                if isinstance(error, http.WikiError):
                    print("what a caller has to store:", error.code)


def _pages(browser: Client, project: Project) -> None:
    base = f"/p/{project.public_id}"
    browser.post(f"{base}/preview", {})
    for address in (
        "/", "/account", "/account/sessions", "/notifications", "/projects/new?who=Q7186",
        "/projects/new/people?q=Curie", f"{base}/", f"{base}/members", f"{base}/sources/",
        f"{base}/preview", f"{base}/batches", f"{base}/set-aside/", f"{base}/ask",
        f"{base}/export/labels.json", "/health/ready", "/nowhere",
    ):  # fmt: skip
        _show(browser.get(address))
    _show(browser.post(f"{base}/sources/add", {"value": "Category:Marie Curie"}))


def _tasks() -> None:
    for mode in ("error", "500"):
        (settings.DATA_DIR / "mode").write_text(mode)
        CrawlStep.objects.update(due_at=timezone.now())
        Learner.objects.update(due_at=timezone.now())
        for name in settings.PIPELINE_TASKS:
            app.tasks[name].apply()


def _task_raises() -> None:
    @app.task(name="canary.raises")
    def raises(secret: str) -> None:
        raise RuntimeError(f"could not use https://user:{secret}@host/?access_token={secret}")

    print(raises.apply(args=(LOCAL,)).state)


def _reprs(user: User) -> None:
    for row in (user, *WikiCredential.objects.all(), *Embedding.objects.all()):
        print(repr(row), str(row), row.__reduce__()[0])


def _admin(browser: Client) -> None:
    _show(browser.get("/admin/"))
    for model in admin.site._registry:
        meta = model._meta
        base = f"/admin/{meta.app_label}/{meta.model_name}/"
        _show(browser.get(base))
        for pk in model._default_manager.values_list("pk", flat=True)[:3]:
            _show(browser.get(f"{base}{pk}/change/"))


def _rows() -> None:
    """All that stands in the database, but for what the browser itself has to be known by."""
    [person] = User.objects.filter(wiki_username="Alice")
    project = Project.objects.get()
    notifications.notify([person], project, Notification.Kind.PEOPLE, code="asked", who="x")
    for model in apps.get_models():
        if model._meta.label in ("sessions.Session", "usersessions.UserSession"):
            continue
        for row in model._default_manager.all():
            print(model._meta.label, list(_values(row)))


def _values(row: Any) -> Iterator[str]:
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(field, BinaryField):
            yield bytes(value or b"").decode("latin-1")
        else:
            yield str(value)


def _page_raises(browser: Client, project: Project) -> None:
    """The database goes away under a page, and the error is mailed."""
    mails = AdminEmailHandler(include_html=True)
    logging.getLogger("django.request").addHandler(mails)
    with override_settings(ADMINS=[("Ada", "ada@example.org")]):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE projects_membership RENAME TO gone")
        response = _show(browser.get(f"/p/{project.public_id}/?access_token={LOCAL}"))
        _show(browser.post(f"/p/{project.public_id}/answer", {"secret": LOCAL}))
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO projects_membership")
    assert response.status_code == 500
    assert mail.outbox
    for each in mail.outbox:
        print(each.subject, each.body, getattr(each, "alternatives", ""))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
