"""Checking a PDF with the city's own roots and lists, in the limited process."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.certificates import service as certificates
from app.core.errors import TooMany
from app.core.throttle import may_pass
from app.documents import sandbox
from app.trust import service as trust
from app.verification import check_job
from app.verification.source import Source, pieces
from pki.pades.report import (
    Changes,
    PageDifference,
    ProofKind,
    ProofOfExistence,
    Reason,
    Report,
    SignatureReport,
    TimeProof,
    Verdict,
)

# `/crl/issuing_citizens/17.crl` in a certificate, which stands as a string of hex digits in the file.
_ADDRESS: Final = re.compile(rb"/crl/([a-z0-9_-]{1,40}/[0-9]{1,4})\.crl")
_HEX_ADDRESSES: Final = (
    re.compile(rb"2f63726c2f((?:[2367][0-9a-f]|5f){3,45}?)2e63726c"),
    re.compile(rb"2F63726C2F((?:[2367][0-9A-F]|5F){3,45}?)2E63726C"),
)
_NAME: Final = re.compile(rb"[a-z0-9_-]{1,40}/[0-9]{1,4}")
_MOST_LISTS: Final = 100
# In octets of hex; the longest match of the patterns is 108.
_LONGEST_ADDRESS: Final = 256


@dataclass(frozen=True)
class Evidence:
    """What the house knows and a check needs: roots, authorities below them, the newest lists and answers; all DER."""

    roots: tuple[bytes, ...]
    intermediates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    ocsps: tuple[bytes, ...] = ()


def evidence(session: Session, pdf: Source) -> Evidence:
    """Return what the city itself trusts and knows now, with the lists that the certificates in `pdf` name.

    A city has some 150 lists of which a paper needs four. Their addresses are found in the raw bytes: a list that is
    not found, whatever a file does to hide it, makes the answer "not enough evidence", never "valid".
    """
    roots, intermediates = certificates.trust_material(session)
    return Evidence(roots, intermediates, certificates.status_evidence(session, named_lists(pdf)))


def wider_evidence(session: Session, pdf: Source, *, now: datetime) -> Evidence:
    """Return the same with the roots that administrators imported, and what the authorities below them answer.

    This is what a check of anybody's paper needs; what must be signed under the city's own roots asks for `evidence`.
    """
    own, trusted = evidence(session, pdf), trust.store(session)
    outside = trust.evidence_of_pdf(session, pdf, now=now)
    return Evidence(trusted.roots_der, trusted.intermediates_der, (*own.crls, *outside.crls_der), outside.ocsps_der)


def named_lists(pdf: Source) -> frozenset[tuple[str, int]]:
    """Return authority and shard of every list address in the signatures of a file, as hex strings or as they are."""
    found: set[tuple[str, int]] = set()
    for _, piece in pieces(pdf, carry=_LONGEST_ADDRESS):
        for name in _names_in(piece):
            if len(found) == _MOST_LISTS:
                return frozenset(found)
            authority, _, shard = name.decode().partition("/")
            found.add((authority, int(shard)))
    return frozenset(found)


def _names_in(piece: bytes) -> Iterator[bytes]:
    hex_names = (bytes.fromhex(one.decode()) for pattern in _HEX_ADDRESSES for one in pattern.findall(piece))
    return (name for name in itertools.chain(_ADDRESS.findall(piece), hex_names) if _NAME.fullmatch(name))


def count_check(session: Session, asker: str, *, most: int, now: datetime) -> None:
    """Raise TooMany when `asker` asked `most` times within a minute; each check takes up to a second of a core."""
    if not may_pass(session, f"verify-{asker}", limit=most, per=timedelta(minutes=1), now=now):
        raise TooMany(_l("There were too many checks from your network."), _l("Wait a minute, then try again."))


def check(pdf: Source, evidence: Evidence, *, now: datetime, with_pictures: bool = False) -> Report:
    """Return what the signatures of `pdf` are worth, with pictures of the pages that changed if they are wanted.

    Raises PdfRefused for a file that cannot be read at all.
    """
    facts, output = sandbox.run(
        check_job.check,
        {
            "roots": _encoded(evidence.roots),
            "intermediates": _encoded(evidence.intermediates),
            "crls": _encoded(evidence.crls),
            "ocsps": _encoded(evidence.ocsps),
            "now": now.isoformat(),
            "with_pictures": with_pictures,
        },
        pdf,
    )
    output.close()
    return _read_report(facts)


def _encoded(many: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in many]


def _read_report(facts: Mapping[str, Any]) -> Report:
    return Report(
        verdict=Verdict(facts["verdict"]),
        reason=Reason(facts["reason"]),
        signatures=tuple(_read_signature(one) for one in facts["signatures"]),
        lenient=bool(facts["lenient"]),
        page_differences=tuple(PageDifference.from_json(one) for one in facts["page_differences"]),
        holds_until=_read_moment(facts["holds_until"]),
    )


def _read_signature(facts: Mapping[str, Any]) -> SignatureReport:
    return SignatureReport(
        field_name=facts["field"],
        verdict=Verdict(facts["verdict"]),
        reason=Reason(facts["reason"]),
        signer=facts["signer"],
        organisation=facts["organisation"],
        title=facts["title"],
        issuer=facts["issuer"],
        serial_hex=facts["serial"],
        certificate_sha256=facts["certificate_sha256"],
        claimed_at=_read_moment(facts["claimed_at"]),
        proven_at=_read_moment(facts["proven_at"]),
        time_proof=TimeProof(facts["time_proof"]),
        covers_whole_file=bool(facts["covers_whole_file"]),
        changes_after=Changes[facts["changes_after"].upper()],
        revoked_at=_read_moment(facts["revoked_at"]),
        revocation_reason=facts["revocation_reason"],
        is_seal=facts["is_seal"],
        proven_by=_read_proof(facts["proven_by"]),
        covers=facts["covers"],
        root_sha256=facts["root_sha256"],
        not_before=_read_moment(facts["not_before"]),
        not_after=_read_moment(facts["not_after"]),
    )


def _read_proof(facts: Mapping[str, str] | None) -> ProofOfExistence | None:
    return ProofOfExistence(ProofKind(facts["kind"]), datetime.fromisoformat(facts["at"])) if facts else None


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
