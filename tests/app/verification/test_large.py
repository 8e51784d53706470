"""Large papers: read where the server put them, by the page, by programs and for a report, never held in memory."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.settings import Settings
from app.verification import registered, service
from app.verification.source import pieces, sha256_of, source_of
from pki.pades.finish import finish
from pki.pades.prepare import prepare
from tests.app.signing.conftest import Signer
from tests.app.verification.test_check import verdict_of
from tests.app.verification.test_paper import spooled, work
from tests.factories.api import token_of
from tests.factories.documents import answer_of
from tests.factories.forms import csrf_token

MEGABYTE = 1024 * 1024
# A sixth of the file: what is read in pieces stays far below, what is read at once far above.
MOST = 10 * MEGABYTE


@pytest.fixture
def large(minh: Signer, tmp_path: Path) -> Path:
    """A paper of sixty pages and sixty megabytes that Minh signed."""
    path, certificate_der = tmp_path / "large.pdf", minh.certificate.der or b""
    with pikepdf.new() as pdf:
        for _ in range(60):
            pdf.add_blank_page(page_size=(595, 842))
            pdf.pages[-1].obj.Ballast = pdf.make_stream(os.urandom(MEGABYTE))
        pdf.save(path)
    with path.open("r+b") as base:
        prepared = prepare(base, certificate_der=certificate_der, now=datetime.now(UTC))
        value = answer_of(minh.key, prepared.signed_attributes_der)
        update = finish(prepared, signature_value=value, certificate_der=certificate_der, timestamp=None)
        base.seek(0, os.SEEK_END)
        base.write(update)
    return path


@contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST, f"{peak / MEGABYTE:.1f} MB"


def as_form(client: FlaskClient, field: str, large: Path) -> Path:
    """Return a file with the body that a browser would send; the boundary is `x`."""
    path = large.with_suffix(".body")
    head = (
        f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{csrf_token(client, "/verify")}\r\n'
        f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="large.pdf"\r\n\r\n'
    )
    path.write_bytes(head.encode() + large.read_bytes() + b"\r\n--x--\r\n")
    return path


def test_a_large_paper_is_checked_where_it_lies(client: FlaskClient, large: Path) -> None:
    body = as_form(client, "file", large)
    with body.open("rb") as stream, little_memory():
        answer = client.post("/verify", input_stream=stream, headers=form_headers(body))
    assert verdict_of(answer) == "Hợp lệ"


def test_a_large_paper_waits_on_the_disk_for_its_report(client: FlaskClient, large: Path, city: Settings) -> None:
    body = as_form(client, "paper", large)
    with body.open("rb") as stream, little_memory():
        page = client.post("/verify/reports", input_stream=stream, headers=form_headers(body)).location
    (waits,) = spooled(city)
    assert waits.stat().st_size > 60 * MEGABYTE
    with little_memory():
        work()
    assert client.get(f"{page}/file").data.startswith(b"%PDF")


def test_a_large_paper_is_checked_for_programs_where_it_lies(web: Flask, large: Path) -> None:
    headers = {"Authorization": f"Bearer {token_of('minh')}", "Content-Type": "application/pdf"}
    headers["Content-Length"] = str(large.stat().st_size)
    with large.open("rb") as stream, little_memory():
        answer = web.test_client().post("/api/v1/verifications", input_stream=stream, headers=headers)
    assert answer.get_json()["verdict"] == "valid"
    assert answer.get_json()["sha256"] == hashlib.sha256(large.read_bytes()).hexdigest()


def form_headers(body: Path) -> dict[str, str]:
    return {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(body.stat().st_size)}


@pytest.mark.parametrize("at", [MEGABYTE - 40, MEGABYTE - 3, MEGABYTE, 2 * MEGABYTE - 1])
def test_what_lies_across_two_pieces_is_found_as_in_a_small_file(tmp_path: Path, at: int) -> None:
    name = b"/crl/issuing_officials/7.crl".hex().encode()
    for mark in (name, b"%%EOF\r\n", b"%%EOF"):
        content = bytes(at) + mark + bytes(MEGABYTE)
        path = tmp_path / "file"
        path.write_bytes(content)
        with path.open("rb") as file:
            source = source_of(file)
            assert not isinstance(source, bytes)
            assert service.named_lists(source) == service.named_lists(content)
            assert registered.digests_of(content).items() <= registered.digests_of(source).items()
            assert sha256_of(source) == hashlib.sha256(content).digest()
            assert b"".join(piece for _, piece in pieces(source)) == content


def test_a_small_file_is_held_in_memory() -> None:
    assert source_of(BytesIO(b"small")) == b"small"
    assert registered.digests_of(b"") == {hashlib.sha256().hexdigest(): True}
