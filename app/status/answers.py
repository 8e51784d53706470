"""OCSP: from the bytes of a request to the bytes of an answer, with one indexed query (RFC 6960)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates.models import Certificate, CertificateState, Revocation
from app.status.material import Material, Served
from pki.errors import OcspMalformed
from pki.ocsp import (
    CertId,
    CertStatus,
    OcspError,
    OcspRequest,
    SingleStatus,
    build_response,
    error_response,
    parse_request,
)
from pki.revocation import RevocationReason

LIFETIME: Final = timedelta(hours=1)
# Serial numbers have at most twenty octets (RFC 5280, 4.1.2.2); ours have eighteen and are positive.
_LARGEST_SERIAL: Final = 2 ** (8 * 20)
_GOOD: Final = frozenset({CertificateState.ISSUED})


@dataclass(frozen=True)
class Answer:
    """An OCSPResponse; `cacheable` if another client may be given the same bytes."""

    der: bytes
    cacheable: bool


@dataclass(frozen=True)
class Row:
    """What the register says of one serial number."""

    state: str
    revoked_at: datetime | None
    reason: int | None


def answer(session: Session, material: Material, request_der: bytes, *, now: datetime) -> Answer:
    """Return the answer to a request; one that cannot be read or is not for us gets an error of OCSP itself.

    A responder speaks for one authority: certificates of two of ours in one request are `unauthorized`, so that the
    client asks again for each; issuers that are not ours beside one that is are `unknown` (RFC 6960, 2.2 and 2.3).
    """
    try:
        request = parse_request(request_der)
    except OcspMalformed:
        return Answer(error_response(OcspError.MALFORMED_REQUEST), cacheable=False)
    asked = {one.issuer: material.served.get(one.issuer) for one in request.cert_ids if one.issuer is not None}
    ours = {served.authority_id: served for served in asked.values() if served is not None}
    if len(ours) != 1:
        return Answer(error_response(OcspError.UNAUTHORIZED), cacheable=False)
    (served,) = ours.values()
    statuses = _statuses(session, served, request, material)
    der = build_response(statuses, responder=served.responder, now=now, lifetime=LIFETIME, nonce=request.nonce)
    return Answer(der, cacheable=request.nonce is None)


def _statuses(session: Session, served: Served, request: OcspRequest, material: Material) -> list[SingleStatus]:
    rows = _rows(session, served.authority_id, {one.serial_number for one in request.cert_ids})
    return [
        _status(one, served, rows)
        if one.issuer is not None and material.served.get(one.issuer) is served
        else SingleStatus(one, CertStatus.UNKNOWN)
        for one in request.cert_ids
    ]


def _status(cert_id: CertId, served: Served, rows: dict[int, Row]) -> SingleStatus:
    if cert_id.serial_number in served.authority_serials:
        return SingleStatus(cert_id, CertStatus.GOOD)
    row = rows.get(cert_id.serial_number)
    if row is not None and row.revoked_at is not None:
        reason = RevocationReason(row.reason or RevocationReason.UNSPECIFIED)
        return SingleStatus(cert_id, CertStatus.REVOKED, row.revoked_at, reason)
    # An intent whose certificate is not stored yet was not issued as far as anybody may rely on it.
    good = row is not None and row.state in _GOOD
    return SingleStatus(cert_id, CertStatus.GOOD if good else CertStatus.UNKNOWN)


def _rows(session: Session, authority_id: UUID, serial_numbers: Iterable[int]) -> dict[int, Row]:
    wanted = [_octets(number) for number in serial_numbers if 0 < number < _LARGEST_SERIAL]
    query = (
        select(Certificate.serial, Certificate.state, Revocation.revoked_at, Revocation.reason)
        .outerjoin(Revocation, Revocation.certificate_id == Certificate.id)
        .where(Certificate.authority_id == authority_id, Certificate.serial.in_(wanted))
    )
    found = session.execute(query)
    return {int.from_bytes(serial, "big"): Row(state, at, reason) for serial, state, at, reason in found}


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
