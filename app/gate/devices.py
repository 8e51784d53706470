"""Tablets: made by an administrator, enrolled with a one-time code, revoked at once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Conflict, Invalid, NotFound, TooMany
from app.core.permissions import Actor
from app.core.throttle import may_pass
from app.gate import checkpoints
from app.gate.models import Checkpoint, Device
from app.meetings.models import Building

CODE_LIFE: Final = timedelta(minutes=10)
_SEEN_STEP: Final = timedelta(minutes=1)


def devices(session: Session, actor: Actor) -> Sequence[Device]:
    """Return the tablets of the buildings that the actor looks after, those in use first."""
    query = select(Device).join(Checkpoint, Checkpoint.id == Device.checkpoint_id).join(Building)
    query = query.where(checkpoints.kept_by(actor)).order_by(Device.revoked_at.is_not(None), Device.label)
    return session.scalars(query).unique().all()


def add(session: Session, checkpoint_id: UUID, *, label: str, actor: Actor, now: datetime) -> tuple[Device, str]:
    """Add a tablet for a checkpoint and return it with its one-time code (eight digits, not stored).

    Raises NotFound, also for a building that the actor does not look after.
    """
    query = select(Checkpoint).join(Building).where(Checkpoint.id == checkpoint_id, checkpoints.kept_by(actor))
    checkpoint = session.scalars(query).unique().one_or_none()
    if checkpoint is None:
        raise NotFound(_l("There is no such checkpoint."))
    device = Device(checkpoint=checkpoint, label=label)
    session.add(device)
    session.flush()
    code = _give_code(device, now)
    audit.record(
        session, actor, "device_added", object_kind="device", object_id=device.id, checkpoint=str(checkpoint.id)
    )
    return device, code


def renew_code(session: Session, device_id: UUID, *, actor: Actor, now: datetime) -> tuple[Device, str]:
    """Give a tablet a new code, for example after its browser was emptied. The old cookie ends when it is used."""
    device = find(session, device_id, actor=actor)
    if device.revoked_at is not None:
        raise Conflict(_l("This tablet was revoked. Add a new one."))
    code = _give_code(device, now)
    audit.record(session, actor, "device_code_renewed", object_kind="device", object_id=device.id)
    return device, code


def enrol(
    session: Session, code: str, *, public_key: bytes | None = None, actor: Actor, now: datetime
) -> tuple[Device, str]:
    """Use a code once and return the tablet with the cookie value it keeps (43 characters, not stored).

    `public_key` is the key that the tablet made and proved (DER of SubjectPublicKeyInfo); without one it has no log of
    its own and scans only with a network. A tablet that was enrolled before ends, and another takes its name and place:
    a new log must not go on where another key wrote.

    Raises Invalid with one sentence whether the code is wrong, used or too old.
    """
    current = (Device.code_sha256 == _digest(code), Device.code_expires_at > now, Device.revoked_at.is_(None))
    # Held: of two tablets with the same code, the second finds it used.
    device = session.scalar(select(Device).where(*current).with_for_update(of=Device))
    if device is None:
        raise Invalid(_l("This code is not right, was used already, or is too old."), _l("Ask for a new code."))
    device.code_sha256 = device.code_expires_at = None
    if device.enrolled_at is not None:
        device.revoked_at, device.token_sha256 = now, None
        session.flush()
        device = Device(checkpoint=device.checkpoint, label=device.label)
        session.add(device)
    token = secrets.token_urlsafe(32)
    device.token_sha256, device.public_key, device.enrolled_at = _digest(token), public_key, now
    session.flush()
    audit.record(session, actor, "device_enrolled", object_kind="device", object_id=device.id)
    return device, token


def throttle_enrolment(session: Session, *, account_id: UUID | None, now: datetime) -> None:
    """Count a try; ten an hour for one account leave the hundred million codes out of reach."""
    if not may_pass(session, f"enrol:{account_id}", limit=10, per=timedelta(hours=1), now=now):
        raise TooMany(_l("There were too many tries."), _l("Wait some minutes, then ask for a new code."))


def revoke(session: Session, device_id: UUID, *, actor: Actor, now: datetime) -> Device:
    """End a tablet: its next contact is refused. Doing it twice changes nothing."""
    device = find(session, device_id, actor=actor)
    ended = session.execute(
        update(Device)
        .where(Device.id == device_id, Device.revoked_at.is_(None))
        .values(revoked_at=now, code_sha256=None, code_expires_at=None, token_sha256=None)
        .returning(Device.id)
    ).scalar_one_or_none()
    if ended is not None:
        audit.record(session, actor, "device_revoked", object_kind="device", object_id=device_id)
    session.refresh(device)
    return device


def find(session: Session, device_id: UUID, *, actor: Actor) -> Device:
    """Return a tablet of a building that the actor looks after. Raises NotFound."""
    query = select(Device).join(Checkpoint, Checkpoint.id == Device.checkpoint_id).join(Building)
    device = session.scalars(query.where(Device.id == device_id, checkpoints.kept_by(actor))).unique().one_or_none()
    if device is None:
        raise NotFound(_l("There is no such tablet."))
    return device


def recognise(session: Session, token: str, *, now: datetime) -> Device | None:
    """Return the tablet that holds the cookie `token`, or None when it is revoked or unknown."""
    device = session.scalar(select(Device).where(Device.token_sha256 == _digest(token), Device.revoked_at.is_(None)))
    if device is not None and (device.last_seen_at is None or now >= device.last_seen_at + _SEEN_STEP):
        device.last_seen_at = now
    return device


def _give_code(device: Device, now: datetime) -> str:
    code = f"{secrets.randbelow(10**8):08}"
    device.code_sha256 = _digest(code)
    device.code_expires_at = now + CODE_LIFE
    return code


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
