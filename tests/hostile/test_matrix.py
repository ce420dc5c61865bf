"""Every URL × every method × every role × objects of other projects, as `rules.py` says.

The URLs are those of the site's own configuration: a new one without a rule fails, and so does a
rule without a URL. What a request changes is taken back before the next one.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache, caches
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from projects.models import Project
from sandbox import RunningSandbox
from tests.hostile.rules import RULES, Access, Rule
from tests.hostile.world import Cast, Made, Texts, Who, make_cast

ROLES = list(Who)
TO_LOGIN = ("/login/", "/admin/login/")
NO_PROJECT = "AAAAAAAAAAA"
# To whom it makes no difference whether a project of theirs is private: they are asked once.
AS_IN_PUBLIC = (Who.REVIEWER, Who.OWNER, Who.SUPERUSER)
# Where a patroller is asked about: elsewhere they are a stranger to the code, too.
PATROLLED = ("batch", "edit-undo", "sent-")
# In the admin a role in a project is none.
ADMINS = {
    "get": (Who.NOBODY, Who.STRANGER, Who.OWNER, Who.MODERATOR, Who.SUPERUSER),
    "post": (Who.STRANGER, Who.MODERATOR),
}
FORM = "application/x-www-form-urlencoded"
# All that forms and addresses here name, and that a page might be asked with.
FIELDS = (  # noqa: SIM905
    "about action add after all answer at batch before by client_uuid code contact counts days deed"
    " depth do else exclude face h include_artworks joining keep kind language message"
    " min_confirmed name next note order other others page per period person photo picture place"
    " q reason region replaces rest rule seen session shown show size sort state sure take-back"
    " target theme threshold told user uses uuid verdict visibility w way which who word"
    " write_region x y year yes _selected_action"
).split()


@dataclass(frozen=True)
class Url:
    """An address of the site; `key` is its name, or its route where it has none."""

    key: str
    name: str
    route: str
    view: Any
    params: tuple[str, ...]

    @property
    def in_project(self) -> bool:
        return "project_id" in self.params


def walk(
    patterns: Any = None, route: str = "", space: str = "", params: tuple[str, ...] = ()
) -> Iterator[Url]:
    for each in get_resolver().url_patterns if patterns is None else patterns:
        there, named = route + str(each.pattern), (*params, *each.pattern.regex.groupindex)
        if isinstance(each, URLResolver):
            inner = f"{space}{each.namespace}:" if each.namespace else space
            yield from walk(each.url_patterns, there, inner, named)
        elif isinstance(each, URLPattern):
            name = f"{space}{each.name}" if each.name else ""
            yield Url(name or there, name, there, each.callback, named)


def lines_of(key: str) -> list[str]:
    """The keys of the rules that are about a URL, the most exact one first."""
    return [key] * (key in RULES) or [
        each for each in reversed(RULES) if "*" in each and fnmatchcase(key, each)
    ]


def rule_of(url: Url) -> Rule:
    return RULES[lines_of(url.key)[0]]


URLS = [url for url in walk() if lines_of(url.key)]


@dataclass
class Site:
    """Two projects of the same people, one of them private, and a browser of each role."""

    cast: Cast
    public: Made
    private: Made
    clients: dict[Who, Client]

    def address(self, url: Url, made: Made, who: Who, **others: Any) -> str:
        names = made.names(who)
        names |= {param: names[key] for param, key in rule_of(url).named} | self._of_admin(url)
        names |= others
        if not url.name:
            row = names.get("object_id", 0)
            return f"/{url.route}".replace("<path:object_id>", str(row)).replace(
                "(?P<url>.*)$", "x"
            )
        return reverse(url.name, kwargs={param: names[param] for param in url.params})

    def _of_admin(self, url: Url) -> dict[str, Any]:
        """Rows to look at in the admin."""
        named = {"app_label": "sdc", "object_id": 0, "content_type_id": 0}
        for model in admin.site._registry:
            of_it = f"{model._meta.app_label}_{model._meta.model_name}"
            if url.key.startswith((f"admin:{of_it}_", f"admin/{of_it.replace('_', '/')}/")):
                row = model._default_manager.first()
                assert row, f"the world has no {of_it}"
                named["object_id"] = row.pk
        if url.key == "admin:view_on_site":
            kind = ContentType.objects.get_for_model(Project)
            named |= {"content_type_id": kind.pk, "object_id": self.public.project.pk}
        return named

    def sent(self, url: Url, made: Made, who: Who) -> dict[str, list[str]]:
        names = made.names(who)
        return {name: value.format(**names).split() for name, value in rule_of(url).sent}

    def ask(
        self, who: Who, method: str, address: str, data: Any = None, **more: Any
    ) -> HttpResponse:
        """An answer, read to its end; its effects are taken back."""
        client = self.clients[who]
        cookies = copy.copy(client.cookies)
        cache.clear()
        caches["counts"].clear()
        nothing: Any = "" if method == "delete" else {}
        try:
            with transaction.atomic():
                response: Any = getattr(client, method)(address, data or nothing, **more)
                if response.streaming:
                    list(response.streaming_content)
                transaction.set_rollback(True)
        finally:
            client.cookies = cookies
        return response  # type: ignore[no-any-return]


@pytest.fixture
def site(db: None, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Site:
    """All that can be turned on is on, so that nothing goes unasked."""
    monkeypatch.setattr(settings, "LOCAL_LOGIN", True)
    cast = make_cast()
    public = Made(cast, "Q7186", 700_000, Texts())
    private = Made(cast, "Q937", 800_000, Texts(), visibility=Project.Visibility.PRIVATE)
    return Site(cast, public, private, {who: browser(cast, who) for who in Who})


def browser(cast: Cast, who: Who, **options: Any) -> Client:
    host = f"127.0.0.1:{settings.PORT}"
    client = Client(headers={"host": host}, raise_request_exception=False, **options)
    if who != Who.NOBODY:
        client.force_login(cast[who], backend="django.contrib.auth.backends.ModelBackend")
    return client


def outcome(response: HttpResponse) -> str:
    """ok, login, or the status; 503 and the like are what must never be."""
    status = response.status_code
    if status == 401 or (status == 302 and response["Location"].split("?")[0] in TO_LOGIN):
        return "login"
    if status < 400:
        return "ok"
    return str(status)


def test_each_url_has_a_rule_and_each_rule_a_url() -> None:
    urls = list(walk())
    assert [url.key for url in urls if not lines_of(url.key)] == [], "say in rules.py who gets what"
    used = {line for url in urls for line in lines_of(url.key)}
    assert set(RULES) - used == set(), "there is no such URL"


def test_views_ask_for_the_right_that_their_rule_names_and_for_the_csrf_token() -> None:
    for url in URLS:
        rights = {access.can for _method, access in methods_of(rule_of(url)) if access.can}
        assert rights <= {getattr(url.view, "can", None)}, url.key
        assert not getattr(url.view, "csrf_exempt", False), url.key


@pytest.mark.long
@pytest.mark.parametrize("part", ["the site", "public projects", "private projects"])
def test_each_role_gets_what_the_rule_says(part: str, site: Site) -> None:
    private = part == "private projects"
    made = site.private if private else site.public
    wrong = []
    for url in URLS:
        if url.in_project != (part != "the site"):
            continue
        for method, access in methods_of(rule_of(url)):
            for place, who in enumerate(ROLES):
                skipped = private and who in AS_IN_PUBLIC
                skipped |= who == Who.PATROLLER and not url.key.startswith(PATROLLED)
                if skipped or (in_admin(url) and who not in ADMINS[method]):
                    continue
                address, sent = site.address(url, made, who), site.sent(url, made, who)
                answer = site.ask(who, method, address, sent)
                got, wanted = outcome(answer), access.of(place, private=private)
                if got != wanted:
                    wrong.append(f"{method} {url.key} as {who}: {got}, not {wanted}")
                if private and who in (Who.NOBODY, Who.STRANGER):
                    unknown = address.replace(made.project.public_id, NO_PROJECT)
                    if told(answer) != told(site.ask(who, method, unknown, sent)):
                        wrong.append(f"{method} {url.key} tells {who} that it is there")
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_nothing_of_another_project_is_found(site: Site) -> None:
    """As its owner, who also owns the other one."""
    wrong, who = [], Who.OWNER
    theirs = site.private.names(who) | {"user_id": site.cast[Who.STRANGER].public_id}
    for url in URLS:
        named = dict(rule_of(url).named)
        params = [param for param in url.params if param != "project_id"]
        if not url.in_project or not params:
            continue
        others = {param: theirs[named.get(param, param)] for param in params}
        for method, _access in methods_of(rule_of(url)):
            got = outcome(site.ask(who, method, site.address(url, site.public, who, **others)))
            # a draft that isn't there (any more) is answered with a fresh look at the preview
            if got != ("ok" if url.key == "batch-confirm" else "404"):
                wrong.append(f"{method} {url.key}: {got}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_nothing_of_another_project_is_changed_by_a_form(site: Site) -> None:
    names = site.private.names(Who.OWNER)
    form = dict.fromkeys(FIELDS, "on") | {
        "region": names["region_id"], "shown": names["region_id"], "yes": names["region_id"],
        "replaces": names["region_id"], "photo": names["photo_id"], "user": names["user_id"],
        "keep": names["draft_attempt"], "code": names["invite"], "client_uuid": str(uuid4()),
        "verdict": "no", "deed": "reject", "days": "7", "uses": "50", "note": "please",
    }  # fmt: skip
    stood = rows_of(site.private.project)
    client = site.clients[Who.OWNER]
    for url in URLS:
        if not url.in_project or not rule_of(url).post:
            continue
        address = site.address(url, site.public, Who.OWNER)
        for deed in ("reject", "remove", "else"):
            with transaction.atomic():
                client.post(address, form | {"deed": deed})
                assert rows_of(site.private.project) == stood, url.key
                transaction.set_rollback(True)


@pytest.mark.long
def test_other_methods_are_refused(site: Site) -> None:
    wrong = []
    for url in URLS:
        who, rule = knowing(url), rule_of(url)
        address = site.address(url, site.public, who)
        for method in ("delete", *(["post"] * (not rule.post)), *(["get"] * (not rule.get))):
            got = outcome(site.ask(who, method, address))
            if got not in ("405", "403"):  # 403: where nobody logs in, and to who is logged in
                wrong.append(f"{method} {url.key}: {got}")
    assert not wrong, "\n".join(wrong)


def test_forms_without_a_token_are_refused(site: Site) -> None:
    clients = {
        who: browser(site.cast, who, enforce_csrf_checks=True) for who in (Who.OWNER, Who.MODERATOR)
    }
    for url in URLS:
        who = knowing(url)
        if rule_of(url).post and "_" not in url.key.removeprefix("account_"):
            answer = clients[who].post(site.address(url, site.public, who))
            assert answer.status_code == 403, url.key


ABSURD = ("\0<script>{{7*7}}\u202e💥 %s %(x)s {x}", "-" + "9" * 400)
NOT_UTF8 = "&".join(f"{name}=%ff%ed%a0%80%00" for name in FIELDS)
SENT_RAW = (
    (NOT_UTF8, FORM),
    ('{"region": {"$gt": ["\\ud800"]}, "deed": null}', "application/json"),
)


@pytest.mark.long
def test_no_input_is_an_accident(site: Site) -> None:
    """Of who may do it; empty, absurd and of the wrong kind, in forms and in addresses."""
    wrong = []
    for url in URLS:
        if in_admin(url) and not url.key.endswith(("_changelist", "switch", "_add")):
            continue
        who = knowing(url)
        address = site.address(url, site.public, who)
        forms: list[Any] = [dict.fromkeys(FIELDS, value) for value in ABSURD]
        answers = []
        if rule_of(url).get:
            queries = (urlencode(forms[0]), NOT_UTF8)
            answers += [site.ask(who, "get", f"{address}?{query}") for query in queries]
        if rule_of(url).post:
            answers += [site.ask(who, "post", address, form) for form in ({}, *forms)]
            answers += [
                site.ask(who, "post", address, body, content_type=kind) for body, kind in SENT_RAW
            ]
        wrong += [f"{url.key}: {each.status_code}" for each in answers if each.status_code == 500]
    assert not wrong, "\n".join(wrong)


def methods_of(rule: Rule) -> list[tuple[str, Access]]:
    return [(name, access) for name, access in (("get", rule.get), ("post", rule.post)) if access]


def knowing(url: Url) -> Who:
    """Who may do most there."""
    return Who.MODERATOR if in_admin(url) else Who.OWNER


def in_admin(url: Url) -> bool:
    return url.route.startswith("admin/")


def told(answer: HttpResponse) -> tuple[object, ...]:
    """All that an answer tells, without what differs from one to the next by itself."""
    where = answer.headers.get("Location", "").split("?")[0]
    text = re.sub(r"[0-9a-f]{32}|[\w-]{64}|/p/[\w-]+", "", answer.content.decode())
    return answer.status_code, where, text


def rows_of(project: Project) -> list[Any]:
    """All rows that a form could change in a project."""
    found: list[Any] = [list(Project.objects.filter(pk=project.pk).values())]
    for relation in Project._meta.related_objects:
        if relation.related_model._meta.app_label in ("projects", "crawler", "classify", "sdc"):
            rows = relation.related_model._base_manager.filter(**{relation.field.name: project})
            found.append(list(rows.order_by("pk").values()))
    return found
