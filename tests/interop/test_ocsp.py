"""Our answers before `openssl ocsp`, `ocsptool` and pkilint: in files, and from a server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import load_der_ocsp_response

from pki import ocsp
from pki.errors import OcspMalformed
from pki.names import ServiceName
from pki.ocsp import CertStatus, HashName, OcspError, SingleStatus
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.factories.pki import CITY, LAN, Leaf, certify, responder, root
from tests.interop.judges import certificate_file, lint, run

# Other programs read the clock of the machine.
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


class Responder:
    """Answers for the citizens' authority from a table of serial numbers."""

    def __init__(self, statuses: dict[int, CertStatus], *, by: Leaf | None = None, now: datetime = NOW) -> None:
        self.by = by or certify(
            ProfileName.OCSP_RESPONDER, ServiceName("OCSP", CITY), issuer=ProfileName.ISSUING_CITIZENS, now=NOW
        )
        self.statuses = statuses
        self.now = now

    def answer(self, request_der: bytes) -> bytes:
        try:
            request = ocsp.parse_request(request_der)
        except OcspMalformed:
            return ocsp.error_response(OcspError.MALFORMED_REQUEST)
        singles = [self._single(one) for one in request.cert_ids]
        return ocsp.build_response(
            singles, responder=self.by.as_issuer, now=self.now, lifetime=HOUR, nonce=request.nonce
        )

    def _single(self, cert_id: ocsp.CertId) -> SingleStatus:
        issuer_der = self.by.issuer.certificate_der
        known = cert_id.issuer in {ocsp.issuer_id(issuer_der, name) for name in HashName}
        status = self.statuses.get(cert_id.serial_number, CertStatus.UNKNOWN) if known else CertStatus.UNKNOWN
        if status is CertStatus.REVOKED:
            return SingleStatus(cert_id, status, NOW - HOUR, RevocationReason.KEY_COMPROMISE)
        return SingleStatus(cert_id, status)


@contextmanager
def served(by: Responder) -> Iterator[str]:
    """Serve OCSP by POST on a free port of loopback and give its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = by.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/ocsp-response")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name it has above
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/ocsp"
    finally:
        server.shutdown()
        server.server_close()


class Files:
    """What `openssl ocsp` needs on disk."""

    def __init__(self, folder: Path, leaf: Leaf) -> None:
        self.folder, self.leaf = folder, leaf
        self.certificate = certificate_file(folder / "leaf.pem", leaf.certificate_der)
        self.issuer = certificate_file(folder / "ca.pem", leaf.issuer.certificate_der)
        self.anchor = certificate_file(folder / "root.pem", root().certificate_der)

    def ask(self, by: Responder, *options: str | Path) -> tuple[str, str]:
        """Return what OpenSSL says about certificate and signature: its exit code says too little."""
        with served(by) as url:
            answer = run(
                *("openssl", "ocsp", *options, "-issuer", self.issuer, "-cert", self.certificate, "-url", url),
                *("-CAfile", self.anchor, "-verify_other", self.issuer, "-respout", self.folder / "r.der"),
            )
        return answer.stdout, answer.stderr


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path, certify(ProfileName.CITIZEN_SIGNING, LAN, now=NOW))


def knowing(files: Files, status: CertStatus, **changes: object) -> Responder:
    return Responder({files.leaf.certificate.serial_number: status}, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [("-sha256",), ("-sha1",), ("-no_nonce",)])
def test_openssl_accepts_a_good_answer(files: Files, options: tuple[str, ...]):
    said, judged = files.ask(knowing(files, CertStatus.GOOD), *options)
    assert "leaf.pem: good" in said
    assert "Response verify OK" in judged
    assert "WARNING" not in judged or options == ("-no_nonce",)


def test_openssl_reads_when_and_why_a_certificate_was_revoked(files: Files):
    said, judged = files.ask(knowing(files, CertStatus.REVOKED))
    assert "leaf.pem: revoked" in said
    assert "Reason: keyCompromise" in said
    assert "Response verify OK" in judged


def test_openssl_reads_that_a_serial_number_is_unknown(files: Files):
    said, judged = files.ask(Responder({}))
    assert "leaf.pem: unknown" in said
    assert "Response verify OK" in judged


def test_openssl_gets_two_answers_to_two_questions(files: Files):
    other = certify(ProfileName.CITIZEN_SIGNING, LAN, now=NOW)
    path = certificate_file(files.folder / "other.pem", other.certificate_der)
    by = knowing(files, CertStatus.GOOD)
    by.statuses[other.certificate.serial_number] = CertStatus.REVOKED
    with served(by) as url:
        answer = run(
            *("openssl", "ocsp", "-issuer", files.issuer, "-cert", files.certificate, "-cert", path, "-url", url),
            *("-CAfile", files.anchor, "-verify_other", files.issuer),
        )
    assert "leaf.pem: good" in answer.stdout
    assert "other.pem: revoked" in answer.stdout
    assert "Response verify OK" in answer.stderr


def test_openssl_refuses_a_responder_of_another_root(files: Files):
    foreign = responder(ProfileName.ISSUING_CITIZENS, "foreign")
    said, judged = files.ask(knowing(files, CertStatus.GOOD, by=foreign))
    assert "Response verify OK" not in judged
    assert "leaf.pem: good" not in said


def test_openssl_refuses_an_answer_signed_with_a_certificate_for_something_else(files: Files):
    person = certify(ProfileName.CITIZEN_SIGNING, LAN, now=NOW)
    _, judged = files.ask(knowing(files, CertStatus.GOOD, by=person))
    assert "Response verify OK" not in judged


def test_openssl_notices_an_answer_that_has_run_out(files: Files):
    said, judged = files.ask(knowing(files, CertStatus.GOOD, now=NOW - 3 * HOUR))
    assert "status expired" in judged.lower() + said.lower()


def test_gnutls_accepts_our_answer_and_not_a_damaged_one(files: Files):
    by = knowing(files, CertStatus.GOOD)
    files.ask(by)
    signer = certificate_file(files.folder / "ocsp.pem", by.by.certificate_der)
    words = ("ocsptool", "--verify-response", "--load-signer", signer, "--load-response")
    path = files.folder / "r.der"
    assert "Verifying OCSP Response: Success" in run(*words, path).stdout
    encoded = path.read_bytes()
    (files.folder / "bad.der").write_bytes(encoded.replace(b"\x80\x00\x18", b"\x82\x00\x18"))
    assert (files.folder / "bad.der").read_bytes() != encoded
    assert "Verifying OCSP Response: Success" not in run(*words, files.folder / "bad.der").stdout


def test_pkilint_finds_nothing_in_our_answers(files: Files):
    for status in CertStatus:
        files.ask(knowing(files, status))
        answer = lint("lint_ocsp_response", files.folder / "r.der")
        assert (answer.returncode, answer.stdout.strip(), answer.stderr) == (0, "", "")


def test_pkilint_finds_an_answer_that_ends_before_it_begins(files: Files):
    by = knowing(files, CertStatus.GOOD)
    files.ask(by)
    encoded = (files.folder / "r.der").read_bytes()
    ends = (NOW + HOUR).strftime("%Y%m%d%H%M%SZ").encode()
    assert encoded.count(ends) == 1
    early = (NOW - HOUR).strftime("%Y%m%d%H%M%SZ").encode()
    (files.folder / "early.der").write_bytes(encoded.replace(ends, early))
    assert lint("lint_ocsp_response", files.folder / "early.der").returncode > 0


def test_a_request_that_is_cut_off_gets_an_error_that_openssl_reads(files: Files):
    (files.folder / "e.der").write_bytes(Responder({}).answer(b"\x30\x03"))
    answer = run("openssl", "ocsp", "-respin", files.folder / "e.der", "-noverify")
    assert "malformedrequest" in answer.stdout.lower() + answer.stderr.lower()


def test_the_certificate_in_the_answer_is_the_responders(files: Files):
    by = knowing(files, CertStatus.GOOD)
    files.ask(by)
    read = load_der_ocsp_response((files.folder / "r.der").read_bytes())
    assert [one.public_bytes(Encoding.DER) for one in read.certificates] == [by.by.certificate_der]
