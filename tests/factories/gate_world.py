"""Many passes and tablets at once, written straight into the tables: for measurements and for long random walks."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.accounts.models import Account
from app.certificates import key_access, register
from app.core import db
from app.core.settings import Settings
from app.gate import signers
from app.gate.models import Checkpoint, Device
from app.meetings.models import Building, Guest, Meeting, MeetingState, Pass, Room
from pki.authority import spki
from pki.keys import Curve, SigningKey, SoftwareKey
from pki.passes import cose, digits
from pki.passes.claims import PassClaims, PassFlags
from pki.passes.lease import Policy
from pki.passes.trust_list import Signer
from pki.profiles import ProfileName
from tests.factories.tablets import Tablet

# `at` is a whole minute, which may lie before the minute in which a new city was set up.
_AFTER_SET_UP = timedelta(minutes=2)


@dataclass(frozen=True)
class Issued:
    """A pass as its guest holds it."""

    pass_id: UUID
    guest_id: UUID
    digits: str
    status_index: int
    policy: Policy
    # The number of the gate that stands in the letter.
    gate: int


@dataclass(frozen=True)
class World:
    """A building with gates, a tablet at each, and meetings of both policies with their guests."""

    passes: Sequence[Issued]
    tablets: Sequence[Tablet]
    lists_key: SigningKey


def build(
    settings: Settings,
    *,
    guests: int,
    gates: int,
    policy: Policy | None = Policy.STRICT,
    now: datetime | None = None,
    agency_code: str = "H99",
    more: PassFlags = PassFlags.NONE,
) -> World:
    """Make a congress that is on now; with no `policy` every second guest is of a lenient meeting."""
    at = (now or datetime.now(UTC)).replace(second=0, microsecond=0)
    with db.transaction() as session:
        signer, key = _signer(session, settings, agency_code, at)
        building = Building(code=f"B{secrets.token_hex(3)}", name="Trung tâm Hội nghị", address="1 Quảng trường")
        session.add(building)
        session.flush()
        places = [Checkpoint(building_id=building.id, name=f"Cổng {number + 1}") for number in range(gates)]
        room = Room(building_id=building.id, name="Hội trường")
        session.add_all([*places, room])
        session.flush()
        lists = register.service_certificate(session, ProfileName.TRUST_LIST_SIGNER, now=at + _AFTER_SET_UP)
        if lists is None:
            raise RuntimeError("the city has no key for lists")
        lists_key = key_access.load(settings, lists.key_reference)
        tablets = _tablets(session, building.code, [one.id for one in places], signer, lists_key, at)
        kinds = [Policy.STRICT, Policy.LENIENT] if policy is None else [policy]
        meetings = {one: _meeting(session, room.id, signer, one, at, agency_code) for one in kinds}
        passes = _passes(session, meetings, [one.id for one in places], (signer, key), guests, at, more)
    return World(passes, tablets, lists_key)


def _signer(session: Session, settings: Settings, code: str, now: datetime) -> tuple[Signer, SigningKey]:
    found = next(one for one in register.pass_signers(session, now=now + _AFTER_SET_UP) if one.agency.code == code)
    trusted = next(one for one in signers.trusted(session, now=now + _AFTER_SET_UP) if one.kid == found.kid)
    return trusted, key_access.load(settings, found.certificate.key_reference)


def _tablets(
    session: Session,
    building: str,
    places: Sequence[UUID],
    signer: Signer,
    lists_key: SigningKey,
    now: datetime,
) -> list[Tablet]:
    public = lists_key.public_key
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise TypeError("the key of the lists is not on P-256")
    made, rows = [], []
    for number, place in enumerate(places):
        key, token = SoftwareKey.generate(Curve.P256), secrets.token_urlsafe(32)
        tablet = Tablet(uuid4(), place, building, key, public, signer, token)
        made.append(tablet)
        rows.append(
            {
                "id": tablet.device_id,
                "checkpoint_id": place,
                "label": f"Máy {number + 1}",
                "token_sha256": hashlib.sha256(token.encode()).digest(),
                "public_key": spki(key.public_key),
                "enrolled_at": now,
                "last_seen_at": now,
            }
        )
    session.execute(insert(Device), rows)
    return made


def _meeting(
    session: Session, room_id: UUID, signer: Signer, policy: Policy, now: datetime, agency_code: str
) -> Meeting:
    account = session.scalars(select(Account).limit(1)).first()
    if account is None:
        account = Account(login=f"bench-{secrets.token_hex(4)}", label="Văn thư")
        session.add(account)
        session.flush()
    agency_id = next(one for one in register.pass_signers(session, now=now) if one.kid == signer.kid).agency.id
    meeting = Meeting(
        title="Đại hội",
        search_title="dai hoi",
        agency_id=agency_id,
        room_id=room_id,
        starts_at=now + timedelta(minutes=30),
        ends_at=now + timedelta(hours=8),
        host="Chủ tịch",
        state=MeetingState.SENT,
        policy=policy.value,
        created_by=account.id,
    )
    session.add(meeting)
    session.flush()
    return meeting


def _passes(
    session: Session,
    meetings: dict[Policy, Meeting],
    places: Sequence[UUID],
    signing: tuple[Signer, SigningKey],
    count: int,
    now: datetime,
    more: PassFlags,
) -> list[Issued]:
    signer, key = signing
    certificate = next(one for one in register.pass_signers(session, now=now) if one.kid == signer.kid).certificate
    kinds = list(meetings)
    taken = set(session.scalars(select(Pass.status_index)))
    issued: list[Issued] = []
    guest_rows: list[dict[str, object]] = []
    pass_rows: list[dict[str, object]] = []
    for number in range(count):
        kind, gate = kinds[number % len(kinds)], number % len(places)
        index, secret = _free(taken), secrets.token_bytes(16)
        flags = more | (PassFlags.LENIENT if kind is Policy.LENIENT else PassFlags.NONE)
        claims = PassClaims(
            now - timedelta(minutes=30), timedelta(hours=9), secret, meetings[kind].number, index, flags=flags
        )
        one = Issued(
            uuid4(), uuid4(), digits.encode(cose.sign(claims.encode(), kid=signer.kid, key=key)), index, kind, gate
        )
        issued.append(one)
        guest_rows.append(
            {
                "id": one.guest_id,
                "meeting_id": meetings[kind].id,
                "name": f"Khách {number}",
                "email": "",
                "organisation": "",
                "entrance_id": places[gate],
                "invited_at": now,
            }
        )
        pass_rows.append(
            {
                "id": one.pass_id,
                "guest_id": one.guest_id,
                "secret_sha256": hashlib.sha256(secret).digest(),
                "status_index": index,
                "state": "valid",
                "sealed": b"",
                "signer_certificate_id": certificate.id,
                "not_before": claims.not_before,
                "not_after": claims.not_after,
                "issued_at": now,
            }
        )
    session.execute(insert(Guest), guest_rows)
    session.execute(insert(Pass), pass_rows)
    return issued


def _free(taken: set[int]) -> int:
    while (index := secrets.randbelow(1 << 20)) in taken:
        pass
    taken.add(index)
    return index
