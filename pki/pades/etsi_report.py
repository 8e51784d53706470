"""A report of a check in the form of ETSI TS 119 102-2 V1.2.1, in the words of EN 319 102-1: for machines and courts.

Where our own rule is stricter than the standard (a certificate that may not sign documents, a revoked one without proof
of time, one that had ended as far as is claimed), the page says "not valid" and this report what the standard says of
it: INDETERMINATE. It never says more than the page.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from pki.pades.report import ProofKind, Reason, Report, SignatureReport, Verdict

_REPORT: Final = "http://uri.etsi.org/19102/v1.2.1#"
_XMLDSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_TRUST_LIST: Final = "http://uri.etsi.org/02231/v2#"
_SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_PREFIXES: Final = {"vr": _REPORT, "ds": _XMLDSIG, "tsl": _TRUST_LIST}
_DOCUMENT: Final = "document"
# What XML 1.0 has no way to write.
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Main(StrEnum):
    """The main status indication (EN 319 102-1, 5.1.3) by its name in URIs."""

    PASSED = "total-passed"
    FAILED = "total-failed"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True)
class Indication:
    """What the standard says of a signature."""

    main: Main
    # Of EN 319 102-1, tables 5 and 6; None for one that passed.
    sub: str | None


_FAILED: Final = {
    Reason.CHANGED: "HASH_FAILURE",
    Reason.BAD_SIGNATURE: "SIG_CRYPTO_FAILURE",
    Reason.REVOKED: "REVOKED",
}
_INDETERMINATE: Final = {
    Reason.UNFIT_CERTIFICATE: "CHAIN_CONSTRAINTS_FAILURE",
    Reason.UNTRUSTED: "NO_CERTIFICATE_CHAIN_FOUND",
    Reason.REVOKED_TIME_NOT_PROVEN: "REVOKED_NO_POE",
    Reason.STATUS_UNKNOWN: "TRY_LATER",
}


def indication(report: Report, signature: SignatureReport) -> Indication:
    """Return main indication and sub-indication of one signature in its file."""
    verdict, reason = signature.verdict, signature.reason
    if all(one.verdict is not report.verdict for one in report.signatures):
        # What is wrong is the file around the signatures.
        verdict, reason = report.verdict, report.reason
    if verdict is Verdict.VALID:
        return Indication(Main.PASSED, None)
    if reason in _INDETERMINATE:
        return Indication(Main.INDETERMINATE, _INDETERMINATE[reason])
    if reason is Reason.OUT_OF_VALIDITY:
        if signature.proven_at is None:
            return Indication(Main.INDETERMINATE, "OUT_OF_BOUNDS_NO_POE")
        return Indication(Main.FAILED, "EXPIRED")
    if verdict is Verdict.INDETERMINATE:
        return Indication(Main.INDETERMINATE, "SIG_CONSTRAINTS_FAILURE")
    return Indication(Main.FAILED, _FAILED.get(reason, "FORMAT_FAILURE"))


def write(report: Report, *, document_sha256: bytes, validator: str, now: datetime) -> bytes:
    """Return the report as XML in UTF-8.

    `document_sha256` is of the file as it was received, `validator` the distinguished name (RFC 4514) of who checked.
    Raises ValueError for a report without signatures: the standard has no form for it.
    """
    if not report.signatures:
        raise ValueError("a report of TS 119 102-2 is about at least one signature")
    root = Element(_vr("ValidationReport"))
    for number, signature in enumerate(report.signatures, 1):
        _add_signature(root, report, signature, number, document_sha256, now)
    _add_objects(root, report.signatures, document_sha256, now)
    digital_id = SubElement(SubElement(root, _vr("SignatureValidator")), _vr("DigitalId"))
    _add(digital_id, f"{{{_TRUST_LIST}}}X509SubjectName", validator)
    for prefix, namespace in _PREFIXES.items():
        ElementTree.register_namespace(prefix, namespace)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _add_signature(
    root: Element, report: Report, signature: SignatureReport, number: int, document_sha256: bytes, now: datetime
) -> None:
    part = SubElement(root, _vr("SignatureValidationReport"))
    identifier = SubElement(part, _vr("SignatureIdentifier"), {"id": f"signature-{number}"})
    _add(identifier, _vr("HashOnly"), "false")
    _add(identifier, _vr("DocHashOnly"), "false")
    _add(identifier, _vr("DAIdentifier"), signature.field_name)
    times = SubElement(part, _vr("ValidationTimeInfo"))
    _add(times, _vr("ValidationTime"), _time(now))
    best = signature.proven_at or now
    _add_proof(SubElement(times, _vr("BestSignatureTime")), best)
    document = SubElement(part, _vr("SignersDocument"))
    _add_digest(document, document_sha256)
    SubElement(document, _vr("SignersDocumentRepresentation"), {"VOReference": _DOCUMENT})
    _add_attributes(part, signature)
    if signature.certificate_sha256:
        signer = SubElement(part, _vr("SignerInformation"))
        SubElement(signer, _vr("SignerCertificate"), {"VOReference": _certificate_id(signature)})
        _add(signer, _vr("Signer"), signature.signer)
    process = SubElement(part, _vr("SignatureValidationProcess"))
    archived = signature.proven_by is not None and signature.proven_by.kind is ProofKind.DOCUMENT_TIMESTAMP
    kind = "LTA" if archived else "LTVM"
    _add(process, _vr("SignatureValidationProcessID"), f"urn:etsi:019102:validationprocess:{kind}")
    found = indication(report, signature)
    status = SubElement(part, _vr("SignatureValidationStatus"))
    _add(status, _vr("MainIndication"), f"urn:etsi:019102:mainindication:{found.main}")
    if found.sub is not None:
        _add(status, _vr("SubIndication"), f"urn:etsi:019102:subindication:{found.sub}")


def _add_attributes(part: Element, signature: SignatureReport) -> None:
    times = [("SigningTime", "Time", "true", signature.claimed_at)]
    if signature.proven_by is not None:
        stamped = signature.proven_by.kind is ProofKind.SIGNATURE_TIMESTAMP
        name = "SignatureTimeStamp" if stamped else "DocTimeStamp"
        times.append((name, "TimeStampValue", "false", signature.proven_by.at))
    known = [one for one in times if one[3] is not None]
    if not known:
        return
    attributes = SubElement(part, _vr("SignatureAttributes"))
    for name, inner, signed, at in known:
        assert at is not None
        _add(SubElement(attributes, _vr(name), {"Signed": signed}), _vr(inner), _time(at))


def _add_objects(root: Element, signatures: Sequence[SignatureReport], document_sha256: bytes, now: datetime) -> None:
    objects = SubElement(root, _vr("SignatureValidationObjects"))
    certificates = {_certificate_id(one): bytes.fromhex(one.certificate_sha256) for one in signatures}
    certificates.pop("certificate-", None)
    wanted = [(_DOCUMENT, "signedData", document_sha256)]
    wanted += [(name, "certificate", digest) for name, digest in certificates.items()]
    for name, kind, digest in wanted:
        one = SubElement(objects, _vr("ValidationObject"), {"id": name})
        _add(one, _vr("ObjectType"), f"urn:etsi:019102:validationObject:{kind}")
        _add_digest(SubElement(one, _vr("ValidationObjectRepresentation")), digest)
        _add_proof(SubElement(one, _vr("POE")), now)


def _add_proof(proof: Element, at: datetime) -> None:
    _add(proof, _vr("POETime"), _time(at))
    _add(proof, _vr("TypeOfProof"), "urn:etsi:019102:poetype:validation")


def _add_digest(parent: Element, digest: bytes) -> None:
    pair = SubElement(parent, _vr("DigestAlgAndValue"))
    SubElement(pair, f"{{{_XMLDSIG}}}DigestMethod", {"Algorithm": _SHA256})
    _add(pair, f"{{{_XMLDSIG}}}DigestValue", b64encode(digest).decode())


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _UNWRITABLE.sub("\ufffd", text)


def _certificate_id(signature: SignatureReport) -> str:
    return f"certificate-{signature.certificate_sha256}"


def _vr(name: str) -> str:
    return f"{{{_REPORT}}}{name}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
