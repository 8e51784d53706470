"""Checking the signatures of a PDF: pyHanko reads it, and rules of our own decide, because pyHanko alone is not enough.

Measured: bytes after the last %%EOF, one kind of shadow attack and overlaid signature fields pass its defaults. Rules:
docs and `domain` notes of the house, EN 319 102-1, 5; ISO 32000-2, 12.8. Whatever a hostile file makes a parser
throw ends as "not valid", never as an error and never as green.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Final

from asn1crypto import cms as asn1_cms
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.decode_limits import DEFAULT_PURPOSE_LIMITS, DecodeLimits, DecodePurpose, StreamDecodeLimits
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from pki import oids
from pki.chains import PathResult, PathVerdict, Purpose, TrustStore, validate_path
from pki.errors import PdfRefused, PkiError
from pki.pades import byte_range, later_changes
from pki.pades.faults import PdfFault
from pki.pades.proven_time import STRONG_DIGESTS, PastProofs, read_proofs, time_of
from pki.pades.report import Changes, Reason, Report, SignatureReport, Verdict
from pki.status_evidence import StatusEvidence

MAXIMUM_SIZE: Final = 100 * 1024 * 1024
_END: Final = re.compile(rb"%%EOF(?:\r\n|\n|\r)?\Z")
# What may stand between the last cross-reference section and the end (pyHanko ends a table behind "trailer").
_AFTER_LAST_SECTION: Final = re.compile(
    rb"\s*(?:trailer)?\s*(?:<<(?:(?!%%EOF|startxref|endobj).)*>>)?\s*"
    rb"startxref\s+(\d+)\s+%%EOF(?:\r\n|\n|\r)?\Z",
    re.DOTALL,
)
# A renewal each year, two revisions each, for longer than any archive is planned; and all the signatures.
_MOST_REVISIONS: Final = 300
# pyHanko reads cross-references as far as the file says there are objects: minutes for a stream of 128 MB (measured).
# A row takes about seven octets.
_LIMITS: Final = DecodeLimits(
    per_purpose={
        **DEFAULT_PURPOSE_LIMITS,
        DecodePurpose.XREF_STREAM: StreamDecodeLimits(max_output_size=4 * 1024 * 1024),
    }
)
_SMALLEST_RSA: Final = 2048
_REASONS: Final = {
    PathVerdict.VALID: (Verdict.VALID, Reason.OK),
    PathVerdict.UNTRUSTED: (Verdict.INDETERMINATE, Reason.UNTRUSTED),
    PathVerdict.EXPIRED: (Verdict.NOT_VALID, Reason.OUT_OF_VALIDITY),
    PathVerdict.NOT_YET_VALID: (Verdict.NOT_VALID, Reason.OUT_OF_VALIDITY),
    PathVerdict.WRONG_PURPOSE: (Verdict.NOT_VALID, Reason.UNFIT_CERTIFICATE),
    PathVerdict.MALFORMED: (Verdict.NOT_VALID, Reason.UNFIT_CERTIFICATE),
    PathVerdict.REVOKED: (Verdict.NOT_VALID, Reason.REVOKED),
    PathVerdict.STATUS_UNKNOWN: (Verdict.INDETERMINATE, Reason.STATUS_UNKNOWN),
}
_WORST_FIRST: Final = (Verdict.NOT_VALID, Verdict.INDETERMINATE, Verdict.VALID)


def verify(pdf: bytes, *, trust: TrustStore, evidence: StatusEvidence, now: datetime) -> Report:
    """Return what the signatures of `pdf` are worth at `now`, with roots and lists that were given.

    A signature that a timestamp proves is judged at that time, any other at `now`. Raises PdfRefused for a file that
    is no PDF, is encrypted or over 100 MB; a damaged or manipulated one is a report.
    """
    if len(pdf) > MAXIMUM_SIZE:
        raise PdfRefused(PdfFault.TOO_LARGE)
    if b"%PDF-" not in pdf[:1024]:
        raise PdfRefused(PdfFault.NOT_A_PDF)
    if not pdf.startswith(b"%PDF-"):
        # Viewers skip what stands before the header, and then count offsets each in its own way.
        return Report(Verdict.NOT_VALID, Reason.BYTES_BEFORE_START, ())
    if pdf.count(b"startxref") > _MOST_REVISIONS:
        # Each would be held against the next: hours for a file that nobody honest makes.
        return Report(Verdict.NOT_VALID, Reason.NOT_READABLE, ())
    try:
        reader, lenient = _open(pdf)
        if reader.encrypted:
            raise PdfRefused(PdfFault.ENCRYPTED)
        if reader.total_revisions > _MOST_REVISIONS:
            return Report(Verdict.NOT_VALID, Reason.NOT_READABLE, ())
        embedded = list(reader.embedded_regular_signatures)
        past = read_proofs(reader, pdf, trust=trust, evidence=evidence, now=now)
        reports = [_judge(one, pdf, past) for one in embedded]
    except PkiError:
        raise
    except Exception:  # noqa: BLE001  the edge to foreign parsers: what they cannot read is not valid
        return Report(Verdict.NOT_VALID, Reason.NOT_READABLE, ())
    if not reports:
        unread = b"/ByteRange" in pdf
        # A signature that the reader does not find must not read as a clean file.
        verdict, reason = (
            (Verdict.NOT_VALID, Reason.NOT_READABLE) if unread else (Verdict.INDETERMINATE, Reason.UNSIGNED)
        )
        return Report(verdict, reason, (), lenient)
    report = _sum_up(_refuse_copies(reports, embedded), pdf, lenient, _is_owned_to_the_end(reader, pdf))
    if past.is_forged and report.verdict is Verdict.VALID:
        return replace(report, verdict=Verdict.INDETERMINATE, reason=Reason.BAD_TIMESTAMP)
    return report


def _open(pdf: bytes) -> tuple[PdfFileReader, bool]:
    try:
        strict = PdfFileReader(BytesIO(pdf), strict=True, decode_limits=_LIMITS)
        list(strict.embedded_signatures)
        return strict, False
    except Exception:  # noqa: BLE001  the edge to foreign parsers: read again with leniency, and say so
        return PdfFileReader(BytesIO(pdf), strict=False, decode_limits=_LIMITS), True


def _sum_up(reports: Sequence[SignatureReport], pdf: bytes, lenient: bool, owned: bool) -> Report:
    envelope = _envelope(reports, pdf, owned)
    if envelope is not None:
        return Report(Verdict.NOT_VALID, envelope, tuple(reports), lenient)
    worst = min(reports, key=lambda one: _WORST_FIRST.index(one.verdict))
    return Report(worst.verdict, worst.reason, tuple(reports), lenient)


def _envelope(reports: Sequence[SignatureReport], pdf: bytes, owned: bool) -> Reason | None:
    """Return what is wrong with the file around its signatures."""
    if not _END.search(pdf):
        return Reason.BYTES_AFTER_END
    newest = reports[-1]
    if not newest.covers_whole_file and not owned:
        return Reason.BYTES_AFTER_END
    # After the newest signature only proofs for the archive may follow; a form of others stays the doubt that it is.
    if not newest.covers_whole_file and newest.changes_after not in {Changes.PROOFS, Changes.FORM}:
        return newest.reason if newest.verdict is Verdict.NOT_VALID else Reason.NOT_COVERED
    return None


def _is_owned_to_the_end(reader: PdfFileReader, pdf: bytes) -> bool:
    """Return whether the last cross-reference section is followed by its trailer and end mark only.

    Bytes appended with an end mark of their own belong to no revision, and viewers disagree about them.
    """
    sections = [reader.xrefs.get_xref_container_info(number) for number in range(reader.total_revisions)]
    found = _AFTER_LAST_SECTION.match(pdf, max(section.end_location for section in sections))
    return found is not None and int(found.group(1)) == reader.last_startxref


def _refuse_copies(
    reports: Sequence[SignatureReport], embedded: Sequence[EmbeddedPdfSignature]
) -> list[SignatureReport]:
    """Return the reports with all but the first of equal signatures refused.

    Equal is what was signed: padding and unsigned attributes of a copy may be others.
    """
    seen: set[bytes] = set()
    judged = []
    for one, signature in zip(reports, embedded, strict=True):
        signed = signature.signer_info["signed_attrs"].dump() or signature.signer_info["signature"].native
        copied = signed in seen
        seen.add(signed)
        judged.append(replace(one, verdict=Verdict.NOT_VALID, reason=Reason.COPIED) if copied else one)
    return judged


def _judge(embedded: EmbeddedPdfSignature, pdf: bytes, past: PastProofs) -> SignatureReport:
    certificate_der: bytes = embedded.signer_cert.dump()
    certificate = x509.load_der_x509_certificate(certificate_der)
    others = tuple(one.dump() for one in embedded.other_embedded_certs)
    timing = time_of(embedded, past)
    proven_at = timing.proven_by.at if timing.proven_by else None
    policies = _policies(certificate)
    whole, changes, broken = _cover(embedded, pdf, is_ours=any(one.startswith(oids.CITY_ARC + ".") for one in policies))
    path = validate_path(
        certificate_der,
        trust=past.trust,
        evidence=past.evidence_at(proven_at or past.now),
        at=proven_at or past.now,
        purpose=Purpose.SIGNING,
        extra_der=(*others, *past.kept.certificates_der),
    )
    verdict, reason = broken or (Verdict.VALID, Reason.OK)
    if verdict is not Verdict.NOT_VALID:
        # What is wrong with the value or the certificate outweighs a doubt about what came later.
        found = _value(embedded, certificate_der) or _trust(path, proven_at)
        verdict, reason = found if broken is None or found[0] is Verdict.NOT_VALID else broken
    if timing.is_forged and verdict is Verdict.VALID:
        verdict, reason = Verdict.INDETERMINATE, Reason.BAD_TIMESTAMP
    claimed = embedded.self_reported_timestamp
    return SignatureReport(
        field_name=str(embedded.field_name),
        verdict=verdict,
        reason=reason,
        signer=_part(certificate.subject, NameOID.COMMON_NAME),
        organisation=_part(certificate.subject, NameOID.ORGANIZATION_NAME),
        title=_part(certificate.subject, NameOID.TITLE),
        issuer=_part(certificate.issuer, NameOID.COMMON_NAME),
        serial_hex=f"{certificate.serial_number:x}",
        certificate_sha256=hashlib.sha256(certificate_der).hexdigest(),
        claimed_at=claimed.astimezone(UTC) if claimed is not None else None,
        proven_at=proven_at,
        time_proof=timing.proof,
        covers_whole_file=whole,
        changes_after=changes,
        revoked_at=path.revocation.time if path.revocation else None,
        revocation_reason=path.revocation.reason if path.revocation else None,
        is_seal=oids.POLICY_SEAL in policies,
        proven_by=timing.proven_by,
        covers=_covers(embedded, pdf),
        root_sha256=hashlib.sha256(path.root_der).hexdigest() if path.root_der else "",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _covers(embedded: EmbeddedPdfSignature, pdf: bytes) -> int:
    """Return how many octets of the file from its beginning are covered, the gap included; 0 if that is not sound."""
    numbers = [int(number) for number in embedded.byte_range]
    end = numbers[2] + numbers[3] if len(numbers) == 4 else -1
    return end if byte_range.is_sound(pdf, numbers, end=end) else 0


def _cover(
    embedded: EmbeddedPdfSignature, pdf: bytes, *, is_ours: bool
) -> tuple[bool, Changes, tuple[Verdict, Reason] | None]:
    """Return whether the whole file is covered, what was added later, and what is wrong with either.

    Papers of the house (`is_ours`) know their fields from the beginning and allow no others to be filled in.
    """
    end = _covers(embedded, pdf)
    if not end:
        return False, Changes.OTHER, (Verdict.NOT_VALID, Reason.BYTE_RANGE)
    embedded.compute_integrity_info(diff_policy=later_changes.POLICY)
    found = embedded.summarise_integrity_info()
    if found["coverage"] is SignatureCoverageLevel.ENTIRE_FILE and end == len(pdf):
        return True, Changes.NONE, None
    difference = found["diff_result"]
    level = difference.modification_level if isinstance(difference, DiffResult) else ModificationLevel.OTHER
    # Part of the file is not covered, and yet nothing was changed: a contradiction that only a manipulated file shows.
    if found["coverage"] is not SignatureCoverageLevel.ENTIRE_REVISION or level is ModificationLevel.NONE:
        return False, Changes.OTHER, (Verdict.NOT_VALID, Reason.NOT_COVERED)
    if not found["docmdp_ok"]:
        if is_ours or not later_changes.is_form_filled(embedded):
            return False, Changes.OTHER, (Verdict.NOT_VALID, Reason.CHANGED_AFTER_SIGNING)
        return False, Changes.FORM, (Verdict.INDETERMINATE, Reason.FORM_FILLED_AFTER_SIGNING)
    if later_changes.is_overlaid(embedded, pdf[:end]):
        return False, Changes.OTHER, (Verdict.INDETERMINATE, Reason.OVERLAID_AFTER_SIGNING)
    return False, Changes.PROOFS if level is ModificationLevel.LTA_UPDATES else Changes.SIGNATURES, None


def _value(embedded: EmbeddedPdfSignature, certificate_der: bytes) -> tuple[Verdict, Reason] | None:
    """Return what is wrong with the signature's own mathematics; None when it holds."""
    signer_info = embedded.signer_info
    weak = signer_info["digest_algorithm"]["algorithm"].native not in STRONG_DIGESTS or _is_weak(certificate_der)
    if weak or not _is_alone_in_its_place(embedded) or not _binds_certificate(embedded):
        return Verdict.NOT_VALID, Reason.BAD_SIGNATURE
    try:
        # Digest, attributes and value, with every algorithm that other houses sign with.
        intact, valid = validate_sig_integrity(
            signer_info,
            embedded.signer_cert,
            expected_content_type="data",
            actual_digest=embedded.compute_digest(),
        )
    except SignatureValidationError:
        return Verdict.NOT_VALID, Reason.BAD_SIGNATURE
    if not intact:
        return Verdict.NOT_VALID, Reason.CHANGED
    return None if valid else (Verdict.NOT_VALID, Reason.BAD_SIGNATURE)


def _is_weak(certificate_der: bytes) -> bool:
    key = x509.load_der_x509_certificate(certificate_der).public_key()
    return isinstance(key, dsa.DSAPublicKey) or (isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA)


def _is_alone_in_its_place(embedded: EmbeddedPdfSignature) -> bool:
    """Return whether the gap holds one signer's CMS object and zeros: nothing else there would be signed."""
    content = bytes(embedded.pkcs7_content)
    length = len(asn1_cms.ContentInfo.load(content).dump())
    return len(embedded.signed_data["signer_infos"]) == 1 and not any(content[length:])


def _binds_certificate(embedded: EmbeddedPdfSignature) -> bool:
    """Return whether a PAdES signature names its certificate (EN 319 142-1, 6.3); older kinds need not."""
    if embedded.sig_object["/SubFilter"] != "/ETSI.CAdES.detached":
        return True
    names = {attribute["type"].native for attribute in embedded.signer_info["signed_attrs"]}
    return not names.isdisjoint({"signing_certificate", "signing_certificate_v2"})


def _trust(path: PathResult, proven_at: datetime | None) -> tuple[Verdict, Reason]:
    if path.verdict is PathVerdict.REVOKED and proven_at is None:
        # It may have been made before the revocation; nothing proves it.
        return Verdict.NOT_VALID, Reason.REVOKED_TIME_NOT_PROVEN
    return _REASONS[path.verdict]


def _policies(certificate: x509.Certificate) -> frozenset[str]:
    try:
        policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(one.policy_identifier.dotted_string for one in policies)


def _part(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
