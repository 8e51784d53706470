"""Asking an outside host: only a listed one, only where its name really leads, never longer or more than said."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from app.trust.fetcher import FetchFailed, Listed, Question, fetch, is_outside, listed
from app.trust.models import Failure
from tests.factories.outside import Server

HERE: Final = Listed("crl.example.vn", may_be_private=True)


def to(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    """Return a resolver for which every name leads to `addresses`."""
    return lambda host, port: addresses


def got(
    outside: Server,
    path: str = "/list",
    *,
    entry: Listed = HERE,
    resolve: Callable[[str, int], Sequence[str]] | None = None,
    most: int = 1000,
    longest: float = 5.0,
) -> bytes:
    question = Question(outside.url(path, "crl.example.vn"), most)
    return fetch(question, entry, resolve=resolve or to("127.0.0.1"), longest=longest)


def failure(outside: Server, **more: Any) -> Failure:
    with pytest.raises(FetchFailed) as failed:
        got(outside, **more)
    return failed.value.failure


@contextmanager
def speaking(answer: Callable[[socket.socket], None], *, greeting: bool = True) -> Iterator[Server]:
    """Serve one connection with what `answer` sends, after the question where it is to be read first."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                if greeting:
                    connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Server(listening.getsockname()[1])


def test_the_connection_goes_to_the_address_that_was_checked_and_names_the_host(outside: Server) -> None:
    outside.answers["/list"] = b"list"
    assert got(outside) == b"list"
    assert outside.asked == [f"GET /list crl.example.vn:{outside.port}"]


def test_a_question_with_a_body_is_posted(outside: Server) -> None:
    outside.answers["/ocsp"] = lambda request: request[::-1]
    question = Question(outside.url("/ocsp"), 100, b"abc", "application/ocsp-request")
    assert fetch(question, HERE, resolve=to("127.0.0.1")) == b"cba"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://crl.example.vn/a",
        "file:///etc/passwd",
        "http://crl.example.vn@127.0.0.1/a",
        "http://user:secret@crl.example.vn/a",
        "http://crl.example.vn:0/a",
        "http://crl.example.vn:99999/a",
        "http://crl.example.vn:8080/a",
        "http://crl.example.vn.evil.example/a",
        "http://evil.example/crl.example.vn",
        "http://127.0.0.1/a",
        "http://crl.example.vn\\@evil.example/a",
        "http://crl.example.vn/a\r\nHost: evil.example",
        "http://crl.example.vn/a b",
        "http://crl.exam\u0440le.vn/a",
        "http:///a",
        "http://[::1/a",
        "http://crl.example.vn/" + "a" * 2000,
        "",
    ],
)
def test_an_address_that_is_not_plainly_that_of_a_listed_host_is_not_asked(url: str) -> None:
    assert listed(url, [Listed("crl.example.vn")]) is None


def test_a_listed_host_is_known_by_name_and_port() -> None:
    standard, special = Listed("crl.example.vn"), Listed("crl.example.vn", 8080)
    assert listed("http://crl.example.vn/a", [special, standard]) is standard
    assert listed("HTTPS://CRL.example.vn:443/a", [special, standard]) is standard
    assert listed("http://crl.example.vn.:8080/a", [standard, special]) is special
    assert listed("http://[::1]:80/", [Listed("::1")]) == Listed("::1")


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1"),
    ],
)
def test_an_address_inside_a_network_is_refused_for_a_host_of_the_public_one(outside: Server, address: str) -> None:
    assert not is_outside(ipaddress.ip_address(address))
    assert failure(outside, entry=Listed("crl.example.vn"), resolve=to(address)) is Failure.PRIVATE_ADDRESS
    assert outside.asked == []


@pytest.mark.parametrize("address", ["8.8.8.8", "203.162.0.11", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_an_address_of_the_public_network_is_one(address: str) -> None:
    assert is_outside(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::"])
def test_a_host_that_may_be_private_still_leads_to_no_machine_of_its_own_kind(outside: Server, address: str) -> None:
    assert failure(outside, resolve=to(address)) is Failure.PRIVATE_ADDRESS


def test_one_private_address_among_public_ones_spoils_the_name(outside: Server) -> None:
    resolve = to("8.8.8.8", "127.0.0.1")
    assert failure(outside, entry=Listed("crl.example.vn"), resolve=resolve) is Failure.PRIVATE_ADDRESS


def test_a_name_is_looked_up_once_so_that_it_cannot_lead_elsewhere_a_moment_later(outside: Server) -> None:
    """DNS rebinding: the second look-up would give an address that nobody checked."""
    outside.answers["/list"] = b"list"
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    assert got(outside, resolve=lambda host, port: next(answers)) == b"list"
    assert next(answers) == ["169.254.169.254"]


def test_a_name_that_leads_nowhere_is_no_answer(outside: Server) -> None:
    def fails(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, host)

    for resolve in (fails, to(), to("nonsense")):
        assert failure(outside, resolve=resolve) is Failure.NO_ADDRESS


def test_a_look_up_that_does_not_come_back_does_not_hold_us(outside: Server) -> None:
    never = threading.Event()

    def hangs(host: str, port: int) -> Sequence[str]:
        never.wait(20)
        return ["127.0.0.1"]

    assert failure(outside, resolve=hangs, longest=0.1) is Failure.NO_ADDRESS
    never.set()
    assert outside.asked == []


def test_a_redirect_is_not_followed(outside: Server) -> None:
    outside.answers["/secret"] = b"secret"
    for status in (301, 302, 303, 307, 308):
        outside.answers["/list"] = (status, {"Location": outside.url("/secret")}, b"")
        assert failure(outside) is Failure.REDIRECTED
    assert all("/secret" not in one for one in outside.asked)


def test_any_other_answer_than_ok_is_a_refusal(outside: Server) -> None:
    for status in (201, 204, 206, 400, 403, 404, 500):
        outside.answers["/list"] = (status, {}, b"")
        assert failure(outside) is Failure.REFUSED


def test_an_answer_is_taken_up_to_the_limit_and_not_an_octet_further(outside: Server) -> None:
    outside.answers["/list"] = b"x" * 1000
    assert len(got(outside)) == 1000
    outside.answers["/list"] = b"x" * 1001
    assert failure(outside) is Failure.TOO_LARGE


def test_an_answer_without_end_is_broken_off() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with speaking(lambda connection: _until_closed(endless, connection)) as host:
        assert failure(host) is Failure.TOO_LARGE


def test_a_drop_at_a_time_does_not_hold_us_longer_than_said() -> None:
    """Each drop comes well within any time-out of its own; together they would take minutes."""
    stop = threading.Event()

    def drops(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not stop.wait(0.02):
            connection.sendall(b"a")

    with speaking(lambda connection: _until_closed(drops, connection)) as host:
        assert failure(host, longest=0.3) is Failure.SILENT
    stop.set()


def test_a_host_that_says_nothing_or_hangs_up_is_silent() -> None:
    for answer in (b"", b"hello", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", b"\xff" * 100):
        with speaking(lambda connection, answer=answer: connection.sendall(answer)) as host:
            assert failure(host) is Failure.SILENT
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert failure(Server(port)) is Failure.SILENT


def test_an_answer_in_pieces_is_put_together() -> None:
    pieces = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
    with speaking(lambda connection: connection.sendall(pieces)) as host:
        assert got(host) == b"abcde"


def test_https_wants_a_certificate_for_the_name(outside: Server) -> None:
    """The loopback speaks no TLS: nothing is sent in the clear instead."""
    question = Question(f"https://crl.example.vn:{outside.port}/list")
    with pytest.raises(FetchFailed, match=Failure.SILENT):
        fetch(question, HERE, resolve=to("127.0.0.1"))
    assert outside.asked == []


def test_https_is_spoken_with_a_host_whose_certificate_is_good_for_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "subjectAltName=DNS:crl.example.vn"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "host.pem")]
    subprocess.run([*command, *files, "-subj", "/CN=host", "-addext", names], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "host.pem", tmp_path / "key.pem")

    def answer(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlist")

    def ask(name: str) -> bytes:
        with speaking(answer, greeting=False) as host:
            question = Question(f"https://{name}:{host.port}/list")
            return fetch(question, HERE, resolve=to("127.0.0.1"))

    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "host.pem"))
    assert ask("crl.example.vn") == b"list"
    with pytest.raises(FetchFailed, match=Failure.SILENT):
        ask("other.example.vn")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(FetchFailed, match=Failure.SILENT):
        ask("crl.example.vn")


def test_what_is_no_address_is_not_fetched_even_when_asked_to() -> None:
    with pytest.raises(FetchFailed, match=Failure.NO_ADDRESS):
        fetch(Question("file:///etc/passwd"), HERE)


def _until_closed(send: Callable[[socket.socket], None], connection: socket.socket) -> None:
    try:
        send(connection)
    except OSError:
        return
