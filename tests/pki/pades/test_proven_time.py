"""The check of a file that outlives its certificates: what a chain of archive timestamps proves, and what not."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from asn1crypto import core

from pki.pades import augment
from pki.pades.dss import Material
from pki.pades.report import Reason, Report, TimeProof, Verdict
from pki.pades.verify import verify
from pki.revocation import RevocationReason
from pki.status_evidence import StatusEvidence
from tests.factories import pdfs
from tests.factories import proofs as files

SIGNER_ENDS = pdfs.signer().certificate.not_valid_after_utc
LATER = SIGNER_ENDS + timedelta(days=30)
HOUR = timedelta(hours=1)


def check(pdf: bytes, *, evidence: StatusEvidence | None = None) -> Report:
    return verify(pdf, trust=pdfs.trust(), evidence=evidence or pdfs.evidence(now=LATER - HOUR), now=LATER)


def test_without_a_proof_of_time_a_signature_ends_with_its_certificate() -> None:
    assert check(files.b_b()).reason is Reason.OUT_OF_VALIDITY


def test_an_archive_timestamp_proves_a_signature_after_its_certificate_ended() -> None:
    (one,) = check(files.b_lta()).signatures
    assert (one.verdict, one.proven_at) == (Verdict.VALID, files.SIGNED_AT)


def test_an_archive_timestamp_proves_the_time_of_a_signature_without_one_of_its_own() -> None:
    (one,) = check(files.b_lta(files.b_b())).signatures
    assert (one.verdict, one.time_proof, one.proven_at) == (Verdict.VALID, TimeProof.TIMESTAMP, files.STAMPED_AT)


def test_without_lists_in_the_file_nothing_tells_the_status_of_then() -> None:
    assert check(files.b_lta(files.b_b(), held=Material())).reason is Reason.STATUS_UNKNOWN


def test_an_archive_timestamp_of_a_revoked_unit_proves_nothing() -> None:
    stolen = (files.unit(), LATER - timedelta(days=1), RevocationReason.KEY_COMPROMISE)
    assert check(files.b_lta(), evidence=pdfs.evidence(stolen, now=LATER - HOUR)).verdict is not Verdict.VALID


@pytest.mark.parametrize("early", [True, False], ids=["in time", "too late"])
def test_a_renewal_keeps_an_older_timestamp_only_if_it_came_before_its_unit_was_revoked(early: bool) -> None:
    renewed_at = files.STAMPED_AT + timedelta(days=100)
    revoked_at = renewed_at + timedelta(days=1 if early else -1)
    stolen = (files.unit(), revoked_at, RevocationReason.KEY_COMPROMISE)
    old = files.b_lta(files.b_b())
    held = Material(crls_der=pdfs.evidence(*(() if early else (stolen,)), now=renewed_at - HOUR).crls_der)
    renewed = old + augment.renew(BytesIO(old), held, pdfs.timestamping(renewed_at))
    report = check(renewed, evidence=pdfs.evidence(stolen, now=LATER - HOUR))
    (one,) = report.signatures
    # Too late: only the renewal itself proves something, and by then the signer's certificate had ended.
    assert one.proven_at == (files.STAMPED_AT if early else renewed_at)
    assert report.verdict is (Verdict.VALID if early else Verdict.NOT_VALID)


def test_a_document_timestamp_over_other_octets_proves_nothing() -> None:
    sealed = files.b_lta(files.b_b())
    at = sealed.rindex(b"/ByteRange")
    changed = sealed[:at] + sealed[at:].replace(b"/ByteRange [0 ", b"/ByteRange [1 ", 1)
    assert changed != sealed
    assert check(changed).verdict is not Verdict.VALID


def test_a_document_timestamp_copied_from_another_file_proves_nothing() -> None:
    mine, other = files.b_lta(files.b_b()), files.b_lta(pdfs.signed(pdfs.plain("Another")))
    place, source = (one.rindex(b"/Contents <") + len(b"/Contents <") for one in (mine, other))
    length = mine.index(b">", place) - place
    swapped = mine[:place] + other[source : source + length] + mine[place + length :]
    assert check(swapped).verdict is not Verdict.VALID


def test_a_document_timestamp_changed_by_one_bit_proves_nothing() -> None:
    sealed = files.b_lta(files.b_b())
    policy = core.ObjectIdentifier(pdfs.POLICY).dump().hex().encode()
    at = sealed.lower().rindex(policy) + len(policy) - 1
    assert check(pdfs.flipped(sealed, at)).verdict is not Verdict.VALID
