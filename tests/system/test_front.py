"""What reaches a real gunicorn, as deployed, from clients that send too much or too slowly."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.conf import settings

from bench.system import ROOT, free_ports

pytestmark = pytest.mark.process

MB = 1_000_000
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="face"; filename="face.jpg"\r\n\r\n'


class Gunicorn:
    """`with Gunicorn(…)`: one worker with four threads."""

    def __init__(self, folder: Path, **environment: str) -> None:
        [self.port] = free_ports(1)
        self.home = folder
        command = [sys.executable, "-m", "gunicorn", "tests.served:application"]
        command += ["--bind", f"127.0.0.1:{self.port}", "--threads", "4", "--graceful-timeout", "1"]
        with (folder / "web.log").open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | {"HOME": str(folder), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Gunicorn:
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                if requests.get(f"http://127.0.0.1:{self.port}/health/live", timeout=60).ok:
                    return self
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError((self.home / "web.log").read_text())

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def connections(self) -> int:
        """How many clients the worker holds."""
        [worker] = psutil.Process(self.process.pid).children()
        held = worker.net_connections("tcp4")
        return sum(each.status == psutil.CONN_ESTABLISHED for each in held)

    def peak_memory(self) -> int:
        """Of the worker, in bytes."""
        [worker] = psutil.Process(self.process.pid).children()
        status = Path(f"/proc/{worker.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024


@pytest.fixture
def gunicorn(shared_database: str, tmp_path: Path) -> Iterator[Gunicorn]:
    with Gunicorn(tmp_path, LOG_FORMAT="json", XDG_RUNTIME_DIR="") as running:
        yield running


def head(kind: str, length: int | None, path: str = "/theme", **headers: str) -> bytes:
    """Of a POST whose sender made up a cookie against forged forms, which has the form read."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{settings.PORT}",
        f"Cookie: {settings.CSRF_COOKIE_NAME}=abcdefghijklmnopqrstuvwxyzABCDEF",
        f"Content-Type: {kind}",
        f"Content-Length: {length}" if length is not None else "Transfer-Encoding: chunked",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def status_of(connection: socket.socket) -> int:
    answer = b""
    while b"\r\n" not in answer and (more := connection.recv(4096)):
        answer += more
    return int(answer.split()[1])


def push(connection: socket.socket, piece: bytes, size: int) -> None:
    """Send so many bytes, or as many as the server lets in."""
    try:
        for _ in range(size // len(piece)):
            connection.sendall(piece)
    except OSError:
        return


def test_a_hundred_megabytes_take_no_memory(gunicorn: Gunicorn) -> None:
    piece = b"a" * 65_536
    chunk = b"10000\r\n" + piece + b"\r\n"
    ways = (
        (MULTIPART, 100 * MB, FILE, piece, 413),
        (FORM, 100 * MB, b"theme=", piece, 413),
        ("image/jpeg", 100 * MB, b"", piece, 413),
        (MULTIPART, None, b"4b\r\n" + FILE + b"\r\n", chunk, 411),
        (FORM, None, b"", chunk, 411),
    )
    before = gunicorn.peak_memory()
    for kind, length, first, then, status in ways:
        for path in ("/theme", "/nowhere", "/health/live", "/static/x"):
            with gunicorn.connect() as connection:
                connection.sendall(head(kind, length, path) + first)
                assert status_of(connection) == status, (kind, length, path)
                push(connection, then, 100 * MB)
    assert gunicorn.peak_memory() - before < 10 * MB
    assert requests.get(f"http://127.0.0.1:{gunicorn.port}/health/live", timeout=60).ok
    assert not (gunicorn.home / ".gunicorn").exists()  # no socket by which to control it


def test_a_form_that_ends_early_changes_nothing(gunicorn: Gunicorn) -> None:
    token = "abcdefghijklmnopqrstuvwxyzABCDEF"
    body = f"csrfmiddlewaretoken={token}&theme=dark&next=/".encode()
    for missing, status in ((0, 302), (1, 400)):
        with gunicorn.connect() as connection:
            connection.sendall(head(FORM, len(body) + missing, Connection="close") + body)
            connection.shutdown(socket.SHUT_WR)
            assert status_of(connection) == status


def trickle(connections: list[socket.socket], until: threading.Event) -> None:
    """Send a byte on each of them twice a second."""
    while not until.wait(0.5):
        for connection in connections:
            with suppress(OSError):
                connection.send(b"a")


@contextmanager
def slow(
    connect: Callable[[], socket.socket], heads: int, bodies: int
) -> Iterator[list[socket.socket]]:
    """Open connections whose requests never end, and that many that say nothing at all."""
    beginnings = [head(FORM, 1000).partition(b"\r\n\r\n")[0]] * heads + [head(FORM, 1000)] * bodies
    with ExitStack() as stack:
        talking = [stack.enter_context(connect()) for _ in beginnings]
        for _ in beginnings:
            stack.enter_context(connect())
        for connection, beginning in zip(talking, beginnings, strict=True):
            connection.sendall(beginning)
        until = threading.Event()
        thread = threading.Thread(target=trickle, args=(talking, until))
        thread.start()
        yield talking
        until.set()
        thread.join()


def test_slow_clients_do_not_keep_the_threads(gunicorn: Gunicorn) -> None:
    """Without a proxy, too, it answers after a while: as many as there are threads."""
    with slow(gunicorn.connect, heads=2, bodies=2):
        answer = requests.get(f"http://127.0.0.1:{gunicorn.port}/health/live", timeout=60)
    assert answer.ok


NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
EXAMPLE = ROOT / "deploy" / "nginx.conf.example"
NAME = "wikivisage.example.org"
MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 768; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    include {folder}/wikivisage.conf;
}}
"""


def make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=1),
    )
    certificate = builder.sign(key, hashes.SHA256())
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "privkey.pem").write_bytes(pem)


class Nginx:
    """`with Nginx(…)`: the example of deploy/ before a server, at other ports."""

    def __init__(self, folder: Path, upstream: int) -> None:
        self.port, plain = free_ports(2)
        make_certificate(folder)
        text = EXAMPLE.read_text()
        for before, after in (
            ("listen 80;", f"listen 127.0.0.1:{plain};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
            ("    listen [::]:80;\n", ""),
            ("    listen [::]:443 ssl;\n", ""),
            (f"/etc/letsencrypt/live/{NAME}/", f"{folder}/"),
            ("http://127.0.0.1:8000;", f"http://127.0.0.1:{upstream};"),
        ):
            assert before in text
            text = text.replace(before, after)
        (folder / "wikivisage.conf").write_text(text)
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        self.log = folder / "nginx.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def __enter__(self) -> Nginx:
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                self.connect().close()
            except OSError:
                time.sleep(0.1)
            else:
                return self
        raise AssertionError(self.log.read_text())

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
        return unchecked.wrap_socket(plain, server_hostname=NAME)

    def live(self) -> int:
        with self.connect() as connection:
            connection.sendall(f"GET /health/live HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            return status_of(connection)


@pytest.fixture
def nginx(gunicorn: Gunicorn, tmp_path: Path) -> Iterator[Nginx]:
    if not NGINX:
        pytest.skip("nginx is not installed: apt install nginx-light")
    with Nginx(tmp_path, gunicorn.port) as running:
        yield running


def test_behind_the_proxy_of_the_example_slow_clients_reach_no_thread(
    gunicorn: Gunicorn, nginx: Nginx
) -> None:
    with slow(nginx.connect, heads=50, bodies=200) as talking:
        assert [nginx.live() for _ in range(8)] == [200] * 8
        bodies = talking[50:]
        assert len(bodies) == 200
        assert all(is_open(each) for each in bodies)
        assert gunicorn.connections() <= 1  # of a probe that just ended
        assert nginx.live() == 200


def test_the_proxy_of_the_example_lets_in_small_forms_only(
    gunicorn: Gunicorn, nginx: Nginx
) -> None:
    with nginx.connect() as connection:
        connection.sendall(head(FORM, 100 * MB))
        assert status_of(connection) == 413
    with nginx.connect() as connection:  # a length is found out by reading it whole
        connection.sendall(head(FORM, None) + b"3\r\na=b\r\n0\r\n\r\n")
        assert status_of(connection) == 403
    assert gunicorn.connections() <= 1  # of a probe that just ended


def is_open(connection: socket.socket) -> bool:
    """Whether the server neither answered nor closed."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(1)) and False
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    finally:
        connection.setblocking(True)
