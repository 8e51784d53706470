"""RFC 3161: from the bytes of a request to a token, or to a refusal that says why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.certificates.models import CertificateState
from app.core.logs import log
from app.status.material import Material, TimestampService
from pki.errors import KeyUnavailable, TimestampRefused
from pki.tsa import TimestampFailure, parse_request, refuse, respond

# Threads reach the database in another order than they read the clock; more than this is a clock set back.
_TOLERANCE: Final = timedelta(seconds=2)

# One statement: the unit's certificate is still good, the clock has not gone back, and a serial number never used.
_NEXT: Final = text(
    "INSERT INTO timestamp_clock AS kept (id, newest)"
    " SELECT 1, :now WHERE EXISTS (SELECT 1 FROM certificate WHERE id = :unit AND state = :issued)"
    " ON CONFLICT (id) DO UPDATE SET newest = greatest(kept.newest, excluded.newest)"
    " WHERE kept.newest <= excluded.newest + CAST(:tolerance AS interval)"
    " RETURNING nextval('timestamp_serial')"
)


def answer(session: Session, material: Material, request_der: bytes, *, now: datetime) -> bytes:
    """Return a TimeStampResp: a token whose time is `now`, or a refusal (RFC 3161, 2.4.2)."""
    try:
        request = parse_request(request_der)
        service = material.timestamps
        if service is None or now > service.signs_until:
            raise TimestampRefused(TimestampFailure.SYSTEM_FAILURE)
        serial_number = _next_serial(session, service, now)
        return respond(request, unit=service.unit, serial_number=serial_number, now=now)
    except TimestampRefused as error:
        return refuse(TimestampFailure(error.failure))
    except KeyUnavailable:
        return refuse(TimestampFailure.SYSTEM_FAILURE)


def _next_serial(session: Session, service: TimestampService, now: datetime) -> int:
    values = {"now": now, "unit": service.certificate_id, "issued": CertificateState.ISSUED, "tolerance": _TOLERANCE}
    serial_number = session.execute(_NEXT, values).scalar_one_or_none()
    if serial_number is None:
        # The clock was set back, or the unit's certificate is not good any more: either way, no time can be said.
        log.error("timestamp_refused_by_clock_or_certificate")
        raise TimestampRefused(TimestampFailure.TIME_NOT_AVAILABLE)
    return int(serial_number)
