"""Downloading and decoding: every awkward file ends as pixels or as a reason."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.utils import translation
from PIL import Image
from pytest_django import Settings

from crawler.models import Picture
from crawler.pictures import error_details
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import Unusable
from crawler.templatetags.faces import in_words
from sandbox import RunningSandbox
from tests.crawler.helpers import DATA, open_lanes
from wiki import pace
from wikivisage.messages.pseudo import accented

ORIGINALS = "/upload/wikipedia/commons"


def awkward(name: str) -> bytes:
    return (DATA / "awkward" / name).read_bytes()


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("cmyk.jpg", (875, 700, 3)),
        ("grey16.png", (478, 400, 3)),
        ("curie.webp", (1087, 800, 3)),
        ("aldrin.gif", (205, 163, 3)),
    ],
)
def test_odd_colours_become_rgb(name: str, shape: tuple[int, int, int]) -> None:
    pixels = pictures_fetch.decode(awkward(name))
    assert pixels.shape == shape
    assert pixels.dtype == np.uint8
    assert 30 < pixels.mean() < 200  # neither black nor clipped to white
    assert pixels.std() > 20


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("truncated.jpg", "broken"),
        ("not_an_image.jpg", "broken"),
        ("almost_empty.jpg", "not-a-picture"),
        ("formula.svg", "not-a-picture"),
        ("biography.pdf", "not-a-picture"),
        ("landing.webm", "not-a-picture"),
        ("huge.png", "too-large"),
    ],
)
def test_what_is_no_good_says_why(name: str, code: str) -> None:
    with pytest.raises(Unusable) as caught:
        pictures_fetch.decode(awkward(name))
    assert caught.value.code == code
    assert caught.value.permanent
    assert code in Picture.Error.values


def test_too_many_pixels_are_refused_before_they_are_decoded(settings: Settings) -> None:
    settings.PICTURE_MAX_PIXELS = 100_000
    with pytest.raises(Unusable, match="1000 x 101 pixels"):
        pictures_fetch.decode(encoded(Image.new("L", (1000, 101)), "PNG"))


def test_a_picture_lying_on_its_side_is_set_upright() -> None:
    pixels = pictures_fetch.decode((DATA / "photos" / "exif_rotated_curie.jpg").read_bytes())
    height, width = pixels.shape[:2]
    assert height > width


def test_a_transparent_ground_is_white_and_palettes_are_colours() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert (pictures_fetch.decode(encoded(clear, "PNG")) == 255).all()
    red = Image.new("P", (4, 4), 0)
    red.putpalette([200, 10, 20])
    assert (pictures_fetch.decode(encoded(red, "PNG"))[0, 0] == (200, 10, 20)).all()


def test_an_oversized_answer_is_shrunk_to_what_we_look_at(settings: Settings) -> None:
    wide = encoded(Image.new("RGB", (4000, 3000), "grey"), "JPEG")
    height, width = pictures_fetch.decode(wide).shape[:2]
    assert min(height, width) == settings.DETECT_WIDTH


@pytest.mark.django_db
class TestDownload:
    def test_a_thumbnail(self, sandbox: RunningSandbox) -> None:
        url = f"{sandbox.url}{ORIGINALS}/9/93/Marie_Curie_1903.jpg"
        assert pictures_fetch.load(url).ndim == 3

    def test_only_our_wikis_are_fetched_from(self, sandbox: RunningSandbox) -> None:
        for url in ("http://localhost:1/a.jpg", "http://169.254.169.254/meta", "file:///etc/x"):
            with pytest.raises(Unusable) as caught:
                pictures_fetch.download(url)
            assert caught.value.code == "forbidden-host"
        assert sandbox.world.request_counts == {}

    def test_a_file_that_is_gone(self, sandbox: RunningSandbox) -> None:
        with pytest.raises(Unusable) as caught:
            pictures_fetch.download(f"{sandbox.url}{ORIGINALS}/9/93/No_such_file.jpg")
        assert (caught.value.code, caught.value.permanent) == ("gone", True)

    def test_something_else_than_a_picture(self, sandbox: RunningSandbox) -> None:
        with pytest.raises(Unusable) as caught:
            pictures_fetch.download(f"{sandbox.url}/_sandbox/")
        assert caught.value.code == "not-a-picture"

    def test_too_many_bytes(self, sandbox: RunningSandbox, settings: Settings) -> None:
        settings.PICTURE_MAX_BYTES = 1000
        with pytest.raises(Unusable) as caught:
            pictures_fetch.download(f"{sandbox.url}{ORIGINALS}/9/93/Marie_Curie_1903.jpg")
        assert caught.value.code == "too-many-bytes"

    def test_a_busy_wiki_makes_everybody_wait(self, sandbox: RunningSandbox) -> None:
        sandbox.faults.add("http", {"path": ORIGINALS}, status=429, retry_after=30, times=1)
        with pytest.raises(Unusable) as caught:
            pictures_fetch.download(f"{sandbox.url}{ORIGINALS}/9/93/Marie_Curie_1903.jpg")
        assert (caught.value.permanent, caught.value.wait) == (False, 30)
        assert pace.paused_until(pictures_fetch.LANE)
        open_lanes()

    @pytest.mark.waits
    def test_nobody_answers(self, sandbox: RunningSandbox) -> None:
        sandbox.faults.add("cut-before", {"path": ORIGINALS})
        with pytest.raises(Unusable) as caught:
            pictures_fetch.download(f"{sandbox.url}{ORIGINALS}/9/93/Marie_Curie_1903.jpg")
        assert (caught.value.code, caught.value.permanent) == ("network", False)
        open_lanes()


@pytest.mark.parametrize("sentence", error_details.SENTENCES)
def test_what_exactly_went_wrong_is_stored_in_english_and_read_in_any_language(
    sentence: str,
) -> None:
    figures = {"n": "17", "width": "30", "height": "40", "kind": "text/html", "sha1": "a%(n)sb"}
    stored = sentence % figures
    assert error_details.in_words(stored) == stored
    with translation.override("en-xa"):
        assert error_details.in_words(stored) == accented(sentence) % figures != stored


def test_what_others_say_went_wrong_stays_as_it_came() -> None:
    with translation.override("en-xa"):
        assert error_details.in_words("image file is truncated (17 bytes not processed)") == ""
        assert in_words("<b>HTTP 404</b>") == '<span lang="en">&lt;b&gt;HTTP 404&lt;/b&gt;</span>'
