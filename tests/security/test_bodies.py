"""What a request may bring along: see wikivisage.middleware.bodies and system/test_front.py."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string

from wikivisage.middleware.bodies import FORMS, Bodies

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


class Unread(io.RawIOBase):
    """A body that must not be read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body is read")


def ask(kind: str, length: str, body: Any = None, **headers: str) -> HttpResponse:
    request: Any = RequestFactory().generic("POST", "/", b"x", kind)
    request.META |= {"CONTENT_LENGTH": length, **headers}
    request._stream = body or Unread()
    return Bodies(lambda request: HttpResponse(request.body))(request)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    ("kind", "length", "headers", "status"),
    [
        *[(kind, str(LIMIT + 1), {}, 413) for kind in FORMS],
        ("application/json", str(LIMIT + 1), {}, 413),
        ("application/json", "2", {}, 415),
        ("text/plain", "1", {}, 415),
        ("", "1", {}, 415),
        ("image/jpeg", str(LIMIT), {}, 415),
        (FORMS[0], "", {"HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        (FORMS[0], "5", {"HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        (FORMS[0], "many", {}, 411),
    ],
)
def test_what_is_no_small_form_is_refused_unread(
    method: str, kind: str, length: str, headers: dict[str, str], status: int
) -> None:
    answer = ask(kind, length, REQUEST_METHOD=method, **headers)
    assert answer.status_code == status
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    script = ask(kind, length, REQUEST_METHOD=method, HTTP_X_BACKGROUND="1", **headers)
    assert script.status_code == status
    assert answer.content.decode() in script.content.decode()


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [
        (FORMS[0], b"a=", b""),
        (
            f"{FORMS[1]}; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n',
            b"\r\n--b--\r\n",
        ),
    ],
)
def test_a_form_of_the_largest_size_passes_and_half_of_one_does_not(
    kind: str, first: bytes, last: bytes
) -> None:
    whole = first + b"a" * (LIMIT - len(first) - len(last)) + last
    assert ask(kind, str(LIMIT), io.BytesIO(whole)).content == whole
    assert ask(kind, str(LIMIT), io.BytesIO(whole[:-1])).status_code == 400


def test_a_body_whose_connection_breaks_is_refused() -> None:
    class Broken(io.RawIOBase):
        def read(self, *_: object) -> bytes:
            raise ConnectionResetError

    assert ask(FORMS[0], "5", Broken()).status_code == 400


def test_nothing_before_it_reads_a_body_and_nothing_judges_one() -> None:
    """All that stands further out is asked with a body that must not be read."""

    def inner(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=204)

    outer = settings.MIDDLEWARE[: settings.MIDDLEWARE.index("wikivisage.middleware.bodies.Bodies")]
    handler: Any = inner
    for name in reversed(outer):
        handler = import_string(name)(handler)
    request: Any = RequestFactory().generic("POST", "/theme", b"x", FORMS[1])
    request._stream = Unread()
    assert handler(request).status_code == 204
    assert len(outer) <= 4


def test_a_file_ends_the_form_before_any_of_it_is_kept() -> None:
    request: Any = RequestFactory().post(
        "/", {"face": SimpleUploadedFile("a.jpg", b"a" * 3 * LIMIT)}
    )
    read: list[int] = []
    stream = request._stream

    class Counted:
        def read(self, size: int = -1) -> bytes:
            read.append(size)
            return bytes(stream.read(size))

    request._stream = Counted()
    with pytest.raises(MultiPartParserError):
        request.POST  # noqa: B018
    assert 0 < max(read) <= 65_536
    assert sum(read) < LIMIT


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/theme", "/objections/", "/nowhere", "/health/live"])
def test_who_sends_a_file_is_told_so_at_any_address(path: str) -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": f"127.0.0.1:{settings.PORT}"})
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    answer = client.post(path, {"face": SimpleUploadedFile("a.jpg", b"a" * 900_000)})
    assert (answer.status_code, answer.text) == (415, "This site takes no files.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        (f"{FORMS[0]}; charset=latin-1", b"a=b"),
        (FORMS[0], b"&".join(b"a=b" for _ in range(5001))),
    ],
)
def test_forms_that_cannot_be_read_are_refused_at_any_address(kind: str, body: bytes) -> None:
    for path in ("/theme", "/nowhere"):
        answer = Client(headers={"host": f"127.0.0.1:{settings.PORT}"}).post(
            path, body, content_type=kind
        )
        assert (answer.status_code, answer.text) == (400, "This form can’t be read. Try again.")
