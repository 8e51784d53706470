"""The report for machines: its shape is that of the standard's schema, and it never says more than the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from pyhanko.generated.etsi.ts_11910202 import ValidationReport
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.parsers.config import ParserConfig
from xsdata.formats.dataclass.serializers import XmlSerializer

from pki.pades.etsi_report import Indication, Main, indication, write
from pki.pades.report import (
    Changes,
    ProofKind,
    ProofOfExistence,
    Reason,
    Report,
    SignatureReport,
    TimeProof,
    Verdict,
)

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
STAMPED = ProofOfExistence(ProofKind.SIGNATURE_TIMESTAMP, NOW - timedelta(days=2))
ARCHIVED = ProofOfExistence(ProofKind.DOCUMENT_TIMESTAMP, NOW - timedelta(days=1))
SIGNATURE = SignatureReport(
    field_name="ky_lanhdao_1",
    verdict=Verdict.VALID,
    reason=Reason.OK,
    signer="Trần Thị Bích",
    organisation="Sở Nội vụ",
    title="Giám đốc",
    issuer="Thành phố Sông Biếc",
    serial_hex="0102",
    certificate_sha256="ab" * 32,
    claimed_at=NOW - timedelta(days=2, seconds=5),
    proven_at=STAMPED.at,
    time_proof=TimeProof.TIMESTAMP,
    covers_whole_file=True,
    changes_after=Changes.NONE,
    revoked_at=None,
    revocation_reason=None,
    proven_by=STAMPED,
)
UNPROVEN = replace(SIGNATURE, proven_at=None, proven_by=None, claimed_at=None, time_proof=TimeProof.CLAIMED)


def _report(*signatures: SignatureReport) -> Report:
    worst = next((one for one in signatures if one.verdict is not Verdict.VALID), signatures[0])
    return Report(worst.verdict, worst.reason, signatures)


def _written(report: Report) -> bytes:
    return write(report, document_sha256=b"\x07" * 32, validator="O=Thành phố Sông Biếc,C=VN", now=NOW)


def _read(xml: bytes) -> ValidationReport:
    strict = ParserConfig(fail_on_unknown_properties=True, fail_on_unknown_attributes=True)
    return XmlParser(config=strict).from_bytes(xml, ValidationReport)


@pytest.mark.parametrize(
    "signatures",
    [
        (SIGNATURE,),
        (SIGNATURE, replace(SIGNATURE, proven_by=ARCHIVED, proven_at=ARCHIVED.at, field_name="dau_coquan")),
        (UNPROVEN,),
        (replace(UNPROVEN, verdict=Verdict.NOT_VALID, reason=Reason.BAD_SIGNATURE, certificate_sha256="", signer=""),),
        (replace(SIGNATURE, field_name="trường <&> \x01\ud800"),),
    ],
)
def test_elements_and_their_order_are_those_of_the_schema(signatures: tuple[SignatureReport, ...]) -> None:
    xml = _written(_report(*signatures))
    parsed = _read(xml)
    assert len(parsed.signature_validation_report) == len(signatures)
    # What another program makes of the same content: a wrong order would come back as the right one.
    again = XmlSerializer().render(parsed)
    assert _plain(again) == _plain(xml.decode())


def _plain(xml: str) -> str:
    tree = ElementTree.fromstring(xml.encode())
    names = [(one.tag, (one.text or "").strip(), sorted(one.attrib.items())) for one in tree.iter()]
    return repr(names)


def test_it_says_who_checked_what_when_and_what_was_found() -> None:
    parsed = _read(_written(_report(SIGNATURE)))
    (one,) = parsed.signature_validation_report
    assert one.signature_identifier is not None
    assert one.signature_identifier.daidentifier == "ky_lanhdao_1"
    assert one.validation_time_info is not None
    assert one.validation_time_info.best_signature_time is not None
    assert str(one.validation_time_info.validation_time) == "2026-11-23T09:30:00Z"
    assert str(one.validation_time_info.best_signature_time.poetime) == "2026-11-21T09:30:00Z"
    assert one.signer_information is not None
    assert one.signer_information.signer == "Trần Thị Bích"
    status = one.signature_validation_status
    assert status is not None
    assert status.main_indication == "urn:etsi:019102:mainindication:total-passed"
    objects = parsed.signature_validation_objects
    assert objects is not None
    assert [item.id for item in objects.validation_object] == [
        "document",
        f"certificate-{'ab' * 32}",
    ]
    validator = parsed.signature_validator
    assert validator is not None
    assert validator.digital_id[0].x509_subject_name == "O=Thành phố Sông Biếc,C=VN"


def test_a_file_without_signatures_has_no_such_report() -> None:
    with pytest.raises(ValueError, match="at least one"):
        _written(Report(Verdict.INDETERMINATE, Reason.UNSIGNED, ()))


FAILED, OPEN = Main.FAILED, Main.INDETERMINATE


@pytest.mark.parametrize(
    ("verdict", "reason", "proven", "expected"),
    [
        (Verdict.VALID, Reason.OK, True, Indication(Main.PASSED, None)),
        (Verdict.NOT_VALID, Reason.CHANGED, True, Indication(FAILED, "HASH_FAILURE")),
        (Verdict.NOT_VALID, Reason.BAD_SIGNATURE, True, Indication(FAILED, "SIG_CRYPTO_FAILURE")),
        (Verdict.NOT_VALID, Reason.REVOKED, True, Indication(FAILED, "REVOKED")),
        (Verdict.NOT_VALID, Reason.BYTE_RANGE, True, Indication(FAILED, "FORMAT_FAILURE")),
        (Verdict.NOT_VALID, Reason.CHANGED_AFTER_SIGNING, True, Indication(FAILED, "FORMAT_FAILURE")),
        (Verdict.NOT_VALID, Reason.OUT_OF_VALIDITY, True, Indication(FAILED, "EXPIRED")),
        (Verdict.NOT_VALID, Reason.OUT_OF_VALIDITY, False, Indication(OPEN, "OUT_OF_BOUNDS_NO_POE")),
        (Verdict.NOT_VALID, Reason.UNFIT_CERTIFICATE, True, Indication(OPEN, "CHAIN_CONSTRAINTS_FAILURE")),
        (Verdict.NOT_VALID, Reason.REVOKED_TIME_NOT_PROVEN, False, Indication(OPEN, "REVOKED_NO_POE")),
        (Verdict.INDETERMINATE, Reason.UNTRUSTED, True, Indication(OPEN, "NO_CERTIFICATE_CHAIN_FOUND")),
        (Verdict.INDETERMINATE, Reason.STATUS_UNKNOWN, True, Indication(OPEN, "TRY_LATER")),
        (Verdict.INDETERMINATE, Reason.PAGES_DIFFER, True, Indication(OPEN, "SIG_CONSTRAINTS_FAILURE")),
    ],
)
def test_each_reason_has_its_indication(verdict: Verdict, reason: Reason, proven: bool, expected: Indication) -> None:
    signature = replace(SIGNATURE if proven else UNPROVEN, verdict=verdict, reason=reason)
    report = Report(verdict, reason, (signature,))
    assert indication(report, signature) == expected
    assert f"mainindication:{expected.main}".encode() in _written(report)


@pytest.mark.parametrize("verdict", [Verdict.NOT_VALID, Verdict.INDETERMINATE])
@pytest.mark.parametrize("reason", [one for one in Reason if one not in (Reason.OK, Reason.UNSIGNED)])
def test_nothing_but_a_valid_signature_has_passed(verdict: Verdict, reason: Reason) -> None:
    signature = replace(SIGNATURE, verdict=verdict, reason=reason)
    assert indication(Report(verdict, reason, (signature,)), signature).main is not Main.PASSED


def test_what_is_wrong_with_the_file_is_wrong_with_every_signature_in_it() -> None:
    report = Report(Verdict.NOT_VALID, Reason.BYTES_AFTER_END, (SIGNATURE, SIGNATURE))
    assert {indication(report, one) for one in report.signatures} == {Indication(FAILED, "FORMAT_FAILURE")}
    assert b"total-passed" not in _written(report)
