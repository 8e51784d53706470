"""The gate in a letter: one whose tablet can decide alone, the same at every letter, spread over all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from app.core import db
from app.core.settings import Settings
from app.gate import devices, entrances
from app.gate.models import Checkpoint, Device
from app.meetings.models import Building
from pki.authority import spki
from tests.factories import gate, meetings
from tests.factories.certificates import actor

pytestmark = pytest.mark.usefixtures("city")


def tablet_with_key(place: str) -> UUID:
    """Enrol a tablet at a gate of TSC, with a key of its own."""
    _, code = gate.new_code(f"Máy {place}", gate=place)
    key = spki(ec.generate_private_key(ec.SECP256R1()).public_key())
    with db.transaction() as session:
        device, _ = devices.enrol(session, code, actor=actor("bao"), now=datetime.now(UTC), public_key=key)
        return device.id


def letter_of(guest_id: UUID) -> str:
    text = meetings.letters_to(guest_id)[-1].get_body(("plain",))
    assert text is not None
    return str(text.get_content())


def test_a_letter_names_a_gate_whose_tablet_has_a_key(settings: Settings) -> None:
    tablet_with_key("Cổng B")
    guest_id, _ = gate.digits_for(settings)
    assert meetings.guest(guest_id).entrance == "Cổng B"
    assert "Vào cổng: Cổng B" in letter_of(guest_id)


def test_without_such_a_tablet_a_letter_names_no_gate(settings: Settings) -> None:
    gone = tablet_with_key("Cổng B")
    with db.transaction() as session:
        devices.revoke(session, gone, actor=actor("oanh"), now=datetime.now(UTC))
    guest_id, _ = gate.digits_for(settings)
    assert meetings.guest(guest_id).entrance == ""
    assert "Vào cổng" not in letter_of(guest_id)


def test_a_further_gate_takes_its_share_and_moves_nobody_else() -> None:
    tablet_with_key("Cổng A")
    tablet_with_key("Cổng B")
    everybody = [uuid4() for _ in range(200)]
    with db.transaction() as session:
        building_id = session.scalars(select(Building.id).where(Building.code == "TSC")).one()
        before = {one: entrances.choose(session, building_id, one) for one in everybody}
        session.add(third := Checkpoint(building_id=building_id, name="Cổng phụ"))
        session.flush()
        session.add(Device(checkpoint_id=third.id, label="Máy phụ", public_key=b"key"))
        session.flush()
        after = {one: entrances.choose(session, building_id, one) for one in everybody}
        session.rollback()
    moved = [one for one in everybody if before[one] != after[one]]
    assert {found.name for one in everybody if (found := before[one])} == {"Cổng A", "Cổng B"}
    assert all((found := after[one]) is not None and found.name == "Cổng phụ" for one in moved)
    assert 40 < len(moved) < 95
