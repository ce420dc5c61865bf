"""Whoever asks the wiki holds, whatever it answers: no 500, no crashed step, no lost neighbour.

`CALLERS` has a row for each place in the code that asks; a new place without a row fails. Each is
given answers of five bad shapes, and then works on as soon as the wiki does.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classify import tasks as classify_tasks
from classify.models import Bootstrap
from core.models import WikiPace
from core.user_errors import Refused
from core.work import WorkState
from crawler import denylist
from crawler.listing import crawl as listing_crawl
from crawler.listing.file_info import IMAGEINFO, read_files
from crawler.models import CrawlStep, Photo, ProjectPhoto
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures import freshness
from crawler.pictures.fetch import Unusable
from projects.accounts import moderator_rights, tokens
from projects.creation import person_lookup, suggestions
from projects.creation.source_lookup import Place
from projects.models import DenyEntry, Project, Source, User, WikiCredential
from sandbox.faults import Rule
from sdc import reconcile as sdc_reconcile
from sdc.batches import services as batches
from sdc.models import ClaimAttempt, EditBatch, Watch, Writer
from sdc.sending_rights import patrollers, stop_page
from sdc.watch import recheck
from sdc.writing.reasons import Reason
from tests import factories
from tests.conftest import ClientOf
from tests.projects.test_login import log_in
from tests.sdc.conftest import (
    Make,
    WikiItself,
    confirmed,
    hours_pass,
    send,
    send_to_the_end,
    time_passes,
)
from wiki import categories, http
from wiki import pages as wiki_pages
from wiki.http import WikiError
from wikivisage.ops import probes

SHAPES = {
    "null": "null",
    "a list": "[]",
    "nothing": "{}",
    "another type": '{"query": 7, "entities": "x", "search": {"a": 1}, "results": []}',
    "no JSON": "<!DOCTYPE html><title>Wikimedia Error</title>",
    "deep": "[" * 200_000,
}
API, TOKENS = "/commons/w/api.php", "/commons/w/rest.php/oauth2"
EXPECTED = (WikiError, Refused, tokens.NeedsLogin, Unusable)  # each is told to people


@dataclass
class Scene:
    """What a caller needs to have something to ask about."""

    wiki: WikiItself
    alice: User
    project: Project
    said_yes: Make
    client: Client
    stranger: Client

    def get(self, name: str, *args: Any, **query: str) -> None:
        self.answered(self.client.get(reverse(name, args=args), query))

    def answered(self, response: Any) -> None:
        assert response.status_code in (200, 302, 303, 503), response.status_code
        assert response.status_code != 503 or b"wiki" in response.content, "not our own page"

    def source(self, kind: str, value: str, depth: int = 0) -> None:
        self.project.sources.all().delete()
        Source.objects.create(project=self.project, kind=kind, value=value, depth=depth)

    def crawl(self) -> None:
        again()
        listing_crawl.crawl(5)

    def preview(self) -> None:
        Writer.objects.update(asked_at=None)
        address = reverse("preview", args=[self.project.public_id])
        self.answered(self.client.post(address))  # which reads it again

    def watch(self) -> None:
        again()
        recheck.work()


def again() -> None:
    """Whatever waits is due now, with all its tries."""
    time_passes()
    for rows in (CrawlStep, Bootstrap, Watch, ClaimAttempt, Writer):
        waiting = rows._default_manager.filter(state__in=(WorkState.QUEUED, WorkState.ASIDE))
        waiting.update(tries=0, due_at=timezone.now(), state=WorkState.QUEUED)
    WikiPace.objects.update(paused_until=None, next_at=timezone.now())


Kind = Source.Kind
Drive = Callable[[], object]
Prepare = Callable[[Scene], Drive]


@dataclass(frozen=True)
class Caller:
    """`sites` of the code ask what `match` matches when `prepare(scene)()` is run."""

    sites: tuple[str, ...]
    match: dict[str, str]
    prepare: Prepare


def query(having: str) -> dict[str, str]:
    return {"path": API, "action": "query", "having": having}


# What is done in each scene -------------------------------------------------------------------


def crawl(kind: str, value: str, cursor: dict[str, Any] | None = None, depth: int = 1) -> Prepare:
    """Reads a step from where `cursor` says, again and again."""

    def prepare(scene: Scene) -> Drive:
        scene.source(kind, value, depth)
        listing_crawl.begin_sources()

        def drive() -> None:
            begun = {"cursor": cursor or {}, "state": WorkState.QUEUED, "files": 0, "others": 0}
            CrawlStep.objects.update(**begun)
            scene.crawl()

        return drive

    return prepare


crawl_category = crawl(Source.Kind.CATEGORY, "Marie Curie")


def crawl_denied(scene: Scene) -> Drive:
    DenyEntry.objects.create(wiki="sandbox", kind=DenyEntry.Kind.CATEGORY, value="Solvay")
    return crawl_category(scene)


def look_through_denied(scene: Scene) -> Drive:
    DenyEntry.objects.create(wiki="sandbox", kind=DenyEntry.Kind.CATEGORY, value="Marie Curie")
    return denylist.look_through


def a_photo(scene: Scene) -> Photo:
    return scene.said_yes(scene.project)[0].photo


def check_version(scene: Scene) -> Drive:
    photo = a_photo(scene)

    def drive() -> None:
        assert not freshness.is_overwritten(photo)
        try:
            freshness.check(photo)
        except Unusable as error:
            if error.permanent:
                raise AssertionError("set aside for good") from error
            raise

    return drive


def load_picture(scene: Scene) -> Drive:
    asked: dict[str, Any] = {"action": "query", "pageids": a_photo(scene).page_id, **IMAGEINFO}
    [file], _others = read_files(http.api(settings.WIKI.commons_api, **asked)["query"]["pages"])
    return lambda: pictures_fetch.load(settings.WIKI.image_hosts[0] + file.thumb_path)


def bootstrap(scene: Scene) -> Drive:
    def drive() -> None:
        again()
        Bootstrap.objects.update(state=WorkState.QUEUED)
        classify_tasks.read_bootstrap()
        assert Bootstrap.objects.get().error in ("unreadable", "")

    return drive


def moderate(scene: Scene) -> Drive:
    mona = factories.make_moderator(factories.wiki_user(scene.wiki.running, "Mona"))

    def drive() -> None:
        moderator_rights.is_one(mona)
        assert moderator_rights.no_longer() == [], (
            "nobody loses rights while the wiki can't be asked"
        )

    return drive


def refresh(scene: Scene) -> Drive:
    def drive() -> None:
        WikiCredential.objects.update(expires_at=timezone.now(), refreshing_until=None)
        try:
            tokens.access_token(scene.alice)
        finally:
            assert not WikiCredential.objects.get(user=scene.alice).needs_login

    return drive


def write(scene: Scene) -> Drive:
    scene.said_yes(scene.project, 3)
    batch = confirmed(scene.project, scene.alice)

    def drive() -> None:
        again()
        send(0.5)
        batch.refresh_from_db()
        assert batch.state in (EditBatch.State.RUNNING, EditBatch.State.DONE), batch.reason

    return drive


def write_in_doubt(scene: Scene) -> Drive:
    drive = write(scene)
    ClaimAttempt.objects.update(in_doubt=True, began_at=timezone.now() - timedelta(hours=1))
    return drive


def write_after_a_lost_answer(scene: Scene) -> Drive:
    """The edit was made, so that the history has a revision with the mark of the batch."""
    drive = write(scene)
    scene.wiki.running.faults.add("cut-after-effect", {"action": "wbsetclaim"}, times=1)
    drive()
    assert ClaimAttempt.objects.filter(in_doubt=True).exists()
    return drive


def watch_removed(scene: Scene) -> Drive:
    labels = scene.said_yes(scene.project, 2)
    send_to_the_end(confirmed(scene.project, scene.alice))
    scene.wiki.somebody_removes(labels[0].photo.page_id, "Q7186")
    hours_pass(25)
    return scene.watch


def reconcile(scene: Scene) -> Drive:
    scene.said_yes(scene.project, 2)
    send_to_the_end(confirmed(scene.project, scene.alice))
    return sdc_reconcile.reconcile


def reconcile_unknown_revision(scene: Scene) -> Drive:
    """A revision that is not among the user's contributions is asked for."""
    drive = reconcile(scene)
    User.objects.filter(pk=scene.alice.pk).update(wiki_username="Alice Renamed")
    return drive


def fill_preview(scene: Scene) -> Drive:
    scene.said_yes(scene.project, 2)
    return scene.preview


def preview_labels(scene: Scene) -> Drive:
    [label] = scene.said_yes(scene.project)
    scene.wiki.somebody_adds(label.photo.page_id, "Q37463")
    return scene.preview


def look_at_stop_page(scene: Scene) -> Drive:
    def drive() -> None:
        WikiPace.objects.update(next_at=timezone.now() - timedelta(hours=1))
        may_write = stop_page.may_write()
        assert may_write is not bool(scene.wiki.running.faults.as_json())

    return drive


def examine(look: Callable[[], probes.Findings]) -> Prepare:
    return lambda _scene: lambda: list(look())


def count(kind: str, value: str, depth: int = 0) -> Prepare:
    def prepare(scene: Scene) -> Drive:
        def drive() -> None:
            cache.clear()
            key = Place(kind, value, depth).key
            scene.get("place-count", place=key, person="Q7186", **{f"depth:{key}": str(depth)})

        return drive

    return prepare


def view(name: str, **asked: str) -> Prepare:
    return lambda scene: lambda: scene.get(name, **asked)


def plain(ask: Callable[[], object]) -> Prepare:
    return lambda _scene: ask


def suggest(scene: Scene) -> Drive:
    person = person_lookup.read_person("Q7186")
    return lambda: suggestions.for_person(person, "en")


def new_project(scene: Scene) -> Drive:
    form = {"do": "find", "who": "Q7186", "public": "on", "anybody": "on"}
    return lambda: scene.answered(scene.client.post(reverse("project-new"), form))


def login(scene: Scene) -> Drive:
    return lambda: scene.answered(log_in(scene.stranger, "Bob"))


CATEGORIES, PLACES, WIKIDATA = "wiki.categories", "projects.creation.source_lookup", "wiki.wikidata"
CALLERS = {
    "bootstrap": Caller(("classify.learner.bootstrap.ask",), {"path": "/sparql"}, bootstrap),
    "crawl": Caller(
        ("crawler.listing.read_page._pages",), query("generator=categorymembers"), crawl_category
    ),
    "crawled statements": Caller(
        ("crawler.listing.read_page.depicting",), {"action": "wbgetentities"}, crawl_category
    ),
    "crawled subcategories": Caller(
        ("crawler.listing.read_page._category",),
        query("cmtype=subcat"),
        crawl(Kind.CATEGORY, "Marie Curie", {"part": "subcategories"}),
    ),
    "category redirect": Caller(
        ("crawler.listing.read_page._redirect_of",),
        query("prop=revisions"),
        crawl(Kind.CATEGORY, "Nowhere", {"part": "redirect"}),
    ),
    "uploader": Caller(
        ("crawler.listing.read_page._uploads",),
        query("list=users"),
        crawl(Kind.UPLOADER, "Nobody Of That Name"),
    ),
    "crawl beside the deny-list": Caller(
        ("crawler.listing.read_page.check_denied",), query("prop=categories"), crawl_denied
    ),
    "deny-list's categories": Caller(
        ("crawler.denylist.members",), query("list=categorymembers"), look_through_denied
    ),
    "version": Caller(
        ("crawler.pictures.freshness._read",), query("prop=imageinfo"), check_version
    ),
    "picture": Caller(("crawler.pictures.fetch.fetch",), {"path": "/upload"}, load_picture),
    "category search": Caller(
        (f"{CATEGORIES}._beginning", f"{CATEGORIES}._query"),
        query("generator=prefixsearch"),
        view("category-search", add="Marie", kind="category"),
    ),
    "category": Caller(
        (f"{CATEGORIES}.read", f"{PLACES}._query"),
        query("prop=categoryinfo"),
        count("category", "Marie Curie"),
    ),
    "category tree": Caller(
        (f"{CATEGORIES}._children",),
        query("generator=categorymembers"),
        count("category", "Marie Curie", 1),
    ),
    "subcategories": Caller(
        (f"{CATEGORIES}.children",),
        query("generator=categorymembers"),
        plain(lambda: categories.children("Marie Curie")),
    ),
    "sizes": Caller(
        (f"{CATEGORIES}.sizes",), query("prop=categoryinfo"), plain(lambda: categories.sizes(["A"]))
    ),
    "guesses": Caller(
        (f"{CATEGORIES}.suggest",), query("list=search"), plain(lambda: categories.suggest("Curi"))
    ),
    "denied file": Caller(
        ("wiki.pages.find_page",),
        query("titles=File:Marie Curie 1903.jpg"),
        plain(lambda: wiki_pages.find_page(titles="File:Marie Curie 1903.jpg")),
    ),
    "tokens of a login": Caller(
        ("projects.accounts.login.WikiOAuth2Client.get_access_token",),
        {"path": f"{TOKENS}/access_token"},
        login,
    ),
    "profile of a login": Caller(
        ("projects.accounts.login.WikiOAuth2Adapter.complete_login",),
        {"path": f"{TOKENS}/resource/profile"},
        login,
    ),
    "moderators": Caller(
        ("projects.accounts.moderator_rights._in_groups",), query("list=users"), moderate
    ),
    "refresh": Caller(
        ("projects.accounts.tokens._ask",), {"path": f"{TOKENS}/access_token"}, refresh
    ),
    "user": Caller((f"{PLACES}._existing_user",), query("list=users"), count("uploader", "Bob")),
    "user search": Caller(
        (f"{PLACES}.users",),
        query("list=allusers"),
        view("category-search", add="Bo", kind="uploader"),
    ),
    "uploads": Caller(
        (f"{PLACES}._uploads",), query("generator=allimages"), count("uploader", "Alice")
    ),
    "search": Caller((f"{PLACES}._search",), query("list=search"), count("search", "Curie")),
    "suggestions": Caller(
        ("projects.creation.suggestions._besides",), query("generator=search"), suggest
    ),
    "person search": Caller(
        (f"{WIKIDATA}.humans_called",),
        {"action": "wbsearchentities"},
        view("person-search", who="Marie"),
    ),
    "full text search": Caller(
        (f"{WIKIDATA}._full_text",),
        {"action": "query", "having": "list=search"},
        view("person-search", who="zzzz"),
    ),
    "person": Caller((f"{WIKIDATA}._entities",), {"action": "wbgetentities"}, new_project),
    "preview": Caller(
        ("sdc.preview.drafts.prepare_batch", "sdc.files.reading._ask"),
        query("prop=imageinfo|info"),
        fill_preview,
    ),
    "statements of a preview": Caller(
        ("sdc.files.reading._entities",), {"path": API, "action": "wbgetentities"}, fill_preview
    ),
    "labels of a preview": Caller(
        ("sdc.preview.drafts._labels_of", "sdc.files.reading.read_labels"),
        {"path": "/wikidata", "action": "wbgetentities"},
        preview_labels,
    ),
    "sender": Caller(
        ("sdc.sending_rights.limits._userinfo",), query("meta=userinfo"), fill_preview
    ),
    "patrollers": Caller(
        ("sdc.sending_rights.patrollers._rights",),
        query("usprop=rights"),
        lambda scene: lambda: patrollers.ask(scene.alice),
    ),
    "stop page": Caller(
        ("sdc.sending_rights.stop_page.read_page",), query("prop=revisions"), look_at_stop_page
    ),
    "edit token": Caller(
        ("sdc.writing.session.Account.edit_token",), query("meta=tokens|userinfo"), write
    ),
    "read before writing": Caller(
        ("sdc.writing.session.Session.__init__",), query("prop=imageinfo|info"), write
    ),
    "write": Caller(("sdc.writing.session.Session._submit",), {"action": "wbsetclaim"}, write),
    "our revision": Caller(
        ("sdc.files.reading.read_history",), query("rvprop=ids|comment"), write_in_doubt
    ),
    "entities of revisions": Caller(
        ("sdc.files.revisions.read_entities",),
        query("rvprop=ids|comment|content"),
        write_after_a_lost_answer,
    ),
    "watch": Caller(
        ("sdc.watch.recheck._look_at",), {"path": API, "action": "wbgetentities"}, watch_removed
    ),
    # it asks by the same function as the row before
    "history": Caller((), query("rvslots=mediainfo"), watch_removed),
    "contributions": Caller(
        ("sdc.reconcile.edit_tags.Marks._contributions", "sdc.reconcile.reconcile"),
        query("list=usercontribs"),
        reconcile,
    ),
    "revisions": Caller(
        ("sdc.reconcile.edit_tags.Marks.revisions",),
        query("rvprop=ids|user|comment"),
        reconcile_unknown_revision,
    ),
    "doctor": Caller(("wikivisage.ops.probes.wiki",), {"path": API}, examine(probes.wiki)),
    "doctor's consumer": Caller(
        ("wikivisage.ops.probes.consumer",),
        {"path": f"{TOKENS}/access_token"},
        examine(probes.consumer),
    ),
}


# The table is whole ---------------------------------------------------------------------------

PACKAGES = ("core", "wiki", "projects", "crawler", "classify", "sdc", "wikivisage")
# Where asking is written: all others go through these.
READERS = ("wiki.http", "wiki.pywikibot_client", "wiki.transport")
WAYS = {("http", "api"), ("http", "fetch"), ("http", "follow"), ("pywikibot_client", "read")}
WAYS |= {("pywikibot_client", "submit")}


def asks(node: ast.AST) -> bool:
    """Whether a piece of code asks the wiki, or hands on who does."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return (node.value.id, node.attr) in WAYS
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return node.id in ("_query", "follow")
    return isinstance(node, ast.Call) and any(map(is_an_action, node.keywords))


def is_an_action(given: ast.keyword) -> bool:
    value = given.value.value if isinstance(given.value, ast.Constant) else ""
    return given.arg == "action" and str(value).startswith(("query", "wb"))


def sites(node: ast.AST, name: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if asks(child):
            yield name
        named = isinstance(child, ast.FunctionDef | ast.ClassDef)
        yield from sites(child, f"{name}.{child.name}" if named else name)  # type: ignore[attr-defined]


def all_sites() -> set[str]:
    found: set[str] = set()
    for package in PACKAGES:
        for path in Path(settings.BASE_DIR, package).rglob("*.py"):
            parts = path.relative_to(settings.BASE_DIR).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            if name not in READERS:
                found |= set(sites(ast.parse(path.read_text()), name))
    return found


def test_whoever_asks_the_wiki_has_a_row() -> None:
    listed = [site for caller in CALLERS.values() for site in caller.sites]
    assert sorted(listed) == sorted(all_sites())


# Each row holds -------------------------------------------------------------------------------


@pytest.fixture
def scene(
    wiki: WikiItself, alice: User, project: Project, said_yes: Make, client_of: ClientOf,
    settings: Any,
) -> Scene:  # fmt: skip
    settings.MODERATORS, settings.MODERATOR_GROUPS = [], ["sysop"]
    return Scene(wiki, alice, project, said_yes, client_of(alice), client_of(None))


@pytest.mark.long
@pytest.mark.parametrize("name", CALLERS)
def test_a_bad_shape_is_told_and_passes(
    name: str, scene: Scene, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    caller, faults = CALLERS[name], scene.wiki.running.faults
    drive = caller.prepare(scene)
    for shape, body in SHAPES.items():
        faults.clear()
        rule: Rule = faults.add("body", caller.match, body=body)
        with suppress(*EXPECTED):
            drive()
        assert rule.hits, f"{shape}: nobody asked"
        assert_nothing_crashed(shape, caplog)
    faults.clear()
    drive()
    assert_nothing_crashed("well again", caplog)


def assert_nothing_crashed(shape: str, caplog: pytest.LogCaptureFixture) -> None:
    tracebacks = [row.getMessage() for row in caplog.records if row.exc_info]
    assert tracebacks == [], shape
    codes = {row.error for rows in (CrawlStep, Watch, Bootstrap) for row in rows.objects.all()}
    assert not codes & {"crashed", "trouble"}, (shape, codes)


# A broken element costs itself ----------------------------------------------------------------


def garble(scene: Scene, page_id: int) -> None:
    """Of one page the id is of another type in what the wiki answers."""
    scene.wiki.running.faults.add(
        "garble", {"path": API}, find=f'"pageid":{page_id},', body='"pageid":{"odd": []},'
    )


def test_a_broken_file_of_a_category_costs_itself(scene: Scene) -> None:
    scene.source(Source.Kind.CATEGORY, "Marie Curie", 1)
    scene.crawl()
    whole = set(Photo.objects.values_list("page_id", flat=True))
    broken = min(whole)
    for rows in (ProjectPhoto, Photo, CrawlStep):
        rows._default_manager.all().delete()
    garble(scene, broken)
    scene.crawl()
    assert set(Photo.objects.values_list("page_id", flat=True)) == whole - {broken}
    assert not CrawlStep.objects.exclude(error="").exists()


def test_a_broken_file_of_a_look_again_is_not_taken_for_gone(scene: Scene) -> None:
    kept = [label.photo for label in scene.said_yes(scene.project, 3)]
    ProjectPhoto.objects.update(round=0)
    scene.source(Source.Kind.FILE, kept[0].title)
    listing_crawl.begin_sources()
    CrawlStep.objects.update(title="")
    garble(scene, kept[1].page_id)
    scene.crawl()
    assert not Photo.objects.exclude(state=Photo.State.LIVE).exists()


def test_a_broken_file_of_a_preview_is_skipped_with_a_reason(scene: Scene) -> None:
    labels = scene.said_yes(scene.project, 3)
    garble(scene, labels[1].photo.page_id)
    rows = batches.prepare_batch(scene.project, scene.alice).attempts.order_by("pk")
    assert [row.reason for row in rows] == ["", Reason.UNREADABLE, ""]


def test_a_broken_file_keeps_no_other_from_being_sent(scene: Scene) -> None:
    labels = scene.said_yes(scene.project, 3)
    batch = confirmed(scene.project, scene.alice)
    garble(scene, labels[1].photo.page_id)
    send_to_the_end(batch, rounds=20)
    found = [(row.outcome, row.reason) for row in batch.attempts.order_by("pk")]
    assert found[0] == found[2] == ("written", "")
    assert found[1] == ("refused", Reason.UNREADABLE)
    assert len(scene.wiki.edits()) == 2


def test_a_broken_file_keeps_no_other_from_being_looked_at(scene: Scene) -> None:
    labels = scene.said_yes(scene.project, 3)
    send_to_the_end(confirmed(scene.project, scene.alice))
    hours_pass(25)
    garble(scene, labels[1].photo.page_id)
    recheck.work()
    rows = Watch.objects.order_by("claim_attempt")
    assert [(row.checks, row.error) for row in rows] == [(1, ""), (0, "unreadable"), (1, "")]


def test_a_broken_file_is_told_by_reconcile_and_keeps_no_other(scene: Scene) -> None:
    labels = scene.said_yes(scene.project, 3)
    send_to_the_end(confirmed(scene.project, scene.alice))
    garble(scene, labels[1].photo.page_id)
    report = sdc_reconcile.reconcile()
    [finding] = report.findings
    assert (finding.code, finding.page_id) == ("unreadable", labels[1].photo.page_id)
    assert report.edits == 2


@pytest.mark.parametrize("body", ["null", "[]", "[" * 200_000])
def test_a_bad_answer_to_a_write_is_looked_up_before_it_is_sent_again(
    body: str, scene: Scene
) -> None:
    """The edit was made, and what came back made no sense."""
    [label] = scene.said_yes(scene.project)
    batch = confirmed(scene.project, scene.alice)
    faults = scene.wiki.running.faults
    faults.add("garble", {"action": "wbsetclaim"}, times=1, find='{"pageinfo"', body=body + "{")
    send_to_the_end(batch)
    assert len(scene.wiki.edits(label.photo.page_id)) == 1
    assert batch.attempts.get().outcome == "written"
