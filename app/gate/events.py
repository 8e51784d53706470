"""A batch of a tablet's log, taken: once for each entry, in the order of its chain, admissions before what follows.

What the tablet decided is kept beside what the server says to it. An entry that was taken before is answered from its
record; one that contradicts an earlier one is an incident, and from then on the tablet's log is evidence only.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from psycopg.rows import args_row

from app.gate import events_keep, incidents
from app.gate import events_sql as sql
from app.gate.admissions_sql import Connection
from app.gate.event_message import Entry, require_signed
from app.gate.events_sql import Entered, Held, Known, Log, Sender
from app.gate.incidents import New
from app.gate.models_leases import IncidentKind
from app.meetings.models import PassState, Reentry
from pki.passes import scan_event
from pki.passes.decision import Outcome, Reason
from pki.passes.lease import Policy
from pki.passes.scan_event import Direction, EventFlags, Face, ScanEvent

# A tablet's wall clock and its counted milliseconds may part by this much before somebody should look.
LARGEST_DRIFT: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Verdict:
    """What the server says to one entry."""

    scan_id: UUID
    outcome: str
    reason: str
    incident: bool = False

    def to_json(self) -> dict[str, object]:
        return {
            "scanId": str(self.scan_id),
            "outcome": self.outcome,
            "reason": self.reason,
            "incident": self.incident,
        }


@dataclass(frozen=True)
class Receipt:
    """How far the log is now read without a gap, and what was said to each entry."""

    contiguous: int
    verdicts: tuple[Verdict, ...]
    # The log has two continuations, or the tablet was revoked: it must be enrolled again.
    void: bool

    def to_json(self) -> dict[str, object]:
        return {
            "contiguous": self.contiguous,
            "verdicts": [one.to_json() for one in self.verdicts],
            "void": self.void,
        }


@dataclass
class _Batch:
    """The state of taking one batch."""

    connection: Connection
    sender: Sender
    log: Log
    now: datetime
    found: list[New] = field(default_factory=list)
    said: dict[UUID, Verdict] = field(default_factory=dict)

    @property
    def is_void(self) -> bool:
        return self.log.forked_at is not None or self.sender.revoked_at is not None

    def raise_incident(self, kind: IncidentKind, entry: Entry, **more: object) -> None:
        facts = {"seq": entry.event.seq, **more.pop("facts", {})}  # type: ignore[dict-item]  # always a dictionary
        self.found.append(
            New(kind, self.sender.building_id, entry.scan_id, entry.at, self.sender.device_id, facts=facts, **more)  # type: ignore[arg-type]  # the fields of an incident
        )


def sender(connection: Connection, device_id: UUID) -> Sender | None:
    """Return the tablet that made an entry; the caller checks who sends it."""
    with connection.cursor(row_factory=args_row(Sender)) as cursor:
        return cursor.execute(sql.SENDER, {"device_id": device_id}).fetchone()


def is_theirs(who: Sender, token: str | None) -> bool:
    """Say whether the token is the tablet's. A revoked one has none: its signed entries are taken as evidence."""
    if who.revoked_at is not None:
        return True
    digest = hashlib.sha256((token or "").encode()).digest()
    return who.token_sha256 is not None and hmac.compare_digest(who.token_sha256, digest)


def take(connection: Connection, who: Sender, entries: Sequence[Entry], *, now: datetime) -> Receipt:
    """Take entries of one tablet inside the caller's transaction; sending them again changes nothing.

    Raises Invalid if one is of another tablet or not signed with its key.
    """
    require_signed(entries, who.device_id, _public_key(who.public_key))
    batch = _Batch(connection, who, _open_log(connection, who.device_id), now)
    fresh = list(_unknown(batch, entries))
    new_head = _follow(batch, fresh)
    held = _held(connection, fresh)
    batch.said |= {
        one.scan_id: Verdict(one.scan_id, one.event.outcome, one.event.reason) for one in fresh if not one.is_scan
    }
    for direction, run in groupby((one for one in fresh if one.is_scan), key=lambda one: one.event.direction):
        if direction is Direction.OUT:
            _leave(batch, list(run), held)
        else:
            _let_in(batch, list(run), held)
    events_keep.keep(connection, who, fresh, batch.said, held, now=now)
    _faces(batch, fresh)
    _close(batch, fresh, new_head)
    said = tuple(batch.said[one.scan_id] for one in entries if one.scan_id in batch.said)
    return Receipt(batch.log.contiguous, said, batch.is_void)


def _open_log(connection: Connection, device_id: UUID) -> Log:
    with connection.cursor(row_factory=args_row(Log)) as cursor:
        found = cursor.execute(sql.LOG, {"device_id": device_id}).fetchone()
        if found is None:
            cursor.execute(sql.OPEN_LOG, {"device_id": device_id, "head": scan_event.NO_PREVIOUS})
            found = cursor.execute(sql.LOG, {"device_id": device_id}).fetchone()
    return found or Log(0, scan_event.NO_PREVIOUS, None, False, 0, 0, 0, None)


def _unknown(batch: _Batch, entries: Sequence[Entry]) -> Iterator[Entry]:
    """Give the entries that are new; what was taken before is answered, what contradicts it voids the log."""
    with batch.connection.cursor(row_factory=args_row(Known)) as cursor:
        known = {one.scan_id: one for one in cursor.execute(sql.KNOWN, {"ids": [one.scan_id for one in entries]})}
    for entry in entries:
        before = known.get(entry.scan_id)
        if before is None or before.event is None:
            yield entry
        elif before.event == entry.data:
            differs = before.outcome != entry.event.outcome
            batch.said[entry.scan_id] = Verdict(entry.scan_id, before.outcome, before.reason, incident=differs)
        else:
            _fork(batch, entry)


def _fork(batch: _Batch, entry: Entry) -> None:
    batch.log = batch.log._replace(forked_at=batch.log.forked_at or batch.now)
    batch.raise_incident(
        IncidentKind.CHAIN_FORK, entry, facts={"event": entry.data.hex(), "signature": entry.signature.hex()}
    )
    batch.said[entry.scan_id] = Verdict(entry.scan_id, Outcome.LOOK_AGAIN, Reason.FORGED, incident=True)


def _follow(batch: _Batch, fresh: Sequence[Entry]) -> list[ScanEvent]:
    """Follow the chain through the new entries and those that waited behind a gap; return what it now reaches."""
    reached: list[ScanEvent] = []
    for entry in fresh:
        if entry.event.seq == batch.log.contiguous + 1 and not batch.is_void:
            if entry.event.previous != batch.log.head:
                _fork(batch, entry)
                continue
            _advance(batch, entry, reached)
    if reached and not batch.is_void:
        _catch_up(batch, reached)
    behind = [one for one in fresh if one.event.seq > batch.log.contiguous + 1]
    if behind and not batch.is_void:
        batch.raise_incident(IncidentKind.CHAIN_GAP, behind[0], facts={"missing_from": batch.log.contiguous + 1})
    return reached


def _catch_up(batch: _Batch, reached: list[ScanEvent]) -> None:
    waiting = batch.connection.execute(
        sql.LATER, {"device_id": batch.sender.device_id, "after": batch.log.contiguous}
    ).fetchall()
    for (data,) in waiting:
        if not isinstance(data, bytes):
            continue
        entry = Entry(scan_event.decode(data), data, b"", b"", None)
        if entry.event.seq != batch.log.contiguous + 1:
            return
        if entry.event.previous != batch.log.head:
            _fork(batch, entry)
            return
        _advance(batch, entry, reached)


def _advance(batch: _Batch, entry: Entry, reached: list[ScanEvent]) -> None:
    event, log = entry.event, batch.log
    if event.boot_id == log.boot_id:
        drift = abs((event.hlc >> 16) - (log.hlc >> 16) - (event.monotonic_ms - log.monotonic_ms))
        if drift > LARGEST_DRIFT / timedelta(milliseconds=1):
            batch.raise_incident(IncidentKind.CLOCK_JUMP, entry, facts={"milliseconds": drift})
    batch.log = log._replace(contiguous=event.seq, head=entry.digest, hlc=event.hlc, monotonic_ms=event.monotonic_ms)
    reached.append(event)


def _held(connection: Connection, fresh: Sequence[Entry]) -> dict[bytes, Held]:
    secrets = list({one.secret_sha256 for one in fresh if one.secret_sha256 is not None})
    if not secrets:
        return {}
    with connection.cursor(row_factory=args_row(Held)) as cursor:
        return {one.secret_sha256: one for one in cursor.execute(sql.HELD, {"secrets": secrets})}


def _let_in(batch: _Batch, run: Sequence[Entry], held: dict[bytes, Held]) -> None:
    """Admit what the tablet let in at an entrance; a right that was used before is a double entry."""
    wanted: list[tuple[Entry, Held]] = []
    for entry in run:
        found = held.get(entry.secret_sha256 or b"")
        batch.said[entry.scan_id] = Verdict(entry.scan_id, entry.event.outcome, entry.event.reason)
        if not entry.lets_in or batch.sender.zone:
            continue
        if batch.is_void:
            kind = IncidentKind.REVOKED_DEVICE if batch.sender.revoked_at else IncidentKind.CHAIN_FORK
            batch.raise_incident(kind, entry, pass_id=found and found.pass_id)
            batch.said[entry.scan_id] = Verdict(entry.scan_id, Outcome.LOOK_AGAIN, Reason.NO_LEASE, incident=True)
        elif found is not None:
            wanted.append((entry, found))
    taken = _admit(batch, wanted)
    lost = [(entry, found) for entry, found in wanted if entry.scan_id not in taken]
    earlier = _entered(batch.connection, [found.pass_id for _, found in lost])
    for entry, found in lost:
        _second(batch, entry, found, earlier.get((found.pass_id, entry.event.slot)))
    for entry, found in wanted:
        _look_at_authority(batch, entry, found, is_new=entry.scan_id in taken)


def _admit(batch: _Batch, wanted: Sequence[tuple[Entry, Held]]) -> set[object]:
    if not wanted:
        return set()
    values = {
        "passes": [found.pass_id for _, found in wanted],
        "slots": [entry.event.slot for entry, _ in wanted],
        "scans": [entry.scan_id for entry, _ in wanted],
        "checkpoints": [batch.sender.checkpoint_id] * len(wanted),
        "times": [entry.at for entry, _ in wanted],
    }
    return {scan for (scan,) in batch.connection.execute(sql.ADMIT, values).fetchall()}


def _entered(connection: Connection, passes: Sequence[UUID]) -> dict[tuple[UUID, int], Entered]:
    if not passes:
        return {}
    with connection.cursor(row_factory=args_row(Entered)) as cursor:
        rows = cursor.execute(sql.ENTERED, {"passes": list(passes)}).fetchall()
    return {(one.pass_id, one.slot): one for one in rows}


def _second(batch: _Batch, entry: Entry, found: Held, first: Entered | None) -> None:
    """Answer an entry whose right was used: by this very scan online, by somebody who had left, or twice."""
    if first is None or first.scan_id == entry.scan_id:
        return
    if first.left_at is not None and _may_return(found, entry.at):
        values = {"pass_id": first.pass_id, "slot": first.slot, "left_at": first.left_at}
        if batch.connection.execute(sql.RETURN, values).fetchone() is not None:
            batch.said[entry.scan_id] = Verdict(entry.scan_id, Outcome.ADMIT, Reason.READMITTED)
            return
    facts = {
        "first": {"checkpoint": str(first.checkpoint_id), "at": first.admitted_at.isoformat()},
        "second": {"checkpoint": str(batch.sender.checkpoint_id), "at": entry.at.isoformat()},
        "policy": found.policy,
        "override": bool(entry.event.flags & EventFlags.OVERRIDE),
    }
    batch.raise_incident(
        IncidentKind.DOUBLE_ENTRY, entry, pass_id=found.pass_id, earlier_scan_id=first.scan_id, facts=facts
    )
    batch.said[entry.scan_id] = Verdict(entry.scan_id, Outcome.REFUSE, Reason.ALREADY_ADMITTED, incident=True)


def _look_at_authority(batch: _Batch, entry: Entry, found: Held, *, is_new: bool) -> None:
    """Record what should not have been let in although the person is now inside."""
    event = entry.event
    kind = None
    if event.flags & EventFlags.OVERRIDE:
        kind = IncidentKind.OVERRIDE
    elif event.lease_epoch is not None:
        mine = found.lease_device_id == batch.sender.device_id and found.lease_epoch is not None
        if not mine or event.lease_epoch < (found.lease_epoch or 0):
            kind = IncidentKind.STALE_EPOCH
    elif is_new and found.policy == Policy.STRICT:
        kind = IncidentKind.STALE_EPOCH
    elif is_new and found.state != PassState.VALID:
        kind = IncidentKind.ENTERED_ENDED
    if kind is not None:
        batch.raise_incident(kind, entry, pass_id=found.pass_id)
        batch.said[entry.scan_id] = replace(batch.said[entry.scan_id], incident=True)


def _may_return(found: Held, at: datetime) -> bool:
    if found.reentry == Reentry.DURING:
        return found.starts_at <= at <= found.ends_at
    return found.reentry == Reentry.FREE


def _leave(batch: _Batch, run: Sequence[Entry], held: dict[bytes, Held]) -> None:
    gone = []
    for entry in run:
        found = held.get(entry.secret_sha256 or b"")
        batch.said[entry.scan_id] = Verdict(entry.scan_id, entry.event.outcome, entry.event.reason)
        if found is not None and not batch.is_void and entry.event.outcome is Outcome.ADMIT:
            gone.append((found.pass_id, entry.event.slot, entry.at))
    if gone:
        passes, slots, times = (list(column) for column in zip(*gone, strict=True))
        batch.connection.execute(sql.LEAVE, {"passes": passes, "slots": slots, "times": times})


def _faces(batch: _Batch, fresh: Sequence[Entry]) -> None:
    for entry in fresh:
        if entry.event.face is not None and entry.event.refers_to is not None:
            values = {"face": Face(entry.event.face).name.lower(), "scan_id": entry.event.refers_to}
            batch.connection.execute(sql.FACE, values | {"device_id": batch.sender.device_id})


def _close(batch: _Batch, fresh: Sequence[Entry], reached: Sequence[ScanEvent]) -> None:
    """Do what the chain now says about leases, in its order, and keep how far it was read."""
    by_seq = {one.event.seq: one for one in fresh}
    for event in reached:
        log = batch.log
        if event.flags & EventFlags.BOOT:
            _boot(batch, event, by_seq.get(event.seq))
        elif event.flags & EventFlags.LEASES_TAKEN and event.lease_epoch is not None and event.boot_id == log.boot_id:
            batch.log = log._replace(taken_epoch=max(log.taken_epoch, event.lease_epoch))
            values = {"device_id": batch.sender.device_id, "epoch": event.lease_epoch, "now": batch.now}
            batch.connection.execute(sql.RELEASE, values)
        batch.log = batch.log._replace(closed=bool(event.flags & EventFlags.CLOSED))
    batch.connection.execute(sql.KEEP_LOG, {**batch.log._asdict(), "device_id": batch.sender.device_id})
    incidents.record(batch.connection, batch.found, now=batch.now)


def _boot(batch: _Batch, event: ScanEvent, entry: Entry | None) -> None:
    values = {"device_id": batch.sender.device_id, "now": batch.now}
    batch.connection.execute(sql.RELEASE_ALL, values | {"closed": batch.log.closed})
    doubted = batch.connection.execute(sql.DOUBT, values).fetchall()
    if doubted and entry is not None:
        batch.raise_incident(IncidentKind.RIGHTS_IN_DOUBT, entry, facts={"rights": len(doubted)})
    batch.log = batch.log._replace(boot_id=event.boot_id)


@lru_cache(maxsize=1024)
def _public_key(spki_der: bytes | None) -> ec.EllipticCurvePublicKey | None:
    key = load_der_public_key(spki_der) if spki_der is not None else None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None
