"""Will it still verify on that day? The proofs of a file followed from the newest timestamp back to each signature.

The rules are those of EN 319 102-1, 5.6.3, with the clock set forward: a timestamp proves what it covers as long as its
unit's certificate, the authorities above it and their algorithms last, or until a later timestamp covered it in time.
Only what the file itself holds counts as evidence: in decades nobody answers for certificates of today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import IO, Final

from cryptography import x509

from pki import tsa
from pki.chains import PathVerdict, Purpose, TrustStore, validate_path
from pki.pades.proofs import Entry, Opened, holds_until, open_file
from pki.status_evidence import StatusEvidence

_ENDED: Final = (PathVerdict.EXPIRED, PathVerdict.NOT_YET_VALID)


class Weakness(StrEnum):
    """What a file fails on first."""

    UNSIGNED = "unsigned"
    # No timestamp proves the signature's time, and the signer's certificate ends.
    TIME_NOT_PROVEN = "time_not_proven"
    # The certificates or algorithms of the newest timestamp end; a renewal before that moves the date.
    TIMESTAMP_ENDS = "timestamp_ends"
    # The file does not hold what tells whether a certificate was revoked; it can be asked for only while it is valid.
    STATUS_NOT_KEPT = "status_not_kept"
    # A later timestamp came when the one before it had ended.
    RENEWED_TOO_LATE = "renewed_too_late"
    REVOKED = "revoked"
    UNTRUSTED = "untrusted"


@dataclass(frozen=True)
class Forecast:
    """Whether a file verifies at the moment asked about, and the first moment at which it does not."""

    holds: bool
    fails_from: datetime | None
    why: Weakness | None
    # The field of the signature or timestamp that fails first; None for a file without signatures.
    field_name: str | None


@dataclass(frozen=True)
class _Limit:
    at: datetime
    why: Weakness
    field_name: str


def will_verify(
    base: IO[bytes], *, trust: TrustStore, evidence: StatusEvidence, now: datetime, at: datetime
) -> Forecast:
    """Say whether the signatures of a PDF will verify at `at` if nothing is added to it from `now` on.

    `evidence` is what can be had today beside the file. That the content is unchanged is `pki.pades.verify`'s question.
    Raises PdfRefused: DAMAGED, ENCRYPTED.
    """
    opened = open_file(base)
    signatures = [one for one in opened.entries if not one.is_document_timestamp]
    if not signatures:
        return Forecast(False, None, Weakness.UNSIGNED, None)
    judge = _Judge(opened, trust, evidence, now)
    limits = [limit for one in judge.stamps for limit in judge.of_stamp(one)]
    limits += [limit for one in signatures for limit in judge.of_signature(one)]
    # Nothing holds for ever: a signature ends with its certificate, a timestamp with its unit's.
    first = min(limits, key=lambda limit: limit.at)
    return Forecast(at < first.at, first.at, first.why, first.field_name)


class _Judge:
    """One file with what is trusted and known; asks for each entry when it stops to hold."""

    def __init__(self, opened: Opened, trust: TrustStore, evidence: StatusEvidence, now: datetime) -> None:
        self.stamps = [one for one in opened.entries if one.is_document_timestamp]
        self._entries = opened.entries
        self._trust = trust
        self._now = now
        held = opened.held
        self._certificates = (*held.certificates_der, *trust.intermediates_der, *trust.roots_der)
        self._kept = StatusEvidence(held.crls_der, held.ocsps_der)
        self._known = StatusEvidence(held.crls_der + evidence.crls_der, held.ocsps_der + evidence.ocsps_der)

    def of_stamp(self, stamp: Entry) -> Sequence[_Limit]:
        """Return what limits a document timestamp: its own end, or what was wrong when the next one covered it."""
        return self._of_time(stamp, stamp.token) if stamp.token is not None else []

    def of_signature(self, signature: Entry) -> Sequence[_Limit]:
        """Return what limits a signature: the end of its proof of time, and of what tells its certificate's status."""
        token = signature.token or self._next_time(signature)
        if token is None:
            return [_Limit(_end(signature.signer_der), Weakness.TIME_NOT_PROVEN, signature.field_name)]
        limits = self._past(signature, signature.signer_der, token.gen_time, Purpose.SIGNING)
        return [*limits, *self._of_time(signature, signature.token)] if signature.token is not None else limits

    def _of_time(self, entry: Entry, token: tsa.Token) -> Sequence[_Limit]:
        following = self._next_time(entry)
        if following is not None:
            return self._past(entry, token.signer_der, following.gen_time, Purpose.TIMESTAMPING)
        end = holds_until(token, [*entry.others_der, *token.certificates_der, *self._certificates])
        limits = [_Limit(end, Weakness.TIMESTAMP_ENDS, entry.field_name)]
        return [*limits, *self._now_known(entry, token)] if self._now < end else limits

    def _next_time(self, entry: Entry) -> tsa.Token | None:
        """Return the first document timestamp behind an entry."""
        later = self._entries[self._entries.index(entry) + 1 :]
        return next((one.token for one in later if one.is_document_timestamp), None)

    def _now_known(self, entry: Entry, token: tsa.Token) -> Sequence[_Limit]:
        verdict = self._verdict(token.signer_der, token.certificates_der, self._now, Purpose.TIMESTAMPING, self._known)
        if verdict in (PathVerdict.VALID, PathVerdict.STATUS_UNKNOWN):
            # Its status is asked for again whenever somebody checks; nobody can tell today what the answer will be.
            return []
        return [_Limit(token.gen_time, _weakness(verdict), entry.field_name)]

    def _past(self, entry: Entry, certificate_der: bytes, moment: datetime, purpose: Purpose) -> Sequence[_Limit]:
        """Return what is wrong with a certificate at a moment that a later proof fixed."""
        others = (*entry.others_der, *(entry.token.certificates_der if entry.token else ()))
        if self._verdict(certificate_der, others, moment, purpose, self._kept) is PathVerdict.VALID:
            return []
        verdict = self._verdict(certificate_der, others, moment, purpose, self._known)
        if verdict in (PathVerdict.VALID, PathVerdict.STATUS_UNKNOWN):
            return [_Limit(_end(certificate_der), Weakness.STATUS_NOT_KEPT, entry.field_name)]
        return [_Limit(moment, _weakness(verdict, is_later=True), entry.field_name)]

    def _verdict(
        self, certificate_der: bytes, others: Sequence[bytes], at: datetime, purpose: Purpose, evidence: StatusEvidence
    ) -> PathVerdict:
        extra = tuple(dict.fromkeys((*others, *self._certificates)))
        return validate_path(
            certificate_der, trust=self._trust, evidence=evidence, at=at, purpose=purpose, extra_der=extra
        ).verdict


def _weakness(verdict: PathVerdict, *, is_later: bool = False) -> Weakness:
    if verdict is PathVerdict.REVOKED:
        return Weakness.REVOKED
    return Weakness.RENEWED_TOO_LATE if is_later and verdict in _ENDED else Weakness.UNTRUSTED


def _end(certificate_der: bytes) -> datetime:
    return x509.load_der_x509_certificate(certificate_der).not_valid_after_utc
