"""`kyvao pdf augment` and `will-verify`: with files and a timestamp service, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result

from app.signing.cli import pdf
from pki.pades import proofs
from tests.app.signing.test_pdf_commands import pem
from tests.factories import pdfs
from tests.factories import proofs as files


@dataclass(frozen=True)
class Desk:
    folder: Path
    tsa: str

    def run(self, command: str, name: str, *more: str) -> Result:
        lists = [word for path in sorted(self.folder.glob("*.crl")) for word in ("--crl", str(path))]
        words = [command, str(self.folder / name), "--trust", str(self.folder / "city.pem"), *lists, *more]
        return CliRunner().invoke(pdf, words)

    def augment(self, name: str, level: str, *more: str) -> Result:
        return self.run("augment", name, "--level", level, "-o", str(self.folder / "made.pdf"), *more)

    def made(self) -> bytes:
        return (self.folder / "made.pdf").read_bytes()


@pytest.fixture
def tsa() -> Iterator[str]:
    answer = pdfs.timestamping(datetime.now(UTC), files.unit())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer(request))

        def log_message(self, *words: object) -> None:
            del words

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def desk(tmp_path: Path, tsa: str) -> Desk:
    material = files.material()
    (tmp_path / "city.pem").write_bytes(pem(*material.certificates_der))
    for number, der in enumerate(material.crls_der):
        (tmp_path / f"{number}.crl").write_bytes(der)
    (tmp_path / "signed.pdf").write_bytes(files.b_t())
    (tmp_path / "plain.pdf").write_bytes(pdfs.plain())
    (tmp_path / "locked.pdf").write_bytes(pdfs.encrypted())
    return Desk(tmp_path, tsa)


def test_a_signed_file_gets_its_material_and_keeps_its_bytes(desk: Desk) -> None:
    said = desk.augment("signed.pdf", "B-LT")
    assert (said.exit_code, "Level B-LT" in said.output) == (0, True), said.output
    assert desk.made().startswith(files.b_t()[:1000])
    assert proofs.read(BytesIO(desk.made())).held == files.material()


def test_a_signed_file_gets_a_document_timestamp(desk: Desk) -> None:
    said = desk.augment("signed.pdf", "B-LTA", "--tsa", desk.tsa)
    assert (said.exit_code, "renew by 20" in said.output) == (0, True), said.output
    assert proofs.read(BytesIO(desk.made())).is_sealed_by_time


@pytest.mark.parametrize(
    ("name", "level", "more", "code"),
    [
        ("plain.pdf", "B-LT", (), 1),
        ("locked.pdf", "B-LT", (), 2),
        ("signed.pdf", "B-LTA", (), 2),
        ("signed.pdf", "B-LT", ("--tsa", "http://127.0.0.1:9/"), 2),
        ("signed.pdf", "B-LTA", ("--tsa", "ftp://127.0.0.1/"), 2),
        ("signed.pdf", "B-LTA", ("--tsa", "http://127.0.0.1:9/"), 1),
    ],
)
def test_what_cannot_be_augmented_leaves_no_file(
    desk: Desk, name: str, level: str, more: tuple[str, ...], code: int
) -> None:
    assert desk.augment(name, level, *more).exit_code == code
    assert not (desk.folder / "made.pdf").exists()


def test_the_answer_about_a_day_names_the_day_on_which_it_ends(desk: Desk) -> None:
    (desk.folder / "lta.pdf").write_bytes(files.b_lta())
    ends = files.unit().certificate.not_valid_after_utc
    good = desk.run("will-verify", "lta.pdf", "--on", f"{ends - timedelta(days=1):%Y-%m-%d}")
    assert (good.exit_code, good.output[:3]) == (0, "Yes"), good.output
    assert f"{ends:%Y-%m-%d}" in good.output
    bad = desk.run("will-verify", "lta.pdf", "--on", f"{ends + timedelta(days=1):%Y-%m-%d}")
    assert (bad.exit_code, bad.output[:2]) == (1, "No")
    assert desk.run("will-verify", "plain.pdf", "--on", "2050-01-01").exit_code == 1
    assert desk.run("will-verify", "locked.pdf", "--on", "2050-01-01").exit_code == 2
