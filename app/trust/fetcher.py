"""Asking an outside host, in the one way in which this house does it.

Whom we ask is written in certificates that strangers send, so an address counts for nothing by itself (SSRF): the host
must be listed by name, what its name leads to is looked up once and checked, and the connection is made to the checked
address itself, so that a name which leads elsewhere a moment later changes nothing. Nothing is followed, nothing of
ours is sent along, no proxy of the environment is used, and size and time are bounded as a whole.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Final
from urllib.parse import SplitResult, urlsplit

from app.trust.models import Failure

# A national authority's list of years has some MB.
LARGEST_LIST: Final = 20 * 1024 * 1024
LARGEST_ANSWER: Final = 100 * 1024
LONGEST: Final = 5.0
LONGEST_URL: Final = 2000
# Beside the body: what a decent server says about it.
_LARGEST_HEAD: Final = 64 * 1024
_PIECE: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}
# They carry an IPv4 address of anybody's choice: NAT64 (RFC 6052), and the old tunnels.
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Host and port -> IP addresses as text.
Resolver = Callable[[str, int], Sequence[str]]


class FetchFailed(Exception):
    """Nothing came that can be used; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


@dataclass(frozen=True)
class Listed:
    """A host that may be asked. `port` None: the usual one of the scheme."""

    host: str
    port: int | None = None
    may_be_private: bool = False


@dataclass(frozen=True)
class Question:
    """GET without a `body`, POST with one; `most` octets of answer are read at the most."""

    url: str
    most: int = LARGEST_LIST
    body: bytes | None = None
    content_type: str = ""


def listed(url: str, hosts: Collection[Listed]) -> Listed | None:
    """Return the entry that lets us ask at `url`; None if there is none, or if it is no plain http or https address."""
    parts = _split(url)
    if parts is None:
        return None
    host, port = (parts.hostname or "").rstrip("."), parts.port
    standard = _PORTS[parts.scheme]
    for one in hosts:
        if one.host == host and (port or standard) == (one.port or standard):
            return one
    return None


def look_up(host: str, port: int) -> Sequence[str]:
    """Return every address of a name as the system knows them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def fetch(question: Question, entry: Listed, *, resolve: Resolver = look_up, longest: float = LONGEST) -> bytes:
    """Return the body of an answer with status 200, within `longest` seconds from the first octet to the last.

    `entry` is what `listed` gave for the address. Raises FetchFailed.
    """
    ends_at = time.monotonic() + longest
    parts = _split(question.url)
    if parts is None or parts.hostname is None:
        raise FetchFailed(Failure.NO_ADDRESS)
    port = parts.port or _PORTS[parts.scheme]
    address = _checked(_found(parts.hostname, port, resolve, ends_at), entry)
    try:
        with _connected(address, port, parts, ends_at) as connection:
            _let(connection, ends_at)
            connection.sendall(_request(parts, question))
            raw = _read(connection, question.most + _LARGEST_HEAD, ends_at)
    except (OSError, ValueError) as error:
        raise FetchFailed(Failure.SILENT) from error
    return _body(raw, question)


def is_outside(address: Address) -> bool:
    """Return whether an address is one of the public network and means nothing else than itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_outside(address.ipv4_mapped)
        if address.sixtofour is not None or address.teredo is not None or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _found(host: str, port: int, resolve: Resolver, ends_at: float) -> list[Address]:
    """Return where a name leads. The system's look-up knows no time limit of ours, so it runs beside and is left."""
    found: list[Address] = []

    def look() -> None:
        # What is no answer is none: the list stays empty.
        with suppress(OSError, ValueError):
            found.extend([ipaddress.ip_address(one.partition("%")[0]) for one in resolve(host, port)])

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(max(0.0, ends_at - time.monotonic()))
    return list(found)


def _checked(found: Sequence[Address], entry: Listed) -> Address:
    """Return the address to connect to. One bad address among good ones spoils the name: nobody honest has that."""
    if not found:
        raise FetchFailed(Failure.NO_ADDRESS)
    if not all(is_outside(one) or (entry.may_be_private and _is_of_a_house(one)) for one in found):
        raise FetchFailed(Failure.PRIVATE_ADDRESS)
    return found[0]


def _is_of_a_house(address: Address) -> bool:
    """Return whether it is an address of somebody's own network; link-local ones, where clouds keep secrets, never."""
    return address.is_private and not (address.is_link_local or address.is_multicast or address.is_unspecified)


def _connected(address: Address, port: int, parts: SplitResult, ends_at: float) -> socket.socket:
    plain = socket.create_connection((str(address), port), timeout=_left(ends_at))
    if parts.scheme == "http":
        return plain
    try:
        _let(plain, ends_at)
        return ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)
    except BaseException:
        plain.close()
        raise


def _request(parts: SplitResult, question: Question) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"{'GET' if question.body is None else 'POST'} {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        "User-Agent: kyvao",
        "Accept: */*",
        "Connection: close",
    ]
    if question.body is not None:
        lines += [f"Content-Type: {question.content_type}", f"Content-Length: {len(question.body)}"]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + (question.body or b"")


def _read(connection: socket.socket, most: int, ends_at: float) -> bytes:
    content = bytearray()
    while True:
        _let(connection, ends_at)
        piece = connection.recv(_PIECE)
        if not piece:
            return bytes(content)
        content += piece
        if len(content) > most:
            raise FetchFailed(Failure.TOO_LARGE)


class _Arrived:
    """All that came, in the place of the connection from which `http.client` reads."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_: object, **__: object) -> IO[bytes]:
        return BytesIO(self._raw)


def _body(raw: bytes, question: Question) -> bytes:
    # The library only ever asks the connection for a file.
    answer = http.client.HTTPResponse(_Arrived(raw), method="POST" if question.body else "GET")  # type: ignore[arg-type]
    try:
        answer.begin()
        if answer.status != http.client.OK:
            redirected = 300 <= answer.status < 400
            raise FetchFailed(Failure.REDIRECTED if redirected else Failure.REFUSED)
        content = answer.read(question.most + 1)
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise FetchFailed(Failure.SILENT) from error
    if len(content) > question.most:
        raise FetchFailed(Failure.TOO_LARGE)
    # Cut off on the way: the server said how long it is.
    if answer.length:
        raise FetchFailed(Failure.SILENT)
    return content


def _split(url: str) -> SplitResult | None:
    if len(url) > LONGEST_URL or not url.isascii() or any(one <= " " or one == "\x7f" for one in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or "@" in parts.netloc or "\\" in url:
        return None
    return parts


def _let(connection: socket.socket, ends_at: float) -> None:
    connection.settimeout(_left(ends_at))


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
