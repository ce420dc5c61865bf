"""No page or endpoint finds people by a face."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.multipartparser import MultiPartParserError
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from classify.asking.evidence import beside
from classify.models import Answer, Label, Origin, Verdict
from core.encryption import seal
from crawler.detection import embeddings
from crawler.models import Embedding, Photo, Picture, ProjectPhoto, Region
from crawler.registry import selection
from projects.models import Project, User
from tests.conftest import MakeProject

APPS = ("core", "wiki", "projects", "crawler", "classify", "sdc", "wikivisage")
VECTORS = (
    "crawler.detection.embeddings",
    "crawler.engines",
    "classify.learner.cache",
    "classify.learning.distances",
    "classify.learning.scorer",
)


def views(patterns: list[URLPattern | URLResolver]) -> set[str]:
    """Modules of ours that addresses lead to."""
    found: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found |= views(pattern.url_patterns)
        else:
            view: Any = pattern.callback
            found.add(getattr(view, "view_class", view).__module__)
    return {name for name in found if name.partition(".")[0] in APPS}


def test_no_address_leads_to_code_that_opens_vectors() -> None:
    modules = views(get_resolver().url_patterns)
    assert len(modules) > 20
    for name in modules:
        tree = ast.parse(Path(str(sys.modules[name].__file__)).read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                imported = [node.module or "", *(f"{node.module}.{a.name}" for a in node.names)]
                assert not {*imported} & {*VECTORS}, f"{name} imports {imported}"


def test_no_form_takes_a_file_and_no_request_keeps_one() -> None:
    todo: list[type[Any]] = [forms.Form, forms.ModelForm]
    while todo:
        one = todo.pop()
        todo += one.__subclasses__()
        for field in getattr(one, "base_fields", {}).values():
            assert not isinstance(field, forms.FileField), one
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        text = path.read_text()
        assert 'type="file"' not in text, path
        assert "multipart" not in text, path
    face = SimpleUploadedFile("face.jpg", b"\xff\xd8\xff", "image/jpeg")
    request = RequestFactory().post("/", {"face": face, "word": "goes, too"})
    with pytest.raises(MultiPartParserError):
        request.POST  # noqa: B018
    assert not request.FILES
    assert not request.POST


@pytest.mark.django_db
def test_a_name_is_told_of_the_very_region_only_and_never_of_a_face_like_it(
    alice: User, bob: User, make_project: MakeProject
) -> None:
    """Two faces have the same vector; in a public project somebody said who the first is."""
    theirs, mine = make_project(bob, "Q76", []), make_project(alice, "Q937", [])
    regions = []
    for number in (1, 2):
        picture = Picture.objects.create(
            sha1=str(number), width=9, height=9, mime="image/jpeg", state="d"
        )
        photo = Photo.objects.create(
            wiki="sandbox", page_id=number, title=f"File:{number}.jpg", picture=picture
        )
        region = Region.objects.create(
            picture=picture, origin="detector", x=0, y=0, w=1, h=1, phash="f" * 32
        )
        Embedding.objects.create(
            region=region,
            engine=selection.default(),
            vector=seal(b"\0" * 512, embeddings.context_of(region, selection.default())),
        )
        for project in (theirs, mine):
            ProjectPhoto.objects.create(project=project, photo=photo)
        regions.append(region)
    known, alike = regions
    face = {"subject": theirs.subject, "photo": known.picture.photos.get(), "region": known}
    said = {"user": bob, "verdict": Verdict.YES, "origin": Origin.ASK}
    Label.objects.create(**face, **said, answer=Answer.objects.create(**face, **said))
    named = beside(mine, [], [known.pk, alike.pk]).named
    assert {key: [one.project for one in names] for key, names in named.items()} == {
        known.pk: [theirs]
    }
    Project.objects.filter(pk=theirs.pk).update(visibility=Project.Visibility.PRIVATE)
    assert beside(mine, [], [known.pk, alike.pk]).named == {}
