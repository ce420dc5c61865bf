"""The gate that every request of ours passes: to the configured wiki, and nowhere else.

`guard(session)` puts it into a session. Each request, redirects among them, must go to an origin
of `settings.WIKI` (scheme, host, port), and each new connection to a public address, looked at
after the name was resolved and before anything is connected: a name that suddenly points into
our own network opens nothing. Only a sandbox may stand at a private address.

It also loads what comes back, bounded in bytes (unpacked ones) and seconds, unless a caller asks
for a stream and sees to that itself.

A proxy that the operator names in the environment (HTTPS_PROXY) connects for us and resolves the
names; the origins are checked then, the addresses are the proxy's business.
"""

from __future__ import annotations

import logging
import socket
import time
from ipaddress import IPv6Address, ip_address
from typing import Any

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.cookies import cookielib  # type: ignore[attr-defined]
from requests.exceptions import ContentDecodingError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util import Url, parse_url

from wiki.json_tree import MAX_BYTES

log = logging.getLogger(__name__)

MAX_SECONDS = 15.0  # for a body, once its head is there
CHUNK = 65_536  # bytes
PORTS = {"http": 80, "https": 443}


class ForbiddenHost(requests.exceptions.InvalidURL):
    """This is no origin of the configured wiki."""


class ForbiddenAddress(requests.ConnectionError):
    """The name of an origin points to a private address now. It may be mended: try later."""


class TooLarge(requests.RequestException):
    """The body has more bytes than any answer of the wiki."""


class _ForbiddenAddress(Exception):
    """Passes through urllib3, which would try again after an OSError."""


def guard(session: requests.Session, **options: Any) -> requests.Session:
    """Let a session reach the wiki only, and keep nothing of one user for the next; `options` are
    those of HTTPAdapter."""
    for scheme in PORTS:
        session.mount(f"{scheme}://", WikiAdapter(**options))
    session.cookies.set_policy(cookielib.DefaultCookiePolicy(allowed_domains=[]))
    session.auth = session.auth or _NoNetrc()
    return session


def check_origin(url: str) -> None:
    """Raises ForbiddenHost. Read by the parser that urllib3 connects by, so that no address can
    mean one host here and another there."""
    parts = parse_url(url)
    allowed = {_origin(parse_url(origin)) for origin in settings.WIKI.allowed_origins}
    if parts.auth or _origin(parts) not in allowed:
        raise ForbiddenHost(f"{parts.scheme}://{parts.netloc}")


def _origin(parts: Url) -> tuple[str | None, str, int | None]:
    """The trailing dot of a full name is the same host; urllib3 has lowered the letters."""
    return parts.scheme, (parts.host or "").rstrip("."), parts.port or PORTS.get(parts.scheme or "")


def is_public(address: str) -> bool:
    """Is it an address of the internet, also where it wraps one of IPv4?"""
    ip = ip_address(address.partition("%")[0])  # without the zone of fe80::1%eth0
    if isinstance(ip, IPv6Address):
        if ip.is_site_local:
            return False
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def _addresses(host: str, port: int) -> list[str]:
    """What a name points to now. Raises OSError and _ForbiddenAddress."""
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not settings.WIKI.may_be_private and not all(map(is_public, addresses)):
        raise _ForbiddenAddress(f"{host} is at {', '.join(addresses)}")
    return addresses


class _Connection(HTTPConnection):
    """Connects to an address that was looked at, whatever the name points to a moment later."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = _addresses(name, self.port)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        try:
            for address in addresses[:-1]:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except (NewConnectionError, ConnectTimeoutError):
                    pass  # the next one
            self._dns_host = addresses[-1]
            return super()._new_conn()
        finally:
            self._dns_host = name  # the certificate must be the name's


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class WikiAdapter(HTTPAdapter):
    """Sends to the origins of the wiki. Raises ForbiddenHost, ForbiddenAddress and TooLarge."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        *args: Any,
        **options: Any,
    ) -> requests.Response:
        check_origin(request.url or "")
        try:
            response = super().send(request, stream, *args, **options)
        except _ForbiddenAddress as error:
            log.warning("not connected: %s", error)
            raise ForbiddenAddress(str(error), request=request) from error
        if not stream:
            _load(response)
        return response


def _load(response: requests.Response) -> None:
    """Read the body into the response, unpacked a bit at a time, within its bounds: one that has
    more bytes, or trickles in, ends here. Raises what requests does, and TooLarge."""
    until = time.monotonic() + MAX_SECONDS
    body = bytearray()
    try:
        while chunk := _chunk(response):
            body += chunk
            if len(body) > MAX_BYTES:
                raise TooLarge(f"more than {MAX_BYTES} bytes", response=response)
            if time.monotonic() > until:
                raise requests.ReadTimeout("the answer was too slow", response=response)
    except requests.RequestException:
        response.close()
        raise
    response._content = bytes(body)
    response._content_consumed = True  # type: ignore[attr-defined]


def _chunk(response: requests.Response) -> bytes:
    """The next bytes of a body; none at its end."""
    try:
        return response.raw.read1(CHUNK, decode_content=True) or b""
    except DecodeError as error:
        raise ContentDecodingError("it can't be unpacked", response=response) from error
    except (HTTPError, OSError) as error:
        raise requests.ConnectionError(type(error).__name__, response=response) from error


class _NoNetrc(AuthBase):
    """Otherwise requests would sign with what ~/.netrc holds, over our own header even."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
