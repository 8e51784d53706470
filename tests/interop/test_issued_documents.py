"""Documents that are issued, before every judge: initials, head, number and date, seal, proofs; each has a bad twin."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFilter

from pki.pades.augment import renew
from pki.pades.dss import Material
from pki.pades.fields import DATE, NUMBER, SEAL
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.interop.judges import certificate_file, run
from tests.pki.pades.test_fields import DATE as DATE_VALUE
from tests.pki.pades.test_fields import HEAD, INITIALS, filled, with_fields
from tests.pki.pades.test_fields import NUMBER as NUMBER_VALUE

NOW = factory.NOW
AT = ("-attime", str(int(NOW.timestamp())))


@pytest.fixture(scope="module")
def issued() -> bytes:
    answer = pdfs.timestamping(NOW)
    pdf = pdfs.signed(with_fields(), field_name=INITIALS, mark=pdfs.MARK, timestamp=answer)
    pdf = pdfs.signed(pdf, leaf=pdfs.signer("head"), field_name=HEAD, mark=pdfs.MARK, timestamp=answer)
    pdf = filled(pdf, {NUMBER: NUMBER_VALUE, DATE: DATE_VALUE})
    pdf = pdfs.signed(pdf, leaf=pdfs.signer("seal"), field_name=SEAL, mark=pdfs.MARK, timestamp=answer)
    certificates = (pdfs.signer().issuer.certificate_der, factory.root().certificate_der)
    return pdf + renew(BytesIO(pdf), Material(certificates, crls_der=pdfs.evidence().crls_der), answer)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def signatures(pdf: bytes) -> list[tuple[bytes, bytes]]:
    """Return covered bytes and DER object of each signature and timestamp, found without our own code."""
    found = []
    for match in re.finditer(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]", pdf):
        _, gap_start, gap_end, tail = (int(number) for number in match.groups())
        padded = bytes.fromhex(pdf[gap_start + 1 : gap_end - 1].decode())
        assert padded[:2] == b"\x30\x82"
        length = 4 + int.from_bytes(padded[2:4], "big")
        found.append((pdf[:gap_start] + pdf[gap_end : gap_end + tail], padded[:length]))
    return found


def test_poppler_finds_each_signature_valid_and_the_whole_file_covered(tmp_path: Path, issued: bytes) -> None:
    said = run("pdfsig", "-nocert", written(tmp_path / "issued.pdf", issued)).stdout
    assert said.count("Signature is Valid") == 3
    assert said.count("Total document signed") == 1
    changed = run("pdfsig", "-nocert", written(tmp_path / "changed.pdf", pdfs.flipped(issued, 12))).stdout
    assert "Signature is Valid" not in changed


def test_mupdf_finds_each_signature_valid(tmp_path: Path, issued: bytes) -> None:
    said = run("mutool", "sign", "-v", written(tmp_path / "issued.pdf", issued)).stdout
    # The rest of what it says is about the timestamp of the whole, which it cannot check.
    assert said.count("The signature is valid") == 3
    changed = run("mutool", "sign", "-v", written(tmp_path / "changed.pdf", pdfs.flipped(issued, 12))).stdout
    assert "The signature is valid" not in changed
    sealed = pdfs.signed(with_fields(), field_name=HEAD, mark=pdfs.MARK)
    assert "unchanged since signing" in run("mutool", "sign", "-v", written(tmp_path / "one.pdf", sealed)).stdout


def test_qpdf_has_nothing_to_say(tmp_path: Path, issued: bytes) -> None:
    checked = run("qpdf", "--check", written(tmp_path / "issued.pdf", issued))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert run("qpdf", "--check", written(tmp_path / "cut.pdf", issued[:-200])).returncode != 0


@pytest.mark.parametrize("change", ["nothing", "one bit"])
def test_openssl_verifies_the_message_of_each_signature(tmp_path: Path, issued: bytes, change: str) -> None:
    root = certificate_file(tmp_path / "root.pem", factory.root().certificate_der)
    *made, _document_timestamp = signatures(issued)
    assert len(made) == 3
    for content, cms_der in made:
        judged = run(
            *("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-cades", "-purpose", "any", *AT),
            *("-in", written(tmp_path / "signature.der", cms_der)),
            *("-content", written(tmp_path / "content", content if change == "nothing" else pdfs.flipped(content, 12))),
            *("-CAfile", root, "-out", tmp_path / "out"),
        )
        assert (judged.returncode == 0) is (change == "nothing"), judged.stderr


@pytest.mark.parametrize("change", ["nothing", "one bit"])
def test_openssl_verifies_the_timestamp_of_the_whole_document(tmp_path: Path, issued: bytes, change: str) -> None:
    content, token_der = signatures(issued)[-1]
    judged = run(
        *("openssl", "ts", "-verify", "-token_in", "-in", written(tmp_path / "token.der", token_der), *AT),
        *("-data", written(tmp_path / "data", content if change == "nothing" else pdfs.flipped(content, 12))),
        *("-CAfile", certificate_file(tmp_path / "root.pem", factory.root().certificate_der)),
        *("-untrusted", certificate_file(tmp_path / "unit.pem", pdfs.timestamp_leaf().issuer.certificate_der)),
    )
    assert (judged.returncode == 0) is (change == "nothing"), judged.stdout + judged.stderr


def test_what_each_signer_signed_says_no_time_of_its_own_but_names_the_certificate(
    tmp_path: Path, issued: bytes
) -> None:
    for _content, cms_der in signatures(issued)[:3]:
        said = run("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", written(tmp_path / "c", cms_der))
        assert "id-smime-aa-signingCertificateV2" in said.stdout
        assert "signingTime" not in said.stdout


def pictures(pdf: bytes, folder: Path) -> tuple[Image.Image, Image.Image]:
    """Return page 1 as poppler and as mupdf draw it, each a little blurred: they smooth edges in their own ways."""
    path = written(folder / "drawn.pdf", pdf)
    run("pdftoppm", "-r", "72", "-singlefile", "-png", path, folder / "poppler")
    run("mutool", "draw", "-q", "-r", "72", "-o", folder / "mupdf.png", path, "1")
    one, other = (
        Image.open(folder / name).convert("L").filter(ImageFilter.GaussianBlur(2))
        for name in ("poppler.png", "mupdf.png")
    )
    return one, other


def largest_difference(one: Image.Image, other: Image.Image) -> int:
    return int(ImageChops.difference(one, other).getextrema()[1])  # type: ignore[arg-type]  # one band: two numbers


def test_two_programs_draw_the_same_page(tmp_path: Path, issued: bytes) -> None:
    one, other = pictures(issued, tmp_path)
    assert one.size == other.size
    assert largest_difference(one, other) < 60
    bare, _ = pictures(pdfs.plain(), tmp_path)
    assert largest_difference(one, bare) > 60
