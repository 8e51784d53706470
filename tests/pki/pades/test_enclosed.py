"""The certificates that a PDF brings along are found wherever a signature keeps them."""

from __future__ import annotations

from io import BytesIO

import pytest
from asn1crypto import cms

from pki.errors import PdfRefused
from pki.pades.enclosed import enclosed_certificates
from pki.pades.faults import PdfFault
from pki.profiles import ProfileName
from tests.factories import pdfs, proofs
from tests.factories import pki as factory


def found(pdf: bytes) -> tuple[bytes, ...]:
    return enclosed_certificates(BytesIO(pdf))


def test_the_signer_and_the_authority_above_stand_in_the_signature() -> None:
    leaf = pdfs.signer()
    certificates = found(pdfs.signed(leaf=leaf))
    assert {leaf.certificate_der, leaf.issuer.certificate_der} <= set(certificates)
    assert proofs.unit().certificate_der not in certificates


def test_those_of_a_timestamp_come_with_it() -> None:
    assert proofs.unit().certificate_der in found(proofs.b_t())


def test_those_of_the_store_and_of_an_archive_timestamp_are_found_once() -> None:
    certificates = found(proofs.b_lta())
    assert factory.root().certificate_der in certificates
    assert factory.authority(ProfileName.TSA_AUTHORITY).certificate_der in certificates
    assert len(certificates) == len(set(certificates))


def test_a_file_without_signatures_brings_none() -> None:
    assert found(pdfs.plain()) == ()


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7\n", proofs.b_b()[:400]], ids=["empty", "head alone", "cut off"])
def test_what_cannot_be_read_is_refused(pdf: bytes) -> None:
    with pytest.raises(PdfRefused) as refused:
        found(pdf)
    assert refused.value.fault is PdfFault.DAMAGED


def test_a_signature_without_any_certificate_brings_none() -> None:
    pdf = proofs.b_b()
    start = pdf.index(b"/Contents <") + len(b"/Contents <")
    end = pdf.index(b">", start)
    content = cms.ContentInfo.load(bytes.fromhex(pdf[start:end].decode()))
    del content["content"]["certificates"]
    bare = content.dump(force=True).hex().encode()
    assert found(pdf[:start] + bare.ljust(end - start, b"0") + pdf[end:]) == ()
