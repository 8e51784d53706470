"""PDFs that we sign, before `pdfsig`, `qpdf` and `openssl cms`; each judge also sees a manipulated twin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.factories import pdfs
from tests.factories import pki as factory
from tests.interop.judges import certificate_file, run

VALID = "Signature is Valid"
WHOLE = "Total document signed"


@pytest.fixture(scope="module")
def signed() -> bytes:
    return pdfs.signed(mark=pdfs.MARK, placement=pdfs.FIRST_PLACE)


@pytest.fixture(scope="module")
def twice() -> bytes:
    first = pdfs.signed(timestamp=pdfs.timestamping(factory.NOW), mark=pdfs.MARK, placement=pdfs.FIRST_PLACE)
    return pdfs.signed(first, leaf=pdfs.signer("second"), mark=pdfs.MARK, placement=pdfs.SECOND_PLACE)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def parts(pdf: bytes) -> tuple[bytes, bytes]:
    """Return the signed bytes and the CMS object of the only signature, found without our own code."""
    found = re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]", pdf)
    assert found is not None
    _, gap_start, gap_end, tail = (int(number) for number in found.groups())
    padded = bytes.fromhex(pdf[gap_start + 1 : gap_end - 1].decode())
    length = 4 + int.from_bytes(padded[2:4], "big")
    assert padded[:2] == b"\x30\x82"
    return pdf[:gap_start] + pdf[gap_end : gap_end + tail], padded[:length]


def test_poppler_finds_a_signature_valid_and_the_whole_file_signed(tmp_path: Path, signed: bytes) -> None:
    said = run("pdfsig", "-nocert", written(tmp_path / "signed.pdf", signed)).stdout
    assert VALID in said
    assert WHOLE in said


def test_poppler_finds_a_changed_file_not_valid(tmp_path: Path, signed: bytes) -> None:
    said = run("pdfsig", "-nocert", written(tmp_path / "flipped.pdf", pdfs.flipped(signed, 12))).stdout
    assert VALID not in said


def test_poppler_finds_both_of_two_signatures_valid(tmp_path: Path, twice: bytes) -> None:
    said = run("pdfsig", "-nocert", written(tmp_path / "twice.pdf", twice)).stdout
    assert said.count(VALID) == 2
    assert said.count(WHOLE) == 1


def test_qpdf_has_nothing_to_say_about_a_file_signed_twice(tmp_path: Path, twice: bytes) -> None:
    whole = run("qpdf", "--check", written(tmp_path / "twice.pdf", twice))
    assert whole.returncode == 0, whole.stdout + whole.stderr
    cut = run("qpdf", "--check", written(tmp_path / "cut.pdf", twice[:-200]))
    assert cut.returncode != 0


@pytest.mark.parametrize("change", ["nothing", "one bit"])
def test_openssl_verifies_the_message_over_the_signed_bytes_to_the_root(
    tmp_path: Path, signed: bytes, change: str
) -> None:
    content, cms_der = parts(signed)
    judged = run(
        *("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-cades", "-purpose", "any"),
        *("-attime", str(int(factory.NOW.timestamp()))),
        *("-in", written(tmp_path / "signature.der", cms_der)),
        *("-content", written(tmp_path / "content", content if change == "nothing" else pdfs.flipped(content, 12))),
        *("-CAfile", certificate_file(tmp_path / "root.pem", factory.root().certificate_der)),
        *("-out", tmp_path / "out"),
    )
    assert (judged.returncode == 0) is (change == "nothing"), judged.stderr


def test_openssl_refuses_the_message_under_a_foreign_root(tmp_path: Path, signed: bytes) -> None:
    content, cms_der = parts(signed)
    judged = run(
        *("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any"),
        *("-attime", str(int(factory.NOW.timestamp()))),
        *("-in", written(tmp_path / "signature.der", cms_der)),
        *("-content", written(tmp_path / "content", content)),
        *("-CAfile", certificate_file(tmp_path / "root.pem", factory.root("foreign").certificate_der)),
        *("-out", tmp_path / "out"),
    )
    assert judged.returncode != 0


def test_the_message_carries_the_signer_and_the_issuer_but_no_root(signed: bytes) -> None:
    _, cms_der = parts(signed)
    assert pdfs.signer().issuer.certificate_der in cms_der
    assert factory.root().certificate_der not in cms_der
