"""Originals and thumbnails come as from the upload host."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from PIL import Image, ImageChops, ImageStat

from sandbox import RunningSandbox, files, seed, thumbs

SOLVAY = "File:Solvay conference 1927.jpg"  # 3000 x 2171


def url_of(wiki: RunningSandbox, title: str, width: int | None = None) -> tuple[str, int, int]:
    """What the API would tell: the thumbnail's URL and size, or the original's."""
    with wiki.app.app_context():
        page = wiki.world.page("commons", title)
        assert page
        file = wiki.world.file(page)
        assert file
        if width is None:
            return thumbs.file_url(file), file.width, file.height
        return thumbs.thumb_url(file, width)


def picture(answer: requests.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


@pytest.mark.parametrize("width", [20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920])
def test_every_step_is_rendered(wiki: RunningSandbox, http: requests.Session, width: int) -> None:
    url, told, height = url_of(wiki, SOLVAY, width)
    image = picture(http.get(url))
    assert image.format == "JPEG"
    assert image.size == (told, height) == (width, round(width * 2171 / 3000))


@pytest.mark.parametrize("width", [64, 200, 640, 800, 1024, 2000])
def test_other_widths_are_refused(wiki: RunningSandbox, http: requests.Session, width: int) -> None:
    answer = http.get(url_of(wiki, SOLVAY, width)[0])
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    assert "960" in answer.text


def test_a_small_original_is_its_own_thumbnail(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    title = "File:Neil Armstrong pose.jpg"
    assert url_of(wiki, title, 960) == url_of(wiki, title)
    grown = url_of(wiki, title, 500)[0].replace("500px-", "960px-")
    answer = http.get(grown)
    assert answer.status_code == 400
    assert "bigger than the source" in answer.text


def test_an_original_is_served_byte_for_byte(wiki: RunningSandbox, http: requests.Session) -> None:
    answer = http.get(url_of(wiki, SOLVAY)[0])
    assert answer.content == (seed.PHOTOS / "solvay_1927.jpg").read_bytes()
    assert answer.headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("title", "told", "real"),
    [
        (
            "File:Barack Obama addresses joint session of Congress 2009-09-09"
            " (EXIF orientation 6).jpg",
            (960, 1840),
            (626, 1200),
        ),
        ("File:Mariecurie (EXIF orientation 8).jpg", (960, 1241), (928, 1200)),
    ],
)
def test_a_rotated_jpeg_comes_upright_and_its_told_width_is_wrong(
    wiki: RunningSandbox,
    http: requests.Session,
    title: str,
    told: tuple[int, int],
    real: tuple[int, int],
) -> None:
    """As recorded: the URL carries the real width, the numbers beside it the wanted one."""
    url, *size = url_of(wiki, title, 960)
    assert tuple(size) == told
    assert f"/{real[0]}px-" in url
    image = picture(http.get(url))
    assert image.size == real
    assert image.getexif().get(0x0112, 1) == 1


def test_a_rotated_jpeg_shows_what_the_one_that_is_not_rotated_shows(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    speech = "File:Barack Obama addresses joint session of Congress 2009-09-09 "
    urls = [url_of(wiki, f"{speech}({kind}).jpg", 250)[0]
            for kind in ("EXIF orientation 6", "cropped")]  # fmt: skip
    one, other = (picture(http.get(url)).convert("L") for url in urls)
    assert max(ImageStat.Stat(ImageChops.difference(one, other)).mean) < 3


@pytest.mark.parametrize(
    ("title", "form", "mode"),
    [
        ("File:President Barack Obama (CMYK print scan).jpg", "JPEG", "RGB"),
        ("File:Neil Armstrong pose (16-bit greyscale).png", "PNG", "L"),
        ("File:Buzz Aldrin fading.gif", "GIF", "L"),
        ("File:Marie Curie c. 1920s (WebP).webp", "WEBP", "RGB"),
        ("File:Leonardo da Vinci portrait (painting).png", "PNG", "RGB"),
        (
            "File:Nixon meeting with Ray Charles in the oval office - NARA - 194452.tif",
            "JPEG",
            "L",
        ),
        ("File:E=mc².svg", "PNG", "RGB"),
        ("File:Pierre Curie, by Marie Curie (1923).pdf", "JPEG", "RGB"),
        ("File:アルベルト・アインシュタイン 1921年.jpg", "JPEG", "RGB"),
        ('File:"Albert & Elsa" – 100% relativity, a couple\'s journey.jpg', "JPEG", "RGB"),
        ("File:Who was Albert Einstein?.jpg", "JPEG", "RGB"),
    ],
)
def test_every_format_becomes_a_picture_of_the_right_type(
    wiki: RunningSandbox, http: requests.Session, title: str, form: str, mode: str
) -> None:
    url, *size = url_of(wiki, title, 120)
    answer = http.get(url)
    image = picture(answer)
    assert (image.format, image.mode) == (form, mode)
    assert list(image.size) == size
    assert answer.headers["Content-Type"] == f"image/{form.lower()}"


def test_a_16_bit_picture_keeps_its_shades(wiki: RunningSandbox, http: requests.Session) -> None:
    thin = picture(
        http.get(url_of(wiki, "File:Neil Armstrong pose (16-bit greyscale).png", 120)[0])
    )
    usual = picture(http.get(url_of(wiki, "File:Neil Armstrong pose.jpg", 120)[0])).convert("L")
    pairs = zip(thin.resize((20, 24)).tobytes(), usual.resize((20, 24)).tobytes(), strict=True)
    assert sum(abs(one - two) for one, two in pairs) / 480 < 8


def test_a_broken_file_gives_the_thumbnailer_s_error(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    title = "File:Barack Obama at the lectern (interrupted upload).jpg"
    answer = http.get(url_of(wiki, title, 500)[0])
    assert answer.status_code == 500
    assert "Error generating thumbnail" in answer.text
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_huge_file_is_refused_without_being_read(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    title = "File:Seating plan of the Solvay Conference (300 megapixels).png"
    assert url_of(wiki, title)[1:] == (20000, 15000)
    answer = http.get(url_of(wiki, title, 960)[0])
    assert answer.status_code == 400
    assert "100 MP" in answer.text


@pytest.mark.parametrize(
    "title",
    [
        "File:Letter to Albert Einstein.jpg",
        "File:Joe Biden, empty upload.jpg",
        "File:Albert Einstein speech.ogg",
        "File:Apollo 11 landing.webm",
    ],
)
def test_what_cannot_be_shown_has_an_icon(
    wiki: RunningSandbox, http: requests.Session, title: str
) -> None:
    url, *size = url_of(wiki, title, 960)
    assert size == [120, 120]
    assert picture(http.get(url)).size == (120, 120)
    assert http.get(url_of(wiki, title)[0]).status_code == 200


def test_answers_may_be_kept_and_asked_again(wiki: RunningSandbox, http: requests.Session) -> None:
    url = url_of(wiki, SOLVAY, 250)[0]
    first = http.get(url)
    assert "max-age" in first.headers["Cache-Control"]
    again = http.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_stock_or_empty_agent_is_forbidden(wiki: RunningSandbox) -> None:
    url = url_of(wiki, SOLVAY, 250)[0]
    assert requests.get(url, timeout=10).status_code == 403
    assert requests.get(url, headers={"User-Agent": ""}, timeout=10).status_code == 403


def test_unknown_names_and_wrong_folders_are_not_found(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    url = url_of(wiki, SOLVAY, 250)[0]
    assert http.get(url.replace("Solvay", "Salvoy")).status_code == 404
    folder = url.split("/thumb/")[1].split("/")[0]
    assert http.get(url.replace(f"/thumb/{folder}/", "/thumb/z/")).status_code == 404


def test_many_at_once_get_whole_pictures(wiki: RunningSandbox) -> None:
    url = url_of(wiki, "File:1911 Solvay conference.jpg", 1280)[0]

    def size(_: int) -> tuple[int, int]:
        answer = requests.get(url, headers={"User-Agent": "Crowd/1 (tests)"}, timeout=30)
        return picture(answer).size

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(size, range(16)))) == 1


def test_a_new_version_takes_the_place_and_the_old_one_moves_to_the_archive(
    scratch: RunningSandbox, http: requests.Session, tmp_path: Path
) -> None:
    title = "File:Neil Armstrong pose.jpg"
    url = url_of(scratch, title, 250)[0]
    before = http.get(url).content
    new = seed.PHOTOS / "nasa_aldrin.jpg"
    scratch.world.upload(title, new, files.describe(new), user="Admin")
    after = http.get(url)
    assert after.status_code == 400  # the new file is narrower than 250 pixels
    smaller = url_of(scratch, title, 120)[0]
    assert picture(http.get(smaller)).width == 120
    with scratch.app.app_context():
        page = scratch.world.page("commons", title)
        assert page
        old = scratch.world.files(page)[1]
        archived = thumbs.thumb_url(old, 250)[0]
    assert "/thumb/archive/" in archived
    assert http.get(archived).content == before


def test_a_fault_of_the_edge_says_how_long_to_wait(
    scratch: RunningSandbox, http: requests.Session
) -> None:
    scratch.faults.add("http", {"path": "/upload"}, status=503, retry_after=2, times=1)
    url = url_of(scratch, SOLVAY, 120)[0]
    answer = http.get(url)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert http.get(url).status_code == 200
