"""The supervisors' page: what a tablet's log brought to light, seen by whom it concerns, resolved once."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select

from app.core import db
from app.core.permissions import Role
from app.core.settings import Settings
from app.gate.models_leases import Incident
from app.meetings.models import Building
from app.registry.models import Agency
from pki.passes.lease import Policy
from tests.app.gate.test_events import MINUTE, NOW, booted, lend, send, world
from tests.factories.forms import csrf_token
from tests.factories.gate_world import World
from tests.factories.officers import officer
from tests.factories.tablets import Tablet

SignIn = Callable[[str], FlaskClient]
FORK = "Nhật ký của một máy tính bảng bị tách thành hai nhánh"
TWICE = "Một thư mời đã được dùng hai lần"
NONE = "Không có sự việc nào"


def restored(one: World) -> Tablet:
    """A tablet that was put back to an earlier state: an incident without a pass."""
    tablet = booted(one)
    old = tablet.copy_of_profile()
    lend(one, tablet, range(2))
    tablet.scan(one.passes[0].digits, NOW)
    send(tablet)
    tablet.profile = old
    tablet.boot(NOW + MINUTE)
    send(tablet)
    return tablet


def page(browser: FlaskClient, **query: str) -> str:
    answer = browser.get("/gate/incidents/", query_string=query)
    assert answer.status_code == 200
    # What follows the choices above.
    return answer.get_data(as_text=True).partition('name="resolved"')[2]


def only_incident() -> UUID:
    with db.transaction() as session:
        return session.scalars(select(Incident.id)).one()


def resolve(browser: FlaskClient, incident_id: UUID, reason: str = "Đã hỏi bảo vệ") -> int:
    token = csrf_token(browser, "/")
    return browser.post(
        f"/gate/incidents/{incident_id}/resolve", data={"csrf_token": token, "reason": reason}
    ).status_code


def test_an_incident_that_concerns_no_guest_is_listed_with_its_tablet_and_gate(city: Settings, sign_in: SignIn) -> None:
    restored(world(city))
    shown = page(sign_in("oanh"))
    assert FORK in shown
    assert "Máy" in shown
    assert "Cổng" in shown


def test_two_entries_are_listed_with_their_guest_and_kind(city: Settings, sign_in: SignIn) -> None:
    one = world(city, Policy.LENIENT)
    tablets = [booted(one, number) for number in (0, 1)]
    for number, tablet in enumerate(tablets):
        tablet.scan(one.passes[0].digits, NOW + number * MINUTE, policy=Policy.LENIENT)
        send(tablet)
    browser = sign_in("oanh")
    assert TWICE in page(browser)
    assert TWICE in page(browser, kind="double_entry")
    assert NONE in page(browser, kind="chain_fork")


def test_an_incident_is_resolved_once_with_a_reason(city: Settings, sign_in: SignIn) -> None:
    restored(world(city))
    browser, incident_id = sign_in("oanh"), only_incident()
    assert resolve(browser, incident_id, reason=" ") == 422
    assert FORK in page(browser)
    assert resolve(browser, incident_id) == 302
    assert NONE in page(browser)
    assert "Đã hỏi bảo vệ" in page(browser, resolved="1")
    assert resolve(browser, incident_id) == 409


def test_who_keeps_neither_building_nor_meeting_sees_and_resolves_nothing(city: Settings, sign_in: SignIn) -> None:
    one = world(city)
    restored(one)
    with db.transaction() as session:
        building = session.get_one(Building, session.scalars(select(Incident.building_id)).one())
        building.keeper_id = session.scalars(select(Agency.id).where(Agency.code == "H99.01")).one()
    officer("tam", "H99.03", Role.ADMINISTRATOR)
    officer("tu", "H99.01", Role.ADMINISTRATOR)
    assert NONE in page(sign_in("tam"))
    assert resolve(sign_in("tam"), only_incident()) == 404
    assert sign_in("bao").get("/gate/incidents/").status_code == 403
    assert FORK in page(sign_in("tu"))
