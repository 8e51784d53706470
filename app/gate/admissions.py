"""A scan decided and recorded: verified again here, admitted by one insert, answered the same when it is sent again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.i18n import local
from app.gate import signers
from app.gate.models import Admission, Checkpoint, Device, Scan
from app.gate.scan_message import ScanMessage
from app.meetings import passes
from app.meetings.models import Guest, Pass
from pki.errors import PassRejected
from pki.passes import digits
from pki.passes.claims import PassClaims
from pki.passes.decision import Entry, Outcome, Place, Reason, Verdict, decide, refuse_fault
from pki.passes.faults import PassFault
from pki.passes.signed_list import Edition
from pki.passes.trust_list import Signer, TrustList

# A tablet may look at the portrait of a guest for this long after the scan.
PORTRAIT_LIFE: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Answer:
    """What the guard sees. The guest is shown only with a pass that is genuine and theirs."""

    verdict: Verdict
    guest: Guest | None
    agency: str
    portrait_url: str | None

    def to_json(self) -> dict[str, object]:
        facts = {"agency": self.agency, "place": self.verdict.place or ""}
        if self.verdict.at is not None:
            facts |= {"time": local(self.verdict.at).strftime("%H:%M"), "day": local(self.verdict.at).strftime("%d/%m")}
        guest = self.guest
        return {
            "outcome": self.verdict.outcome,
            "reason": self.verdict.reason,
            "facts": facts,
            "guest": guest and {"name": guest.name, "organisation": guest.organisation, "meeting": guest.meeting.title},
            "portrait_url": self.portrait_url,
        }


def admit(
    session: Session, device: Device, message: ScanMessage, *, operator_account_id: UUID | None, now: datetime
) -> Answer:
    """Decide about a scan, admit at most once for a pass and slot, and record the scan.

    The decision is made from what is true here and now; what the tablet decided is kept beside it. A scan that was
    sent before is answered from its record.
    """
    found = _read(session, message.digits, now)
    verdict = found.fault or _decide(session, device, found, now)
    if verdict.outcome is Outcome.ADMIT and found.row is not None and found.claims is not None:
        verdict = _admit_once(session, device, message, found.row, found.claims, now)
    _record(session, device, message, found.row, verdict, operator_account_id, now)
    genuine = found.row is not None and found.fault is None
    guest = found.row.guest if found.row is not None and genuine else None
    shown = guest is not None and guest.portrait_sha256 is not None and verdict.outcome is not Outcome.REFUSE
    return Answer(
        verdict,
        guest,
        found.signer.agency_name if found.signer else "",
        f"/gate/scans/{message.scan_id}/portrait" if shown else None,
    )


def judge_face(session: Session, device: Device, scan_id: UUID, *, matches: bool) -> None:
    """Record the guard's answer about a face, once. Raises NotFound for another tablet's scan."""
    answered = session.execute(
        update(Scan)
        .where(Scan.id == scan_id, Scan.device_id == device.id)
        .values(face="match" if matches else "mismatch")
        .returning(Scan.id)
    ).scalar_one_or_none()
    if answered is None:
        raise NotFound(_l("There is no such scan."))


def portrait_of_scan(session: Session, device: Device, scan_id: UUID, *, now: datetime) -> str | None:
    """Return the storage name of the guest's portrait, for the tablet that has just scanned them."""
    scan = session.get(Scan, scan_id)
    if scan is None or scan.device_id != device.id or now > scan.received_at + PORTRAIT_LIFE or scan.pass_id is None:
        return None
    row = session.get(Pass, scan.pass_id)
    return row.guest.portrait_sha256 if row is not None and scan.outcome != Outcome.REFUSE else None


@dataclass(frozen=True)
class _Read:
    """What a scan turned out to be: a fault, or claims with their signer and the row of the pass."""

    fault: Verdict | None = None
    claims: PassClaims | None = None
    signer: Signer | None = None
    row: Pass | None = None


def _read(session: Session, text: str, now: datetime) -> _Read:
    # The signers are read from the certificates, not from the published list: a revocation counts from its commit.
    trusted = TrustList(Edition(0, now, now), signers.trusted(session, now=now))
    try:
        claims, signer = trusted.verify_pass(digits.decode(text), now)
    except PassRejected as rejected:
        fault = rejected.fault if isinstance(rejected.fault, PassFault) else PassFault.MALFORMED
        if fault is PassFault.UNKNOWN_KEY and signers.has_ended(session, digits.decode(text), now=now):
            fault = PassFault.KEY_NOT_CURRENT
        return _Read(fault=refuse_fault(fault))
    row = passes.by_secret(session, claims.pass_id)
    if row is None:
        # Signed with our key, yet not in our books: a key is misused.
        return _Read(fault=Verdict(Outcome.REFUSE, Reason.FORGED))
    return _Read(claims=claims, signer=signer, row=row)


def _decide(session: Session, device: Device, found: _Read, now: datetime) -> Verdict:
    if found.claims is None or found.signer is None or found.row is None:
        return refuse_fault(PassFault.MALFORMED)
    building = found.row.guest.meeting.room.building
    verdict = decide(
        found.claims,
        found.signer,
        now=now,
        place=Place(device.checkpoint.building.code, device.checkpoint.zone),
        status=passes.status_of(found.row),
        lists_until=now,
        meeting_building=building.code,
        earlier=None,
    )
    if verdict.reason is Reason.WRONG_BUILDING:
        return Verdict(verdict.outcome, verdict.reason, place=f"{building.name}, {building.address}")
    return verdict


def _admit_once(
    session: Session, device: Device, message: ScanMessage, row: Pass, claims: PassClaims, now: datetime
) -> Verdict:
    taken = session.execute(
        insert(Admission)
        .values(
            pass_id=row.id,
            slot=claims.slot,
            scan_id=message.scan_id,
            checkpoint_id=device.checkpoint_id,
            admitted_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Admission.pass_id, Admission.slot])
        .returning(Admission.scan_id)
    ).scalar_one_or_none()
    if taken is not None:
        return Verdict(Outcome.ADMIT, Reason.ADMITTED)
    earlier, place = session.execute(
        select(Admission, Checkpoint.name)
        .join(Checkpoint, Checkpoint.id == Admission.checkpoint_id)
        .where(Admission.pass_id == row.id, Admission.slot == claims.slot)
    ).one()
    if earlier.scan_id == message.scan_id:
        return Verdict(Outcome.ADMIT, Reason.ADMITTED)
    entry = Entry(earlier.admitted_at, place)
    return Verdict(Outcome.REFUSE, Reason.ALREADY_ADMITTED, at=entry.at, place=entry.place)


def _record(
    session: Session,
    device: Device,
    message: ScanMessage,
    row: Pass | None,
    verdict: Verdict,
    operator_account_id: UUID | None,
    now: datetime,
) -> None:
    values: Mapping[str, object] = {
        "id": message.scan_id,
        "device_id": device.id,
        "checkpoint_id": device.checkpoint_id,
        "pass_id": row.id if row else None,
        "operator_account_id": operator_account_id,
        "scanned_at": message.scanned_at,
        "received_at": now,
        "device_outcome": message.outcome,
        "device_reason": message.reason,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
    }
    session.execute(insert(Scan).values(**values).on_conflict_do_nothing(index_elements=[Scan.id]))
