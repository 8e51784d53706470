"""Tablets at gates, passes that are valid now, and scans as a tablet sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core import db
from app.core.settings import Settings
from app.gate import devices
from app.gate.models import Checkpoint, Device
from app.meetings import sealing
from app.meetings.models import Building
from tests.factories import meetings
from tests.factories.certificates import actor
from tests.factories.meetings import LAN, NewGuest


def digits_for(settings: Settings, guest: NewGuest = LAN, *, after: timedelta = timedelta(0)) -> tuple[UUID, str]:
    """Invite a guest to a meeting in TSC (now, unless `after`); return the guest and the digits of the code."""
    meeting_id = meetings.call(meetings.plan(title=f"Họp với {guest.name}", after=after + timedelta(minutes=1)))
    guest_id = meetings.add(meeting_id, guest)
    meetings.send(meeting_id)
    meetings.run_jobs(settings)
    newest = meetings.passes_of(guest_id)[-1]
    return guest_id, sealing.open_sealed(settings, newest.id, newest.sealed).digits


def new_code(label: str = "Máy 1", *, building: str = "TSC", gate: str = "Cổng A") -> tuple[Device, str]:
    query = select(Checkpoint.id).join(Building).where(Building.code == building, Checkpoint.name == gate)
    with db.transaction() as session:
        checkpoint_id = session.scalars(query).one()
        return devices.add(session, checkpoint_id, label=label, actor=actor("oanh"), now=datetime.now(UTC))


def tablet(web: Flask, label: str = "Máy 1", *, building: str = "TSC", gate: str = "Cổng A") -> FlaskClient:
    """Return a browser that was enrolled as a tablet at a gate."""
    _, code = new_code(label, building=building, gate=gate)
    with db.transaction() as session:
        _, token = devices.enrol(session, code, actor=actor("bao"), now=datetime.now(UTC))
    browser = web.test_client()
    browser.set_cookie("kyvao-device", token)
    return browser


def message(digits: str, scan_id: UUID | None = None) -> dict[str, Any]:
    return {
        "scan_id": str(scan_id or uuid4()),
        "digits": digits,
        "scanned_at": datetime.now(UTC).isoformat(),
        "outcome": "admit",
        "reason": "admitted",
    }


def send(browser: FlaskClient, body: object) -> Any:
    """Send a scan with the form token that the tablet got with its lists."""
    token = browser.get("/gate/lists").get_json()["form_token"]
    answer = browser.post("/gate/scans", json=body, headers={"X-CSRFToken": token})
    return answer.get_json() | {"status_code": answer.status_code}
