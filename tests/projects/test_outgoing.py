"""Only the configured wiki is ever fetched: by origin, by address, and by every way out."""

from __future__ import annotations

import ast
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from allauth.socialaccount.adapter import get_adapter
from django.conf import settings as django_settings
from pytest_django import Settings

from wiki import http, sites
from wiki.egress import ForbiddenAddress, ForbiddenHost, check_origin, guard, is_public
from wiki.http import WikiError


class Server:
    """A small server that answers each path as told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.signed: list[str] = []
        self.redirects: dict[str, str] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.signed.append(self.headers.get("Authorization", ""))
                to = outer.redirects.get(self.path)
                self.send_response(302 if to else 200)
                if to:
                    self.send_header("Location", to)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def wiki(settings: Settings) -> Iterator[Server]:
    """The configured wiki."""
    with serving() as server:
        settings.WIKI = sites.sandbox(server.url)
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    with serving() as server:
        yield server


def sessions() -> list[requests.Session]:
    """All by which something goes out: our own, allauth's, pywikibot's."""
    from wiki.transport import http as pywikibot  # type: ignore[attr-defined]

    return [http.session(), get_adapter().get_requests_session(), pywikibot.session]


def test_every_session_refuses_other_origins_and_redirects_to_them(
    wiki: Server, elsewhere: Server
) -> None:
    wiki.redirects = {"/away": f"{elsewhere.url}/secret", "/here": "/there"}
    for session in sessions():
        assert session.get(f"{wiki.url}/here").text == "ok"
        for url in (f"{elsewhere.url}/secret", f"{wiki.url}/away"):
            with pytest.raises(ForbiddenHost):
                session.get(url)
    assert elsewhere.asked == []
    with pytest.raises(WikiError, match="forbidden-host"):
        http.fetch("GET", f"{wiki.url}/away")
    assert elsewhere.asked == []


def test_a_token_goes_to_the_api_and_no_further(wiki: Server, settings: Settings) -> None:
    with serving() as pictures:
        settings.WIKI = replace(settings.WIKI, image_hosts=(pictures.url,))
        wiki.redirects = {"/on": f"{pictures.url}/x"}
        http.fetch("GET", f"{wiki.url}/on", headers={"Authorization": "Bearer canary"})
        assert (wiki.signed, pictures.signed) == (["Bearer canary"], [""])


@pytest.mark.parametrize(
    "url",
    [
        "http://commons.wikimedia.org/",  # not https
        "https://commons.wikimedia.org:8443/",
        "https://commons.wikimedia.org@evil.example/",
        "https://user:password@commons.wikimedia.org/",
        "https://evil.example\\@commons.wikimedia.org/",
        "https://evil.example#@commons.wikimedia.org/",
        "https://commons.wikimedia.org.evil.example/",
        "https://commons.wikimedia.org%2eevil.example/",
        "https://ＣOMMONS.wikimedia.org.evil.example/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "//commons.wikimedia.org/",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "ftp://commons.wikimedia.org/",
        "",
    ],
)
def test_what_only_looks_like_our_wiki_is_refused(settings: Settings, url: str) -> None:
    settings.WIKI = sites.commons()
    with pytest.raises(WikiError, match="forbidden-host"):
        http.fetch("GET", url)


def test_one_origin_has_several_spellings(settings: Settings) -> None:
    settings.WIKI = sites.commons()
    check_origin("https://commons.wikimedia.org/w/api.php?x=@evil.example")
    check_origin("https://COMMONS.wikimedia.org:443/w/api.php")


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """A resolver that gives one answer after the other, and the last one for ever."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        if host.endswith("wikimedia.org"):
            asked.append(host)
            host = answers[min(len(asked), len(answers)) - 1]
        return list(real(host, port, *args, **options))

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("session", [0, 1, 2], ids=["ours", "allauth", "pywikibot"])
def test_a_name_that_points_into_our_network_is_not_connected_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, elsewhere: Server, session: int
) -> None:
    """The server stands at 127.0.0.1, and the name of the wiki points there."""
    api = f"http://commons.wikimedia.org:{elsewhere.port}"
    settings.WIKI = replace(sites.commons(), commons=api, meta=api)
    asked = resolving(monkeypatch, "127.0.0.1")
    connected: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: connected.append(address))
    with pytest.raises(ForbiddenAddress, match=r"is at 127\.0\.0\.1"):
        sessions()[session].get(f"{api}/w/api.php", timeout=2)
    with pytest.raises(WikiError) as caught:
        http.fetch("GET", f"{api}/w/api.php")
    assert caught.value.code == "network"  # it may be mended: tried later, and set aside at last
    assert asked
    assert (connected, elsewhere.asked) == ([], [])


def test_what_was_looked_at_is_what_is_connected_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, elsewhere: Server
) -> None:
    """A name that points to a public address once, and into our network when asked again."""
    api = f"http://commons.wikimedia.org:{elsewhere.port}"
    settings.WIKI = replace(sites.commons(), commons=api)
    resolving(monkeypatch, "198.41.0.4", "127.0.0.1")
    connected: list[str] = []

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(requests.ConnectionError):
        guard(requests.Session()).get(f"{api}/", timeout=2)
    assert connected == ["198.41.0.4"]


def test_the_next_address_of_a_name_is_tried(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, wiki: Server
) -> None:
    base = f"http://localhost:{wiki.port}"
    settings.WIKI = sites.sandbox(base)
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.9", 1)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1)),
    ]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: found if host == "localhost" else real(host, *rest, **more),
    )
    assert http.fetch("GET", f"{base}/x").text == "ok"


def test_private_addresses_in_every_dress() -> None:
    private = (
        "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1"
        " 240.0.0.1 255.255.255.255 192.0.2.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fec0::1 ff02::1"
        " ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::127.0.0.1 2002:7f00:1::1 64:ff9b::7f00:1 2001:db8::1"
    )
    assert [address for address in private.split() if is_public(address)] == []
    public = "198.35.26.96 2620:0:863:ed1a::1 ::ffff:198.35.26.96"
    assert all(map(is_public, public.split()))


def test_nothing_is_signed_with_what_netrc_holds(
    wiki: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login alice password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for session in sessions():
        session.get(f"{wiki.url}/x")
    assert set(wiki.signed) == {""}


# No other way out ---------------------------------------------------------------------------

WAYS_OUT = {
    "aiohttp", "asyncio", "ftplib", "http", "httpx", "imaplib", "poplib", "pywikibot", "requests",
    "smtplib", "socket", "ssl", "telnetlib", "urllib", "urllib3", "websockets", "xmlrpc",
}  # fmt: skip
HARMLESS = ("urllib.parse", "http.HTTPStatus", "requests.exceptions")
# Who may import what of them, and why.
ALLOWED = {
    # the gate itself, and what gives it a session
    "wiki/egress.py": {"requests", "socket", "urllib3"},
    "wiki/http.py": {"requests", "urllib3"},
    # pywikibot's session passes the gate
    "wiki/transport.py": {"requests", "pywikibot"},
    # names of exceptions and types
    "projects/accounts/login.py": {"requests"},
    "crawler/pictures/fetch.py": {"requests", "urllib3"},
    # the name of this machine
    "core/metrics.py": {"socket"},
    # the oldest version of TLS for the database
    "wikivisage/settings.py": {"ssl"},
    # shuts down connections that came in
    "wikivisage/runtime/serving.py": {"socket"},
    # asks its own processes on this machine whether they are up
    "wikivisage/management/commands/run.py": {"socket", "urllib"},
}


def imported(path: Path) -> set[str]:
    """Top packages of the ways out that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    kept = {name for name in found if not name.startswith(HARMLESS)}
    return {name.partition(".")[0] for name in kept} & WAYS_OUT


def test_no_module_of_ours_has_another_way_out() -> None:
    root = Path(django_settings.BASE_DIR)
    apps = ("wikivisage", "wiki", "core", "projects", "crawler", "classify", "sdc")
    files = [path for app in apps for path in (root / app).rglob("*.py")]
    found = {
        str(path.relative_to(root)): imported(path) for path in [*files, root / "celery_app.py"]
    }
    assert len(found) > 100
    others = {name: ways - ALLOWED.get(name, set()) for name, ways in found.items()}
    assert {name: ways for name, ways in others.items() if ways} == {}


def test_sessions_are_made_at_the_gate_only() -> None:
    """Whoever may import requests for its names makes no session, and sends nothing, by itself."""
    root = Path(django_settings.BASE_DIR)
    makes = (
        "requests.get(",
        "requests.post(",
        "requests.request(",
        "requests.Session(",
        "HTTPAdapter",
    )
    for name in ALLOWED.keys() - {"wiki/egress.py", "wiki/http.py"}:
        text = (root / name).read_text()
        assert not [way for way in makes if way in text], name
    assert (root / "wiki/http.py").read_text().count("requests.Session(") == 1
