"""`kyvao pdf`: sign and check with files alone; the exit code says what a script needs to know."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from app.signing.cli import pdf
from pki import tsa
from pki.pades import proofs
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.factories.documents import encrypted_pdf
from tests.pki.pades.test_fields import with_fields

PASSPHRASE = b"a passphrase of the test"


@dataclass(frozen=True)
class Desk:
    """A folder with a paper, a key, certificates and lists, as somebody has them at a desk."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    def run(self, *words: str | Path) -> Result:
        return CliRunner().invoke(pdf, [str(word) for word in words])

    def sign(self, *more: str | Path, source: str = "paper.pdf", target: str = "signed.pdf") -> Result:
        key, chain = ("--key", self.path("key.pem")), ("--cert", self.path("chain.pem"))
        return self.run("sign", self.path(source), self.path(target), *key, *chain, *more)

    def check(self, name: str = "signed.pdf", *more: str | Path) -> Result:
        lists = [word for crl in sorted(self.folder.glob("*.crl")) for word in ("--crl", crl)]
        return self.run("verify", self.path(name), "--trust", self.path("root.pem"), *lists, *more)


def pem(*certificates_der: bytes) -> bytes:
    return b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in certificates_der)


def signer_of_today(now: datetime) -> factory.Leaf:
    """The commands read the clock, so the certificate must be good whenever the tests run."""
    return factory.certify(ProfileName.OFFICIAL_SIGNING, factory.MINH, now=now - timedelta(minutes=1))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    now = datetime.now(UTC)
    leaf = signer_of_today(now)
    private = leaf.key.private_key
    made = {
        "paper.pdf": pdfs.plain(),
        "fields.pdf": with_fields(),
        "key.pem": private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "locked.pem": private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE)),
        "passphrase": PASSPHRASE + b"\n",
        "chain.pem": pem(leaf.certificate_der, leaf.issuer.certificate_der),
        "root.pem": pem(factory.root().certificate_der, leaf.issuer.certificate_der),
        **{f"{number}.crl": crl for number, crl in enumerate(pdfs.evidence(now=now).crls_der)},
    }
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    return Desk(tmp_path)


@pytest.fixture
def timestamp_service() -> Iterator[str]:
    """A timestamp unit behind HTTP on the loopback, stamping the present time."""
    leaf = pdfs.timestamp_leaf()
    unit = tsa.TsaUnit(leaf.certificate_der, leaf.key, (leaf.issuer.certificate_der,), pdfs.POLICY)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = tsa.parse_request(self.rfile.read(int(self.headers["Content-Length"])))
            answer = tsa.respond(asked, unit=unit, serial_number=1, now=datetime.now(UTC))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_words: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/tsa"
        server.shutdown()
        thread.join()


def test_a_paper_that_is_signed_is_valid_and_the_exit_code_is_0(desk: Desk) -> None:
    assert desk.sign().exit_code == 0
    checked = desk.check()
    assert checked.exit_code == 0, checked.output
    assert checked.output.startswith("valid: ok")
    assert "Trần Văn Minh, Sở Khoa học và Công nghệ" in checked.output


def test_json_lists_signer_time_proof_verdict_reason_and_changes(desk: Desk) -> None:
    desk.sign()
    read = json.loads(desk.check("signed.pdf", "--json").output)
    one = read["signatures"][0]
    found = (read["verdict"], one["signer"], one["verdict"], one["reason"], one["time_proof"], one["changes_after"])
    assert found == ("valid", "Trần Văn Minh", "valid", "ok", "claimed", "none")


def test_with_a_timestamp_service_the_time_is_proven(desk: Desk, timestamp_service: str) -> None:
    assert desk.sign("--level", "B-T", "--tsa", timestamp_service).exit_code == 0
    checked = desk.check()
    assert checked.exit_code == 0
    assert "proven by a timestamp" in checked.output


@pytest.mark.parametrize("level", ["B-LT", "B-LTA"])
def test_proofs_for_decades_are_kept_in_the_file_and_another_program_finds_them(
    desk: Desk, timestamp_service: str, level: str
) -> None:
    lists = [word for crl in sorted(desk.folder.glob("*.crl")) for word in ("--crl", crl)]
    more = ("--tsa", timestamp_service, "--trust", desk.path("root.pem"), *lists)
    done = desk.sign("--level", level, *more)
    assert done.exit_code == 0, done.output
    assert desk.check().exit_code == 0
    with desk.path("signed.pdf").open("rb") as signed:
        assert proofs.read(signed).level == level
    judged = subprocess.run(
        ["pdfsig", "-nocert", desk.path("signed.pdf")], capture_output=True, check=False, text=True
    ).stdout
    assert "Signature is Valid" in judged
    assert ("Signature #2" in judged) is (level == "B-LTA")


def test_a_field_that_is_there_is_signed_into(desk: Desk) -> None:
    assert desk.sign("--field", "ky_lanhdao_1", "--mark", "Ký bởi|Lan", source="fields.pdf").exit_code == 0
    assert (
        "ky_lanhdao_1"
        in subprocess.run(
            ["pdfsig", "-nocert", desk.path("signed.pdf")], capture_output=True, check=False, text=True
        ).stdout
    )
    assert desk.sign("--field", "so_ky_hieu", source="fields.pdf").exit_code == 2


def test_a_mark_is_drawn_where_poppler_sees_it(desk: Desk) -> None:
    assert desk.sign("--mark", "Ký bởi|Nguyễn Thị Lan").exit_code == 0
    assert desk.check().exit_code == 0
    image = subprocess.run(
        ["pdftoppm", "-r", "72", "-png", "-singlefile", desk.path("signed.pdf"), desk.path("page")], check=False
    )
    assert image.returncode == 0
    assert desk.path("page.png").stat().st_size > 0


def test_a_second_signature_keeps_the_first_one(desk: Desk) -> None:
    desk.sign("--mark", "one", "--corner", "bottom_left")
    assert desk.sign("--mark", "two", source="signed.pdf", target="twice.pdf").exit_code == 0
    checked = desk.check("twice.pdf")
    assert checked.exit_code == 0, checked.output
    assert "Signature 2" in checked.output
    assert "covers the whole file: no; changes after it: signatures" in checked.output


def test_a_key_under_a_passphrase_needs_it(desk: Desk) -> None:
    locked = ("--key", desk.path("locked.pem"))
    assert desk.sign(*locked, "--passphrase-file", desk.path("passphrase")).exit_code == 0
    refused = desk.sign(*locked)
    assert refused.exit_code == 1
    assert "Nothing was signed" in refused.output


def test_a_changed_paper_is_not_valid_and_the_exit_code_is_1(desk: Desk) -> None:
    desk.sign()
    desk.path("changed.pdf").write_bytes(pdfs.flipped(desk.path("signed.pdf").read_bytes(), 300))
    checked = desk.check("changed.pdf")
    assert checked.exit_code == 1
    assert checked.output.startswith("not valid: changed")


def test_a_revoked_certificate_is_told_and_the_exit_code_is_1(desk: Desk, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    leaf = signer_of_today(now)
    desk.path("chain.pem").write_bytes(pem(leaf.certificate_der, leaf.issuer.certificate_der))
    desk.sign()
    revoked = pdfs.evidence((leaf, now, RevocationReason.KEY_COMPROMISE), now=now)
    for number, crl in enumerate(revoked.crls_der):
        (tmp_path / f"{number}.crl").write_bytes(crl)
    checked = desk.check()
    assert checked.exit_code == 1
    assert "certificate revoked since" in checked.output


def test_an_unsigned_paper_and_one_without_trust_have_the_exit_code_1(desk: Desk) -> None:
    assert desk.check("paper.pdf").exit_code == 1
    desk.sign()
    without = desk.run("verify", desk.path("signed.pdf"))
    assert (without.exit_code, "untrusted" in without.output) == (1, True)


@pytest.mark.parametrize("content", [b"no pdf", encrypted_pdf()], ids=["text", "encrypted"])
def test_an_unreadable_file_has_the_exit_code_2(desk: Desk, content: bytes) -> None:
    desk.path("odd.pdf").write_bytes(content)
    assert desk.check("odd.pdf").exit_code == 2
    refused = desk.sign(source="odd.pdf")
    assert (refused.exit_code, desk.path("signed.pdf").exists()) == (2, False)


def test_a_file_far_too_large_is_not_even_read(desk: Desk) -> None:
    with desk.path("large.pdf").open("wb") as large:
        large.truncate(65 * 1024 * 1024)
    assert desk.check("large.pdf").exit_code == 2


def test_a_timestamp_service_that_does_not_answer_leaves_nothing_behind(desk: Desk) -> None:
    refused = desk.sign("--tsa", "http://127.0.0.1:9/tsa")
    assert refused.exit_code == 1
    assert "Nothing was signed" in refused.output
    assert not desk.path("signed.pdf").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--level", "B-T"],
        ["--level", "B-B", "--tsa", "http://127.0.0.1:9/"],
        ["--tsa", "file:///etc/passwd"],
        ["--level", "B-LTA", "--tsa", "http://127.0.0.1:9/"],
        ["--level", "B-LT", "--ocsp", __file__],
        ["--crl", __file__],
    ],
)
def test_options_that_contradict_each_other_are_refused(desk: Desk, words: list[str]) -> None:
    assert desk.sign(*words).exit_code == 2
    assert not desk.path("signed.pdf").exists()


def test_files_that_hold_something_else_are_named(desk: Desk) -> None:
    assert "holds no certificates" in desk.sign("--cert", desk.path("paper.pdf")).output
    desk.sign()
    assert "not a revocation list" in desk.check("signed.pdf", "--crl", desk.path("paper.pdf")).output


def test_lists_may_be_in_pem_too(desk: Desk) -> None:
    desk.sign()
    for path in list(desk.folder.glob("*.crl")):
        path.write_bytes(x509.load_der_x509_crl(path.read_bytes()).public_bytes(Encoding.PEM))
    assert desk.check().exit_code == 0


def test_the_command_loads_no_web_and_no_database() -> None:
    code = "import sys, app.signing.cli; print([n for n in ('flask', 'sqlalchemy', 'psycopg') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
