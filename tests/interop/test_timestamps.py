"""Our timestamps before `openssl ts`, which asks, reads and verifies; each check also sees a bad twin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pki import tsa
from pki.errors import TimestampRefused
from pki.tsa import TimestampFailure
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.interop.judges import certificate_file, run


@dataclass(frozen=True)
class Files:
    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    def ask(self, *more: str) -> bytes:
        """Let OpenSSL write a request over data.txt."""
        run("openssl", "ts", "-query", "-data", self.path("data.txt"), *more, "-out", self.path("request.tsq"))
        return self.path("request.tsq").read_bytes()

    def answer(self, request_der: bytes, leaf: factory.Leaf | None = None) -> bytes:
        response = pdfs.timestamping(factory.NOW, leaf)(request_der)
        self.path("response.tsr").write_bytes(response)
        return response

    def verify(self, *what: str | Path) -> bool:
        done = run(
            "openssl", "ts", "-verify", "-in", self.path("response.tsr"), *what,
            "-CAfile", self.path("root.pem"), "-untrusted", self.path("chain.pem"),
            "-attime", str(int(factory.NOW.timestamp())),
        )  # fmt: skip
        return done.returncode == 0 and "Verification: OK" in done.stdout + done.stderr


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "data.txt").write_bytes(b"a paper")
    unit = pdfs.timestamp_leaf()
    certificate_file(tmp_path / "root.pem", factory.root().certificate_der)
    certificate_file(tmp_path / "chain.pem", unit.issuer.certificate_der)
    return Files(tmp_path)


@pytest.mark.parametrize("digest", ["-sha256", "-sha384", "-sha512"])
def test_openssl_verifies_the_token_against_its_own_request(files: Files, digest: str) -> None:
    files.answer(files.ask(digest, "-cert"))
    assert files.verify("-queryfile", files.path("request.tsq"))
    assert files.verify("-data", files.path("data.txt"))


def test_openssl_verifies_a_token_without_nonce(files: Files) -> None:
    files.answer(files.ask("-sha256", "-no_nonce", "-cert"))
    assert files.verify("-queryfile", files.path("request.tsq"))


def test_openssl_refuses_the_token_of_other_data(files: Files) -> None:
    files.answer(files.ask("-sha256", "-cert"))
    files.path("data.txt").write_bytes(b"another paper")
    assert not files.verify("-data", files.path("data.txt"))


def test_openssl_refuses_the_token_of_another_request_over_the_same_data(files: Files) -> None:
    files.answer(files.ask("-sha256", "-cert"))
    files.ask("-sha256", "-cert")
    assert not files.verify("-queryfile", files.path("request.tsq"))


def test_openssl_refuses_a_token_under_another_root(files: Files) -> None:
    files.answer(files.ask("-sha256", "-cert"), pdfs.timestamp_leaf("foreign"))
    assert not files.verify("-queryfile", files.path("request.tsq"))


def test_openssl_refuses_a_token_by_a_certificate_for_something_else(files: Files) -> None:
    files.answer(files.ask("-sha256", "-cert"), pdfs.signer())
    assert not files.verify("-queryfile", files.path("request.tsq"))


def test_openssl_reads_time_accuracy_policy_and_status(files: Files) -> None:
    files.answer(files.ask("-sha256", "-cert"))
    said = run("openssl", "ts", "-reply", "-in", files.path("response.tsr"), "-text").stdout
    for words in (
        "Status: Granted.",
        f"Policy OID: {pdfs.POLICY}",
        "Nov 22 07:00:00 2026 GMT",
        "Accuracy: 0x01 seconds",
    ):
        assert words in said


def test_openssl_reads_why_a_request_with_a_weak_hash_was_refused(files: Files) -> None:
    with pytest.raises(TimestampRefused) as caught:
        tsa.parse_request(files.ask("-sha1", "-cert"))
    files.path("response.tsr").write_bytes(tsa.refuse(TimestampFailure(caught.value.failure)))
    said = run("openssl", "ts", "-reply", "-in", files.path("response.tsr"), "-text").stdout
    assert "Status: Rejected." in said
    assert "unrecognized or unsupported algorithm identifier" in said
