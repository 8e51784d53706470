"""A scan decided and recorded: verified again here, admitted by one insert, answered the same when it is sent again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from psycopg.rows import args_row
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.i18n import local
from app.core.settings import Settings
from app.gate import admissions_sql as sql
from app.gate import signers
from app.gate.admissions_sql import Connection, Scene, Written, driver
from app.gate.models import Device, Scan
from app.gate.scan_message import ScanMessage
from app.meetings import day_keys
from app.meetings.models import Pass, PassState, Reentry
from pki.errors import PassRejected
from pki.passes import claims as pass_claims
from pki.passes import cose, rotating
from pki.passes.admission import admit as rule
from pki.passes.admission import has_returned
from pki.passes.claims import PassClaims
from pki.passes.decision import Outcome, Place, Reason, Verdict, refuse_fault
from pki.passes.faults import PassFault
from pki.passes.lease import Policy
from pki.passes.scan_event import Direction
from pki.passes.signed_list import Edition
from pki.passes.status import PassStatus
from pki.passes.trust_list import Signer, TrustList

# A tablet may look at the portrait of a guest for this long after the scan.
PORTRAIT_LIFE: Final = timedelta(minutes=5)
_STATUS: Final = {PassState.WITHDRAWN: PassStatus.WITHDRAWN, PassState.CHANGED: PassStatus.CHANGED}
_NOBODY: Final = bytes(32)


@dataclass(frozen=True)
class Answer:
    """What the guard sees. The guest is shown only with a pass that is genuine and theirs."""

    verdict: Verdict
    # None unless the pass is genuine.
    scene: Scene | None
    agency: str
    portrait_url: str | None

    def to_json(self) -> dict[str, object]:
        facts = {"agency": self.agency, "place": self.verdict.place or ""}
        if self.verdict.at is not None:
            facts |= {"time": local(self.verdict.at).strftime("%H:%M"), "day": local(self.verdict.at).strftime("%d/%m")}
        scene = self.scene
        return {
            "outcome": self.verdict.outcome,
            "reason": self.verdict.reason,
            "facts": facts,
            "guest": scene
            and {
                "name": scene.guest_name,
                "organisation": scene.organisation,
                "meeting": scene.meeting_title,
                "seat": scene.seat,
            },
            "portrait_url": self.portrait_url,
        }


@dataclass(frozen=True)
class Keys:
    """The keys that sign passes: those that may, and the names of those that may no longer."""

    trusted: TrustList
    ended: frozenset[bytes]
    # Whose secret the keys of changing codes follow from.
    settings: Settings

    @classmethod
    def read(cls, session: Session, settings: Settings, *, now: datetime) -> Keys:
        """Read them from the certificates, not from the published list: a revocation counts from its commit."""
        trusted = TrustList(Edition(0, now, now), signers.trusted(session, now=now))
        return cls(trusted, signers.ended(session, now=now), settings)


def admit(
    session: Session,
    device: Device,
    message: ScanMessage,
    *,
    settings: Settings,
    operator_account_id: UUID | None,
    now: datetime,
) -> Answer:
    """Decide about a scan, admit at most once for a pass and slot, and record the scan.

    The decision is made from what is true here and now; what the tablet decided is kept beside it. A scan that was
    sent before is answered from its record.
    """
    found = read_pass(message.digits, Keys.read(session, settings, now=now), now)
    connection = driver(session)
    scene = look(connection, sql.SCENE_BY_DEVICE, found, device_id=device.id)
    if scene is None:
        raise NotFound(_l("There is no such tablet."))
    return settle(connection, scene, message, found, operator=operator_account_id, now=now)


@dataclass(frozen=True)
class Found:
    """What a text turned out to be: a fault, or claims with their signer."""

    fault: Verdict | None = None
    claims: PassClaims | None = None
    signer: Signer | None = None
    # A code of this moment was shown with it.
    is_fresh: bool = False

    @property
    def slot(self) -> int:
        return self.claims.slot if self.claims else 0

    @property
    def secret_sha256(self) -> bytes:
        return hashlib.sha256(self.claims.pass_id).digest() if self.claims else _NOBODY


def read_pass(text: str, keys: Keys, now: datetime) -> Found:
    """Return what was read, its signature verified."""
    try:
        token, code = rotating.split(text)
        claims, signer = keys.trusted.verify_pass(token, now)
    except PassRejected as rejected:
        fault = rejected.fault if isinstance(rejected.fault, PassFault) else PassFault.MALFORMED
        if fault is PassFault.UNKNOWN_KEY and cose.parse(token).kid in keys.ended:
            fault = PassFault.KEY_NOT_CURRENT
        return Found(fault=refuse_fault(fault))
    is_fresh = day_keys.is_fresh(keys.settings, claims, code, now=now)
    return Found(claims=claims, signer=signer, is_fresh=is_fresh)


def secret_of(text: str) -> bytes:
    """Return the secret of a pass without looking at who signed it. Raises PassRejected.

    Whoever knows a secret that is in our books has seen its pass.
    """
    return pass_claims.decode(cose.parse(rotating.split(text)[0]).payload).pass_id


def look(connection: Connection, statement: str, found: Found, **who: object) -> Scene | None:
    """Return the tablet and what it has before it; None if the tablet is not known or was revoked."""
    with connection.cursor(row_factory=args_row(Scene)) as cursor:
        return cursor.execute(
            statement.encode(), {**who, "secret_sha256": found.secret_sha256, "slot": found.slot}
        ).fetchone()


def settle(
    connection: Connection, scene: Scene, message: ScanMessage, found: Found, *, operator: UUID | None, now: datetime
) -> Answer:
    """Admit or not, record it, and say what the guard sees."""
    verdict = _act(connection, scene, message, found, _values(scene, message, found, operator, now), now)
    genuine = found.fault is None and scene.pass_id is not None
    shown = genuine and scene.portrait_sha256 is not None and verdict.outcome is not Outcome.REFUSE
    return Answer(
        verdict,
        scene if genuine else None,
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


def may_return(scene: Scene, now: datetime) -> bool:
    """Say whether somebody who went out may come in again now."""
    if scene.reentry == Reentry.DURING and scene.starts_at is not None and scene.ends_at is not None:
        return scene.starts_at <= now <= scene.ends_at
    return scene.reentry == Reentry.FREE


def _act(
    connection: Connection,
    scene: Scene,
    message: ScanMessage,
    found: Found,
    values: dict[str, object],
    now: datetime,
) -> Verdict:
    verdict = found.fault or _decide(scene, found, now)
    if verdict.outcome is not Outcome.ADMIT:
        return _record(connection, sql.RECORD, values, verdict)
    if message.direction is Direction.OUT:
        return _record(connection, sql.CHECK_OUT, values, Verdict(Outcome.ADMIT, Reason.CHECKED_OUT))
    # A door inside the building uses up no right.
    if scene.zone:
        return _record(connection, sql.RECORD, values, verdict)
    if scene.lease_device_id is not None and not _may_take(scene, now):
        # Only to see whether somebody has entered: what the tablet did may have been heard of, its right not yet back.
        return _enter(connection, scene, message, values | {"own": False, "returned": False}, now, is_away=True)
    # The right lies with a tablet, and what that let in may not have been heard of yet. So it is used with the tablet's
    # own word alone: one that has spent it, or was restored and has no list, does not say "admit". In the
    # boot that the list is signed for, "no lease" means that it was not taken up yet.
    waits = message.reason is Reason.NO_LEASE and message.boot_id is not None and message.boot_id == scene.boot_id
    own = message.outcome is Outcome.ADMIT or waits
    returned = scene.lease_device_id not in (None, scene.device_id)
    return _enter(connection, scene, message, values | {"own": own, "returned": returned}, now)


def _decide(scene: Scene, found: Found, now: datetime) -> Verdict:
    if found.claims is None or found.signer is None or scene.pass_state is None:
        # Signed with our key, yet not in our books: a key is misused.
        return Verdict(Outcome.REFUSE, Reason.FORGED)
    verdict = rule(
        found.claims,
        found.signer,
        now=now,
        place=Place(scene.building_code, scene.zone),
        status=_STATUS.get(PassState(scene.pass_state), PassStatus.VALID),
        lists_until=now,
        spent=None,
        lease=None,
        online=True,
        meeting_building=scene.meeting_building_code,
        is_fresh=found.is_fresh,
    )
    if verdict.reason is Reason.WRONG_BUILDING:
        return Verdict(verdict.outcome, verdict.reason, place=scene.meeting_building)
    return verdict


def _may_take(scene: Scene, now: datetime) -> bool:
    if scene.lease_device_id == scene.device_id:
        return not scene.lease_in_doubt
    policy = Policy(scene.policy or Policy.STRICT)
    return scene.lease_until is not None and has_returned(
        not_after=scene.lease_until, released=False, policy=policy, now=now
    )


def _enter(
    connection: Connection,
    scene: Scene,
    message: ScanMessage,
    values: dict[str, object],
    now: datetime,
    *,
    is_away: bool = False,
) -> Verdict:
    """Take the right or say who had it; `is_away`: it is with another gate's tablet, which is asked to give it back."""
    written = _write(connection, values)
    if not written.taken and written.earlier_scan_id is None and scene.lease_device_id is None:
        # Another gate was faster by less than this statement took, and is seen now.
        written = _write(connection, values)
    if written.recorded_outcome is not None and written.recorded_outcome != Outcome.REFUSE:
        return Verdict(Outcome(written.recorded_outcome), Reason(written.recorded_reason or ""))
    if written.taken or written.earlier_scan_id == message.scan_id:
        return Verdict(Outcome.ADMIT, Reason.ADMITTED)
    if written.earlier_scan_id is None and is_away:
        away = Verdict(Outcome.LOOK_AGAIN, Reason.LEASED_ELSEWHERE, place=scene.lease_gate)
        return _record(connection, sql.RECORD_AND_RECALL, values, away)
    if written.earlier_scan_id is None:
        # Withdrawn or leased between reading and writing (the next reading says so), or not this tablet's to use.
        return _record(connection, sql.RECORD, values, Verdict(Outcome.LOOK_AGAIN, Reason.NO_LEASE))
    if written.left_at is not None and written.recorded_outcome is None and may_return(scene, now):
        back = connection.execute(sql.READMIT.encode(), values | {"left_at": written.left_at}).fetchone()
        if back is not None:
            return Verdict(Outcome.ADMIT, Reason.READMITTED)
    return Verdict(Outcome.REFUSE, Reason.ALREADY_ADMITTED, at=written.earlier_at, place=written.earlier_place)


def _write(connection: Connection, values: dict[str, object]) -> Written:
    with connection.cursor(row_factory=args_row(Written)) as cursor:
        return cursor.execute(sql.ENTER.encode(), values).fetchone() or Written(False, *[None] * 6)


def _record(connection: Connection, statement: str, values: dict[str, object], verdict: Verdict) -> Verdict:
    connection.execute(statement.encode(), values | {"outcome": verdict.outcome, "reason": verdict.reason})
    return verdict


def _values(
    scene: Scene, message: ScanMessage, found: Found, operator: UUID | None, now: datetime
) -> dict[str, object]:
    return {
        "scan_id": message.scan_id,
        "device_id": scene.device_id,
        "checkpoint_id": scene.checkpoint_id,
        "pass_id": scene.pass_id,
        "operator": operator,
        "scanned_at": message.scanned_at,
        "now": now,
        "device_outcome": message.outcome,
        "device_reason": message.reason,
        "direction": int(message.direction),
        "slot": found.slot,
    }
