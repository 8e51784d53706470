"""Reasons of revocation, who may give which, and the entry that a CRL carries for one certificate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final

from pki import der, oids
from pki.errors import RevocationRefused


class RevocationReason(IntEnum):
    """CRLReason of RFC 5280, 5.3.1, by code. `removeFromCRL` (8) belongs to delta CRLs and is not a reason to give."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10


class RevokedBy(StrEnum):
    """Who ends a certificate."""

    HOLDER = "holder"
    REGISTRATION_OFFICER = "registration_officer"
    ADMINISTRATOR = "administrator"
    # The house itself: a newer certificate took its place, or an abandoned serial number.
    HOUSE = "house"


_ALLOWED: Final[dict[RevokedBy, frozenset[RevocationReason]]] = {
    RevokedBy.HOLDER: frozenset(
        {
            RevocationReason.KEY_COMPROMISE,
            RevocationReason.SUPERSEDED,
            RevocationReason.CESSATION_OF_OPERATION,
            RevocationReason.CERTIFICATE_HOLD,
        }
    ),
    RevokedBy.REGISTRATION_OFFICER: frozenset(
        {
            RevocationReason.AFFILIATION_CHANGED,
            RevocationReason.CESSATION_OF_OPERATION,
            RevocationReason.CERTIFICATE_HOLD,
        }
    ),
    RevokedBy.ADMINISTRATOR: frozenset(
        {
            RevocationReason.KEY_COMPROMISE,
            RevocationReason.AFFILIATION_CHANGED,
            RevocationReason.SUPERSEDED,
            RevocationReason.CESSATION_OF_OPERATION,
            RevocationReason.CERTIFICATE_HOLD,
            RevocationReason.PRIVILEGE_WITHDRAWN,
        }
    ),
    RevokedBy.HOUSE: frozenset({RevocationReason.SUPERSEDED, RevocationReason.UNSPECIFIED}),
}


def allowed_reasons(by: RevokedBy) -> list[RevocationReason]:
    """Return the reasons that `by` may give, by code."""
    return sorted(_ALLOWED[by])


def check_reason(reason: RevocationReason, by: RevokedBy) -> None:
    """Return if `by` may give `reason`. Raises RevocationRefused."""
    if reason not in _ALLOWED[by]:
        raise RevocationRefused(f"{by} may not revoke for {reason.name}")


@dataclass(frozen=True)
class RevokedEntry:
    """One certificate on a CRL."""

    serial_number: int
    revocation_time: datetime
    reason: RevocationReason
    # When the key is thought to have been lost, if that was earlier (RFC 5280, 5.3.2).
    invalidity_date: datetime | None = None


def encode_entry(entry: RevokedEntry) -> bytes:
    """Return the DER of one element of revokedCertificates (RFC 5280, 5.1.2.6 and 5.3).

    Made when the certificate is revoked and stored: a CRL is then a join of bytes. `unspecified` is left out, as
    5.3.1 asks.
    """
    extensions = b""
    if entry.reason is not RevocationReason.UNSPECIFIED:
        extensions += der.extension(oids.REASON_CODE, der.integer(entry.reason, der.ENUMERATED))
    if entry.invalidity_date is not None:
        extensions += der.extension(oids.INVALIDITY_DATE, der.generalized_time(entry.invalidity_date))
    return der.sequence(
        der.integer(entry.serial_number),
        der.time(entry.revocation_time),
        der.sequence(extensions) if extensions else b"",
    )


def encode_removal(serial_number: int, at: datetime) -> bytes:
    """Return the entry of a delta CRL that takes a certificate off the list (removeFromCRL, RFC 5280, 5.3.1)."""
    reason = der.extension(oids.REASON_CODE, der.integer(8, der.ENUMERATED))
    return der.sequence(der.integer(serial_number), der.time(at), der.sequence(reason))
