"""The encrypted roster of a day with 5,000 guests and their portraits, its updates, and how soon a gate turns red.

    .venv/bin/python -m scripts.bench.roster [--quick]

A pass is withdrawn, and an agency's certificate revoked, while a tablet asks the running `web` about it all the time.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.certificates import revocations
from app.core import db
from app.core.i18n import local
from app.core.permissions import house
from app.core.settings import Settings
from app.gate import roster, roster_building
from app.meetings import passes, portraits, sealing
from app.meetings.models import Building, Guest, Pass
from pki.passes import claims, cose, digits, status
from pki.passes import roster as records
from pki.passes.signed_list import Edition
from pki.passes.status import PassStatus
from pki.revocation import RevocationReason
from scripts.bench.city import figure, is_quick, say
from scripts.bench.gate_load import Client, congress, scan_body, web
from tests.factories.gate_world import Issued, World

_INDEXES: Final = 500_000
_CHANGED: Final = 50
_PICTURES: Final = 40
_PATIENCE: Final = 30.0


def main() -> None:
    guests = 2_000 if is_quick() else 5_000
    with congress(guests=guests, gates=2) as (settings, world):
        _seal(settings, world.passes)
        say("passes sealed, portraits given")
        build_s = _timed(lambda: _build(settings, world))
        bundle = _bundle(world)
        with db.transaction() as session:
            changed = [one.guest_id for one in world.passes[:_CHANGED]]
            session.execute(update(Guest).where(Guest.id.in_(changed)).values(seat="A1"))
        delta_s = _timed(lambda: _build(settings, world))
        open_ms = _open_ms(bundle, world)
        withdrawn, revoked = _until_red(settings, world)
    figure("roster.guests", guests, "guests")
    figure("roster.build_s", build_s, "s")
    figure("roster.mb", len(bundle[1]) / 1e6, "MB")
    figure("roster.delta_s", delta_s, "s")
    figure("roster.open_ms", open_ms, "ms")
    figure("roster.withdrawn_red_s", withdrawn, "s")
    figure("roster.revoked_red_s", revoked, "s")
    status_s, status_kb = _status_list(world)
    figure("roster.status_s", status_s, "s")
    figure("roster.status_kb", status_kb, "kB")
    if withdrawn > 5 or revoked > 5:
        raise SystemExit("a gate let in for longer than five seconds")


def _seal(settings: Settings, issued: Sequence[Issued]) -> None:
    """Keep each code as `worker` finds it, and give everybody a portrait."""
    pictures = [_picture(number) for number in range(_PICTURES)]
    with db.transaction() as session:
        sealed = [
            {"id": one.pass_id, "sealed": sealing.seal(settings, one.pass_id, sealing.Shown(one.digits, ""))}
            for one in issued
        ]
        session.execute(update(Pass), sealed)
        given = [{"id": one.guest_id, "thumbnail": pictures[at % _PICTURES]} for at, one in enumerate(issued)]
        session.execute(update(Guest), given)


def _picture(number: int) -> bytes:
    picture = io.BytesIO()
    face = Image.effect_noise((360, 480), 20 + number).convert("RGB")
    face.save(picture, "WEBP")
    return portraits.thumbnail(picture.getvalue())


def _build(settings: Settings, world: World) -> None:
    now = datetime.now(UTC)
    with db.transaction() as session:
        made = roster_building.build(
            session, settings, _building(session, world), local(now).date(), key=world.lists_key, now=now
        )
    if not made:
        raise SystemExit("no version was made")


def _building(session: Session, world: World) -> Building:
    return session.scalars(select(Building).where(Building.code == world.tablets[0].building)).one()


def _bundle(world: World) -> tuple[bytes, bytes]:
    with db.transaction() as session:
        found = roster.update_since(
            session, _building(session, world).id, local(datetime.now(UTC)).date(), roster_id=None, version=0
        )
    if found is None:
        raise SystemExit("there is no roster")
    return found.header, records.join(found.entries)


def _open_ms(bundle: tuple[bytes, bytes], world: World) -> float:
    """Return how long one guest's record takes to be found and opened, in Python."""
    public = world.lists_key.public_key
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise TypeError("the key of the lists is not on P-256")
    header = records.verify_header(bundle[0], public)
    found = records.read(header, bundle[1])
    secrets = [claims.decode(cose.parse(digits.decode(one.digits)).payload).pass_id for one in world.passes[:500]]
    begun = time.perf_counter()
    for secret in secrets:
        records.unseal(found[records.index_of(secret, header.roster_id)], secret, header.roster_id)
    return (time.perf_counter() - begun) / len(secrets) * 1000


def _until_red(settings: Settings, world: World) -> tuple[float, float]:
    with web(settings) as port:
        client, tablet = Client(port), world.tablets[0]

        def turns(one: Issued, reason: str) -> float:
            begun = time.perf_counter()
            while time.perf_counter() < begun + _PATIENCE:
                _, said = client.post("/gate/scans", tablet.token, scan_body(one.digits))
                if said["reason"] == reason:
                    return time.perf_counter() - begun
            raise SystemExit(f"the gate never said {reason}")

        first, second = world.passes[0], world.passes[1]
        for one in (first, second):
            client.post("/gate/scans", tablet.token, scan_body(one.digits))
        with db.transaction() as session:
            passes.withdraw(session, session.get_one(Guest, first.guest_id))
        withdrawn = turns(first, "withdrawn")
        now = datetime.now(UTC)
        with db.transaction() as session:
            certificate = session.get_one(Pass, second.pass_id).signer_certificate_id
            revocations.revoke(
                session, house("benchmark"), certificate, reason=RevocationReason.KEY_COMPROMISE, now=now
            )
        return withdrawn, turns(second, "agency_key_ended")


def _status_list(world: World) -> tuple[float, float]:
    """Return how long the list takes with half a million passes that ended, and its size."""
    places = random.sample(range(status.CAPACITY), _INDEXES)
    ended = {index: PassStatus(1 + index % 3) for index in places}
    now = datetime.now(UTC).replace(microsecond=0)
    begun = time.perf_counter()
    made = status.build(Edition(1, now, now), ended, world.lists_key)
    return time.perf_counter() - begun, len(made) / 1e3


def _timed(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
