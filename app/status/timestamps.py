"""RFC 3161: from the bytes of a request to a token, or to a refusal that says why. Nothing is written for a token."""

from __future__ import annotations

from app.core.logs import log
from app.status.clock_guard import ClockGuard, Objection
from app.status.material import Material
from pki.errors import KeyUnavailable, TimestampRefused
from pki.tsa import TimestampFailure, parse_request, refuse, respond


def answer(material: Material, guard: ClockGuard, request_der: bytes) -> bytes:
    """Return a TimeStampResp: a token of this moment, or a refusal (RFC 3161, 2.4.2)."""
    try:
        request = parse_request(request_der)
        service = material.timestamps
        now = guard.time()
        if service is None or (not isinstance(now, Objection) and now > service.signs_until):
            raise TimestampRefused(TimestampFailure.SYSTEM_FAILURE)
        if isinstance(now, Objection):
            raise TimestampRefused(TimestampFailure.TIME_NOT_AVAILABLE)
        return respond(request, unit=service.unit, serial_number=guard.new_serial(), now=now)
    except TimestampRefused as error:
        return refuse(TimestampFailure(error.failure))
    except KeyUnavailable:
        log.error("timestamp_key_unavailable")
        return refuse(TimestampFailure.SYSTEM_FAILURE)
