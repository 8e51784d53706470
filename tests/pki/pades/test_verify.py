"""The check of a PDF: each hostile file has its own answer, and its clean twin is valid."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.fields import MDPPerm

from pki.chains import TrustStore
from pki.errors import PdfRefused
from pki.pades import cms
from pki.pades.faults import PdfFault
from pki.pades.placement import Placement
from pki.pades.report import Changes, Reason, Report, TimeProof, Verdict
from pki.pades.verify import verify
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from pki.status_evidence import StatusEvidence
from tests.factories import pdfs
from tests.factories import pki as factory

NOW = factory.NOW + timedelta(hours=1)
BOTH = 2


def check(
    pdf: bytes,
    *,
    trust: TrustStore | None = None,
    evidence: StatusEvidence | None = None,
) -> Report:
    return verify(pdf, trust=trust or pdfs.trust(), evidence=evidence or pdfs.evidence(), now=NOW)


@pytest.fixture(scope="module")
def signed() -> bytes:
    return pdfs.signed()


@pytest.fixture(scope="module")
def stamped() -> bytes:
    return pdfs.signed(timestamp=pdfs.timestamping(factory.NOW), mark=pdfs.MARK, placement=pdfs.FIRST_PLACE)


def test_a_signed_file_is_valid_and_says_who_and_for_whom(signed: bytes) -> None:
    report = check(signed)
    (one,) = report.signatures
    assert (report.verdict, report.reason) == (Verdict.VALID, Reason.OK)
    assert (one.signer, one.organisation) == ("Trần Văn Minh", "Sở Khoa học và Công nghệ")
    assert one.covers_whole_file
    assert one.changes_after is Changes.NONE


def test_without_a_timestamp_the_time_is_only_claimed(signed: bytes) -> None:
    (one,) = check(signed).signatures
    assert (one.time_proof, one.claimed_at, one.proven_at) == (TimeProof.CLAIMED, factory.NOW, None)


def test_with_a_timestamp_the_time_is_proven(stamped: bytes) -> None:
    (one,) = check(stamped).signatures
    assert (one.verdict, one.time_proof, one.proven_at) == (Verdict.VALID, TimeProof.TIMESTAMP, factory.NOW)


def test_the_report_goes_through_json(stamped: bytes) -> None:
    read = json.loads(json.dumps(check(stamped).to_json()))
    assert read["verdict"] == "valid"
    assert read["signatures"][0]["proven_at"] == factory.NOW.isoformat()


def test_a_second_signature_leaves_the_first_one_valid(stamped: bytes) -> None:
    twice = pdfs.signed(stamped, leaf=pdfs.signer("second"), mark=pdfs.MARK, placement=pdfs.SECOND_PLACE)
    report = check(twice)
    assert [one.verdict for one in report.signatures] == [Verdict.VALID] * BOTH
    assert [one.covers_whole_file for one in report.signatures] == [False, True]
    assert report.signatures[0].changes_after is Changes.SIGNATURES


def test_a_second_invisible_signature_leaves_the_first_one_valid(signed: bytes) -> None:
    report = check(pdfs.signed(signed, leaf=pdfs.signer("second")))
    assert (report.verdict, len(report.signatures)) == (Verdict.VALID, BOTH)


def test_a_file_without_signatures_is_unsigned_not_valid_and_not_wrong() -> None:
    report = check(pdfs.plain())
    assert (report.verdict, report.reason, report.signatures) == (Verdict.INDETERMINATE, Reason.UNSIGNED, ())


@pytest.mark.parametrize("at", [30, 200, 400, 700])
def test_a_flipped_byte_is_not_valid(signed: bytes, at: int) -> None:
    assert check(pdfs.flipped(signed, at)).verdict is Verdict.NOT_VALID


def test_every_flipped_byte_of_the_last_kilobyte_is_not_valid(signed: bytes) -> None:
    for at in range(len(signed) - 1024, len(signed), 16):
        assert check(pdfs.flipped(signed, at)).verdict is Verdict.NOT_VALID, at


def test_bytes_behind_the_end_are_not_valid_and_a_line_end_too_is_no_part_of_what_was_signed(signed: bytes) -> None:
    assert check(signed + b"% more").reason is Reason.BYTES_AFTER_END
    assert check(signed + b"\n").verdict is Verdict.NOT_VALID


def test_bytes_behind_the_end_with_an_end_of_their_own_are_not_valid(signed: bytes) -> None:
    assert check(signed + b"9 0 obj << >> endobj\n%%EOF\n").verdict is Verdict.NOT_VALID


def test_bytes_before_the_beginning_are_not_valid(signed: bytes) -> None:
    report = check(b"GIF89a\n" + signed)
    assert (report.verdict, report.reason) == (Verdict.NOT_VALID, Reason.BYTES_BEFORE_START)


@pytest.mark.parametrize("change", [pdfs.with_other_text, pdfs.with_new_page], ids=["text", "page"])
def test_content_changed_by_an_update_is_not_valid(signed: bytes, change: object) -> None:
    assert callable(change)
    report = check(change(signed))
    assert (report.verdict, report.reason) == (Verdict.NOT_VALID, Reason.CHANGED_AFTER_SIGNING)


def test_a_redrawn_form_field_is_not_valid_and_its_twin_is() -> None:
    clean = pdfs.signed(pdfs.with_text_field())
    assert check(clean).verdict is Verdict.VALID
    assert check(pdfs.with_redrawn_field(clean)).verdict is Verdict.NOT_VALID


def test_an_empty_field_laid_over_the_page_is_not_valid(signed: bytes) -> None:
    assert check(pdfs.with_empty_field(signed, (0, 0, 595, 842))).verdict is not Verdict.VALID


@pytest.mark.parametrize(
    "rectangle",
    [(0.0, 0.0, 595.0, 842.0), pdfs.FIRST_PLACE.rectangle, (70.0, 730.0, 260.0, 760.0)],
    ids=["the whole page", "the first mark", "text"],
)
def test_a_signed_field_laid_over_what_was_signed_is_not_enough_evidence(
    stamped: bytes, rectangle: tuple[float, float, float, float]
) -> None:
    assert check(pdfs.signed_by_another_program(stamped, rectangle)).reason is Reason.OVERLAID_AFTER_SIGNING


def test_a_signed_field_beside_what_was_signed_is_valid(stamped: bytes) -> None:
    report = check(pdfs.signed_by_another_program(stamped, pdfs.SECOND_PLACE.rectangle))
    assert report.signatures[0].verdict is Verdict.VALID


def test_a_signed_field_over_most_of_an_empty_page_is_not_enough_evidence() -> None:
    scanned = pdfs.signed(pdfs.plain(" "))
    assert check(pdfs.signed_by_another_program(scanned, (0.0, 0.0, 595.0, 250.0))).reason is (
        Reason.OVERLAID_AFTER_SIGNING
    )


def test_a_widget_added_below_a_field_that_was_there_is_a_new_field() -> None:
    clean = pdfs.signed(pdfs.with_group_of_fields())
    assert check(clean).verdict is Verdict.VALID
    assert check(pdfs.with_field_in_group(clean)).verdict is not Verdict.VALID


def test_a_field_that_names_no_page_is_not_enough_evidence(signed: bytes) -> None:
    assert check(pdfs.with_field_of_no_page(signed)).verdict is not Verdict.VALID


def test_a_tree_of_fields_without_end_is_not_valid(signed: bytes) -> None:
    assert check(pdfs.with_endless_fields(signed)).verdict is Verdict.NOT_VALID


def test_attributes_that_name_another_certificate_are_not_valid() -> None:
    leaf, other = pdfs.signer(), pdfs.signer()
    waiting = pdfs.prepared(leaf=leaf)
    swapped = replace(
        waiting, signed_attributes_der=cms.signed_attributes(waiting.document_digest, other.certificate_der)
    )
    assert check(pdfs.assembled(waiting, leaf)).verdict is Verdict.VALID
    assert check(pdfs.assembled(swapped, leaf)).verdict is Verdict.NOT_VALID


@pytest.mark.parametrize("missing", ["signing_certificate_v2", "content_type"])
def test_attributes_without_certificate_or_content_type_are_not_valid(missing: str) -> None:
    leaf = pdfs.signer()
    waiting = pdfs.prepared(leaf=leaf)
    kept = [one for one in asn1_cms.CMSAttributes.load(waiting.signed_attributes_der) if one["type"].native != missing]
    bare = replace(waiting, signed_attributes_der=asn1_cms.CMSAttributes(kept).dump())
    assert check(pdfs.assembled(bare, leaf)).reason is Reason.BAD_SIGNATURE


def test_the_token_of_another_signature_proves_nothing() -> None:
    leaf = pdfs.signer()
    for data, proof in ((b"another value", TimeProof.BAD_TIMESTAMP), (None, TimeProof.TIMESTAMP)):
        (one,) = check(pdfs.assembled(pdfs.prepared(leaf=leaf), leaf, stamped=True, stamped_data=data)).signatures
        assert one.time_proof is proof


def test_a_token_changed_by_one_bit_proves_nothing(stamped: bytes) -> None:
    policy = core.ObjectIdentifier(pdfs.POLICY).dump().hex().upper().encode()
    changed = pdfs.flipped(stamped, stamped.index(policy) + len(policy) - 1)
    (one,) = check(changed).signatures
    assert (one.time_proof, one.proven_at) == (TimeProof.BAD_TIMESTAMP, None)


def test_a_signature_of_another_program_in_the_older_form_is_judged() -> None:
    old = pdfs.certified(MDPPerm.FILL_FORMS)
    assert b"/adbe.pkcs7.detached" in old
    trust = TrustStore(pdfs.trust().roots_der, (factory.authority(ProfileName.ISSUING_OFFICIALS).certificate_der,))
    assert check(old, trust=trust).verdict is Verdict.VALID


def test_one_signature_shown_in_two_fields_is_not_valid(signed: bytes) -> None:
    assert check(pdfs.with_copied_signature(signed)).verdict is Verdict.NOT_VALID


@pytest.mark.parametrize("numbers", ["0 10 20 30", "1 2 3 4", "0 0 0 0", "0 9 9", "9999999 1 2 3", "0 100 50 100"])
def test_odd_byte_ranges_are_not_valid(signed: bytes, numbers: str) -> None:
    assert check(pdfs.with_byte_range(signed, numbers)).verdict is Verdict.NOT_VALID


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_not_valid(signed: bytes, part: float) -> None:
    assert check(signed[: int(len(signed) * part)]).verdict is not Verdict.VALID


def test_an_encrypted_file_is_refused() -> None:
    with pytest.raises(PdfRefused) as caught:
        check(pdfs.encrypted())
    assert caught.value.fault is PdfFault.ENCRYPTED


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"hello", PdfFault.NOT_A_PDF),
        (b"", PdfFault.NOT_A_PDF),
        (b"%PDF-" + bytes(100 * 1024 * 1024), PdfFault.TOO_LARGE),
    ],
    ids=["text", "empty", "large"],
)
def test_what_is_no_pdf_or_too_large_is_refused(content: bytes, fault: PdfFault) -> None:
    with pytest.raises(PdfRefused) as caught:
        check(content)
    assert caught.value.fault is fault


def test_a_foreign_root_is_not_enough_evidence(signed: bytes) -> None:
    report = check(signed, trust=pdfs.trust("foreign"))
    assert (report.verdict, report.reason) == (Verdict.INDETERMINATE, Reason.UNTRUSTED)


def test_without_lists_the_status_is_unknown(signed: bytes) -> None:
    report = check(signed, evidence=StatusEvidence())
    assert (report.verdict, report.reason) == (Verdict.INDETERMINATE, Reason.STATUS_UNKNOWN)


def test_with_an_old_list_the_status_is_unknown(signed: bytes) -> None:
    old = pdfs.evidence(now=NOW - timedelta(days=2))
    assert check(signed, evidence=old).reason is Reason.STATUS_UNKNOWN


def test_a_revoked_certificate_without_a_timestamp_proves_nothing() -> None:
    leaf = pdfs.signer()
    revoked = pdfs.evidence((leaf, factory.NOW + timedelta(minutes=1), RevocationReason.KEY_COMPROMISE))
    report = check(pdfs.signed(leaf=leaf), evidence=revoked)
    assert report.verdict is not Verdict.VALID
    assert report.signatures[0].revoked_at == factory.NOW + timedelta(minutes=1)


@pytest.mark.parametrize(("seconds", "verdict"), [(1, Verdict.VALID), (0, Verdict.NOT_VALID), (-1, Verdict.NOT_VALID)])
def test_a_signature_stays_valid_only_if_timestamped_before_the_revocation(seconds: int, verdict: Verdict) -> None:
    leaf = pdfs.signer()
    paper = pdfs.signed(leaf=leaf, timestamp=pdfs.timestamping(factory.NOW))
    revoked = pdfs.evidence((leaf, factory.NOW + timedelta(seconds=seconds), RevocationReason.KEY_COMPROMISE))
    report = check(paper, evidence=revoked)
    assert report.verdict is verdict
    assert report.signatures[0].revocation_reason == "keyCompromise"


def test_a_timestamp_by_a_unit_that_we_do_not_trust_proves_nothing() -> None:
    leaf = pdfs.signer()
    stranger = pdfs.timestamping(factory.NOW, pdfs.timestamp_leaf("foreign"))
    (one,) = check(pdfs.signed(leaf=leaf, timestamp=stranger)).signatures
    assert (one.proven_at, one.time_proof) == (None, TimeProof.BAD_TIMESTAMP)


def test_a_certificate_for_another_use_may_not_sign_documents() -> None:
    leaf = factory.certify(ProfileName.PASS_SIGNER, factory.OFFICE)
    report = check(pdfs.signed(leaf=leaf))
    assert (report.verdict, report.reason) == (Verdict.NOT_VALID, Reason.UNFIT_CERTIFICATE)


def test_the_worst_signature_decides(signed: bytes) -> None:
    stranger = factory.certify(ProfileName.OFFICIAL_SIGNING, factory.MINH, under="foreign")
    report = check(pdfs.signed(signed, leaf=stranger))
    assert [one.verdict for one in report.signatures] == [Verdict.VALID, Verdict.INDETERMINATE]
    assert report.verdict is Verdict.INDETERMINATE


def without_policies() -> factory.Leaf:
    """Return the certificate of an official as another authority might make it: it names no policy."""
    leaf = pdfs.signer()
    old = leaf.certificate
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, old.public_key(), old.serial_number, old.not_valid_before_utc, old.not_valid_after_utc
    )
    for one in old.extensions:
        if one.oid != x509.ExtensionOID.CERTIFICATE_POLICIES:
            builder = builder.add_extension(one.value, one.critical)
    made = builder.sign(leaf.issuer.key.private_key, hashes.SHA384())
    return replace(leaf, certificate_der=made.public_bytes(Encoding.DER))


def test_a_form_of_another_house_that_was_filled_in_later_is_in_doubt_and_not_green() -> None:
    ours, theirs = pdfs.signed(pdfs.with_text_field()), pdfs.signed(pdfs.with_text_field(), leaf=without_policies())
    assert check(theirs).verdict is Verdict.VALID
    report = check(pdfs.with_redrawn_field(theirs))
    assert (report.verdict, report.reason) == (Verdict.INDETERMINATE, Reason.FORM_FILLED_AFTER_SIGNING)
    assert report.signatures[0].changes_after is Changes.FORM
    assert check(pdfs.with_redrawn_field(ours)).reason is Reason.CHANGED_AFTER_SIGNING
    assert check(pdfs.with_other_text(theirs)).reason is Reason.CHANGED_AFTER_SIGNING


def test_what_is_wrong_with_a_signature_outweighs_a_doubt_about_what_came_later() -> None:
    theirs = without_policies()
    filled = pdfs.with_redrawn_field(pdfs.signed(pdfs.with_text_field(), leaf=theirs))
    revoked = pdfs.evidence((theirs, factory.NOW, RevocationReason.KEY_COMPROMISE))
    assert check(filled, evidence=revoked).reason is Reason.REVOKED_TIME_NOT_PROVEN


def test_only_the_seal_of_an_agency_is_called_a_seal() -> None:
    seal = factory.certify(ProfileName.AGENCY_SEAL, factory.OFFICE)
    for leaf, is_seal in ((seal, True), (pdfs.signer(), False), (without_policies(), False)):
        assert check(pdfs.signed(leaf=leaf)).signatures[0].is_seal is is_seal


def test_a_certified_file_by_another_program_is_judged_like_any_other() -> None:
    assert check(pdfs.certified(MDPPerm.FILL_FORMS)).signatures[0].covers_whole_file


def test_a_stolen_timestamp_key_cannot_save_a_revoked_signature_by_an_early_time() -> None:
    leaf, unit = pdfs.signer(), pdfs.timestamp_leaf()
    paper = pdfs.signed(leaf=leaf, timestamp=pdfs.timestamping(factory.NOW, unit))
    revoked = (leaf, factory.NOW + timedelta(minutes=5), RevocationReason.KEY_COMPROMISE)
    stolen = (unit, factory.NOW + timedelta(minutes=9), RevocationReason.KEY_COMPROMISE)
    assert check(paper, evidence=pdfs.evidence(revoked)).verdict is Verdict.VALID
    assert check(paper, evidence=pdfs.evidence(revoked, stolen)).verdict is not Verdict.VALID


def test_a_timestamp_from_the_future_proves_nothing() -> None:
    paper = pdfs.signed(timestamp=pdfs.timestamping(NOW + timedelta(seconds=1)))
    assert check(paper).signatures[0].time_proof is TimeProof.BAD_TIMESTAMP


def test_proofs_for_the_archive_may_follow_but_bytes_of_nobody_behind_them_may_not(signed: bytes) -> None:
    with_proofs = pdfs.with_proofs(signed)
    report = check(with_proofs)
    assert (report.verdict, report.signatures[0].changes_after) == (Verdict.VALID, Changes.PROOFS)
    start = with_proofs[with_proofs.rindex(b"startxref") :]
    assert check(with_proofs + b"7 0 obj << >> endobj\n" + start).reason is Reason.BYTES_AFTER_END


def test_a_byte_in_the_room_behind_the_signature_is_noticed(signed: bytes) -> None:
    end = signed.index(b"0>", signed.index(b"/Contents"))
    assert check(pdfs.flipped(signed, end)).verdict is Verdict.NOT_VALID


def test_a_second_mark_at_the_same_place_of_another_page_leaves_the_first_one_valid() -> None:
    first = pdfs.signed(pdfs.plain(pages=2), mark=pdfs.MARK, placement=pdfs.FIRST_PLACE)
    there = Placement(2, pdfs.FIRST_PLACE.rectangle)
    assert (
        check(pdfs.signed(first, leaf=pdfs.signer("second"), mark=pdfs.MARK, placement=there)).verdict is Verdict.VALID
    )
