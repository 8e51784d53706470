"""What a file proves by itself, when it has to be renewed, and on which day it stops to verify."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from pki.chains import TrustStore
from pki.errors import PdfRefused
from pki.pades import augment, proofs, simulate
from pki.pades.dss import Material
from pki.pades.faults import PdfFault
from pki.pades.proofs import MARGIN, Level
from pki.pades.simulate import Forecast, Weakness
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from pki.status_evidence import StatusEvidence
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.factories import proofs as files

UNIT_ENDS = files.unit().certificate.not_valid_after_utc
SIGNER_ENDS = pdfs.signer().certificate.not_valid_after_utc
SECOND = timedelta(seconds=1)


def forecast(
    pdf: bytes, at: datetime, *, trust: TrustStore | None = None, evidence: StatusEvidence | None = None
) -> Forecast:
    return simulate.will_verify(
        BytesIO(pdf),
        trust=trust or pdfs.trust(),
        evidence=evidence or StatusEvidence(),
        now=files.STAMPED_AT,
        at=at,
    )


@pytest.mark.parametrize(
    ("pdf", "level"),
    [
        (pdfs.plain(), None),
        (files.b_b(), Level.BASIC),
        (files.b_t(), Level.TIMESTAMP),
        (files.b_lt(), Level.LONG_TERM),
        (files.b_lta(), Level.ARCHIVE),
        # A document timestamp proves the time of a signature that has none of its own.
        (files.b_lta(files.b_b()), Level.ARCHIVE),
        (files.b_lta(files.b_b(), held=Material()), Level.TIMESTAMP),
        # Signed once more behind the timestamp.
        (pdfs.signed(files.b_lta()), Level.BASIC),
    ],
    ids=["unsigned", "B-B", "B-T", "B-LT", "B-LTA", "B-B then all", "B-B then time", "signed again"],
)
def test_the_level_is_what_the_file_holds(pdf: bytes, level: Level | None) -> None:
    assert proofs.read(BytesIO(pdf)).level == level


def test_a_file_tells_whose_status_is_asked_for() -> None:
    found = proofs.read(BytesIO(files.b_t()))
    leaf = files.unit()
    assert len(found.end_entities_der) == 2
    assert leaf.issuer.certificate_der in found.issuers_der
    assert found.proven_at == files.SIGNED_AT
    assert not found.is_sealed_by_time


def test_a_document_timestamp_over_the_whole_file_seals_it() -> None:
    sealed = files.b_lta()
    assert proofs.read(BytesIO(sealed)).is_sealed_by_time
    behind = sealed + augment.add_validation_material(
        BytesIO(sealed), Material(certificates_der=(pdfs.signer().certificate_der,))
    )
    assert not proofs.read(BytesIO(behind)).is_sealed_by_time


def test_the_next_proof_is_due_before_the_units_certificate_ends() -> None:
    assert proofs.renew_by(BytesIO(files.b_lta())) == UNIT_ENDS - MARGIN
    assert proofs.renew_by(BytesIO(files.b_t())) == UNIT_ENDS - MARGIN


def test_without_a_timestamp_the_signers_certificate_is_what_ends() -> None:
    assert proofs.read(BytesIO(files.b_b())).holds_until == SIGNER_ENDS


def test_an_unsigned_file_has_nothing_to_renew() -> None:
    assert proofs.renew_by(BytesIO(pdfs.plain())) is None


def test_an_authority_that_ends_before_its_unit_counts() -> None:
    pdf = files.b_lta()
    token = proofs.newest_proof(proofs.open_file(BytesIO(pdf)).entries)
    assert token is not None
    authority = factory.authority(ProfileName.TSA_AUTHORITY)
    assert proofs.holds_until(token, [b"unreadable", authority.certificate_der]) == UNIT_ENDS
    weak = replace(token, hash_algorithm="sha1")
    assert proofs.holds_until(weak, []) < datetime(2000, 1, 1, tzinfo=UTC)


def test_an_encrypted_file_is_refused() -> None:
    with pytest.raises(PdfRefused) as caught:
        proofs.read(BytesIO(pdfs.encrypted()))
    assert caught.value.fault is PdfFault.ENCRYPTED


@pytest.mark.parametrize("at", [SIGNER_ENDS + SECOND, UNIT_ENDS - SECOND])
def test_with_all_proofs_a_file_verifies_long_after_its_signers_certificate(at: datetime) -> None:
    assert forecast(files.b_lta(), at) == Forecast(True, UNIT_ENDS, Weakness.TIMESTAMP_ENDS, "dau_thoi_gian_1")


def test_the_second_in_which_the_unit_ends_is_the_first_of_failure() -> None:
    assert not forecast(files.b_lta(), UNIT_ENDS).holds


def test_material_without_a_document_timestamp_lasts_as_long_as_the_signatures_own() -> None:
    assert forecast(files.b_lt(), SIGNER_ENDS + SECOND) == Forecast(
        True, UNIT_ENDS, Weakness.TIMESTAMP_ENDS, "signature_1"
    )


def test_without_a_timestamp_a_signature_ends_with_its_certificate() -> None:
    assert forecast(files.b_b(), SIGNER_ENDS) == Forecast(False, SIGNER_ENDS, Weakness.TIME_NOT_PROVEN, "signature_1")
    assert forecast(files.b_b(), SIGNER_ENDS - SECOND).holds


def test_without_kept_status_a_signature_ends_with_its_certificate_too() -> None:
    assert forecast(files.b_t(), SIGNER_ENDS) == Forecast(False, SIGNER_ENDS, Weakness.STATUS_NOT_KEPT, "signature_1")


def test_a_signature_without_a_timestamp_is_proven_by_the_documents() -> None:
    assert forecast(files.b_lta(files.b_b()), SIGNER_ENDS + SECOND).fails_from == UNIT_ENDS


def test_an_unsigned_file_verifies_on_no_day() -> None:
    assert forecast(pdfs.plain(), files.STAMPED_AT) == Forecast(False, None, Weakness.UNSIGNED, None)


def test_under_a_root_that_is_not_trusted_it_never_verifies() -> None:
    found = forecast(files.b_lta(), SIGNER_ENDS, trust=pdfs.trust("foreign"))
    assert (found.holds, found.why) == (False, Weakness.UNTRUSTED)


def test_a_certificate_revoked_before_its_signature_never_verifies() -> None:
    leaf = pdfs.signer()
    known = pdfs.evidence((leaf, files.SIGNED_AT - SECOND, RevocationReason.KEY_COMPROMISE))
    found = forecast(pdfs.signed(leaf=leaf, timestamp=pdfs.timestamping(files.SIGNED_AT)), SIGNER_ENDS, evidence=known)
    assert (found.holds, found.why) == (False, Weakness.REVOKED)


def test_a_unit_whose_revocation_is_known_proves_nothing() -> None:
    known = pdfs.evidence((files.unit(), files.SIGNED_AT, RevocationReason.KEY_COMPROMISE), now=files.STAMPED_AT)
    found = forecast(files.b_lta(), files.STAMPED_AT, evidence=known)
    assert (found.holds, found.why) == (False, Weakness.REVOKED)


def test_a_renewal_in_time_carries_the_earlier_proof_along() -> None:
    renewed = files.b_lta(files.b_lta(), at=files.STAMPED_AT + timedelta(hours=2))
    found = forecast(renewed, UNIT_ENDS - SECOND)
    assert found == Forecast(True, UNIT_ENDS, Weakness.TIMESTAMP_ENDS, "dau_thoi_gian_2")


def test_a_renewal_after_the_end_of_the_proof_before_it_does_not_help() -> None:
    late = files.b_lta(files.b_lta(), at=UNIT_ENDS + timedelta(days=30))
    found = simulate.will_verify(
        BytesIO(late), trust=pdfs.trust(), evidence=StatusEvidence(), now=UNIT_ENDS + timedelta(days=31), at=UNIT_ENDS
    )
    assert not found.holds
    assert found.fails_from is not None
    assert found.fails_from <= UNIT_ENDS
