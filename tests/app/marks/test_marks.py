"""Pictures of signatures and seals through the pages: sent, looked at, accepted, replaced, withdrawn; and by whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.audit.models import AuditEntry
from app.core import db
from app.core.errors import Conflict, Forbidden
from app.core.permissions import house
from app.core.settings import Settings
from app.core.throttle import may_pass
from app.marks import service
from app.marks.models import MarkPicture, PictureState
from app.marks.service import Owner
from app.registry.models import Person
from tests.factories import routes
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token
from tests.factories.pictures import BLACK, jpeg, on_paper, png, stamp, strokes

SignIn = Callable[[str], FlaskClient]
MINE = "/marks/signature"


def send(client: FlaskClient, address: str, content: bytes, **data: str) -> TestResponse:
    return client.post(
        address,
        data={"csrf_token": csrf_token(client, address), "file": (BytesIO(content), "anh.png"), **data},
        content_type="multipart/form-data",
    )


def press(client: FlaskClient, address: str, act: str) -> TestResponse:
    return client.post(f"{address}/{act}", data={"csrf_token": csrf_token(client, MINE)})


def sent(client: FlaskClient, content: bytes | None = None) -> str:
    """Send a signature and return the address of its page."""
    answer = send(client, MINE, content or jpeg(on_paper(strokes())))
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.location


def states(login: str) -> list[str]:
    """Return the states of a person's pictures, the oldest first."""
    with db.transaction() as session:
        query = select(MarkPicture.state).where(MarkPicture.person_id == actor(login).person_id)
        return list(session.scalars(query.order_by(MarkPicture.uploaded_at)))


def in_use(login: str) -> bytes | None:
    person_id = actor(login).person_id
    assert person_id is not None
    with db.transaction() as session:
        return service.signature_picture(session, person_id)


def test_a_signature_is_looked_at_before_it_is_used(city: Settings, sign_in: SignIn) -> None:
    client = sign_in("minh")
    address = sent(client)
    page = client.get(address).get_data(as_text=True)
    assert "Chưa chấp nhận" in page
    assert "Đã bỏ: chỉ còn nét mực" in page
    assert in_use("minh") is None
    assert press(client, address, "accept").status_code == 302
    picture = in_use("minh")
    assert picture is not None
    assert Image.open(BytesIO(picture)).mode == "RGBA"
    assert client.get(f"{address}/after.png").data == picture
    assert "image/png" in client.get(f"{address}/before.png").headers["Content-Type"]
    assert "Đang dùng" in client.get(MINE).get_data(as_text=True)


def test_another_picture_replaces_the_first_and_both_are_kept(city: Settings, sign_in: SignIn) -> None:
    client = sign_in("minh")
    press(client, sent(client), "accept")
    first = in_use("minh")
    press(client, sent(client, png(strokes(1400, 800))), "accept")
    assert in_use("minh") not in (first, None)
    assert states("minh") == ["replaced", "in_use"]


def test_a_withdrawn_picture_is_used_no_more(city: Settings, sign_in: SignIn) -> None:
    client = sign_in("minh")
    address = sent(client)
    press(client, address, "accept")
    assert press(client, address, "withdraw").status_code == 302
    assert in_use("minh") is None
    assert press(client, address, "accept").status_code == 409


def test_pressing_twice_is_one_act(city: Settings, sign_in: SignIn) -> None:
    client = sign_in("minh")
    address = sent(client)
    for act in ("accept", "accept", "withdraw", "withdraw"):
        assert press(client, address, act).status_code == 302
    other = sent(client)
    for _ in range(2):
        assert press(client, other, "discard").status_code == 302
    assert states("minh") == ["withdrawn", "discarded"]
    with db.transaction() as session:
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.object_kind == "mark_picture")).all()
    assert sorted(acts) == [
        "picture_accepted",
        "picture_discarded",
        "picture_uploaded",
        "picture_uploaded",
        "picture_withdrawn",
    ]


def test_a_new_proposal_puts_away_the_one_that_nobody_accepted(city: Settings, sign_in: SignIn) -> None:
    client = sign_in("minh")
    first = sent(client)
    sent(client)
    assert states("minh") == ["discarded", "proposed"]
    assert press(client, first, "accept").status_code == 409


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (png(strokes(ink=BLACK)), "Chữ ký không có màu xanh."),
        (b"%PDF-1.7", "Tệp không phải ảnh PNG hoặc JPEG, hoặc đã hỏng."),
        (b"", "Tệp không phải ảnh PNG hoặc JPEG, hoặc đã hỏng."),
        (png(strokes(400, 240)), "Ảnh chưa đủ nét"),
    ],
)
def test_a_picture_that_breaks_a_rule_is_refused_beside_its_field_and_not_kept(
    city: Settings, sign_in: SignIn, content: bytes, said: str
) -> None:
    answer = send(sign_in("minh"), MINE, content)
    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)
    assert states("minh") == []


def test_a_form_without_a_file_is_asked_for_one(city: Settings, sign_in: SignIn) -> None:
    client = sign_in("minh")
    answer = client.post(MINE, data={"csrf_token": csrf_token(client, MINE)})
    assert answer.status_code == 422
    assert "Chọn một ảnh." in answer.get_data(as_text=True)


def test_after_twenty_pictures_in_a_minute_one_waits(city: Settings, sign_in: SignIn) -> None:
    client = sign_in("minh")
    with db.transaction() as session:
        for _ in range(20):
            key = f"picture:{actor('minh').account_id}"
            assert may_pass(session, key, limit=20, per=timedelta(minutes=1), now=datetime.now(UTC))
    assert send(client, MINE, png(strokes())).status_code == 429
    assert states("minh") == []


def test_nobody_sees_or_changes_anothers_signature(city: Settings, sign_in: SignIn) -> None:
    address = sent(sign_in("minh"))
    other = sign_in("hanh")
    for path in ("", "/after.png", "/before.png"):
        assert other.get(address + path).status_code == 404
    for act in ("accept", "discard", "withdraw"):
        assert press(other, address, act).status_code == 404
    assert other.get(f"/marks/{uuid4()}").status_code == 404
    assert states("minh") == ["proposed"]


def test_a_citizen_has_no_picture_of_a_signature(city: Settings, sign_in: SignIn) -> None:
    assert sign_in("lan").get(MINE).status_code == 403


def test_a_clerk_gives_the_agency_its_seal_with_the_true_diameter(city: Settings, sign_in: SignIn) -> None:
    agency_id, client = routes.agency_of("H99.02"), sign_in("thu")
    address = f"/marks/seals/{agency_id}"
    answer = send(client, address, jpeg(on_paper(stamp())), diameter_mm="36.5")
    assert answer.status_code == 302, answer.get_data(as_text=True)
    token = csrf_token(client, address)
    assert "36,5 × 36," in client.get(answer.location).get_data(as_text=True)
    assert client.post(f"{answer.location}/accept", data={"csrf_token": token}).location.endswith(address)
    with db.transaction() as session:
        seal = service.seal_picture(session, agency_id)
    assert seal is not None
    assert seal.diameter_mm == 36.5
    assert "Đang dùng" in client.get(address).get_data(as_text=True)
    assert address in client.get(f"/seals/{agency_id}").get_data(as_text=True)


@pytest.mark.parametrize("diameter", ["", "29.9", "42.1", "NaN", "rộng"])
def test_a_seal_without_a_plausible_diameter_is_not_taken(city: Settings, sign_in: SignIn, diameter: str) -> None:
    address = f"/marks/seals/{routes.agency_of('H99.02')}"
    assert send(sign_in("thu"), address, png(stamp()), diameter_mm=diameter).status_code == 422


def test_a_seal_belongs_to_those_who_manage_it_there(city: Settings, sign_in: SignIn) -> None:
    own, other = routes.agency_of("H99.02"), routes.agency_of("H99.03")
    assert sign_in("minh").get(f"/marks/seals/{own}").status_code == 403
    assert sign_in("thu").get(f"/marks/seals/{other}").status_code == 404
    with db.transaction() as session:
        made = service.propose(
            session, actor("thu"), Owner(agency_id=own), png(stamp()), diameter_mm=36.0, now=datetime.now(UTC)
        )
    assert sign_in("minh").get(f"/marks/{made.id}").status_code == 404


def test_what_moved_on_meanwhile_is_a_conflict_and_the_house_has_no_signature(city: Settings) -> None:
    with db.transaction() as session:
        person = session.get_one(Person, _person("minh"))
        owner, at = Owner(person_id=person.id), datetime.now(UTC)
        with pytest.raises(Forbidden):
            service.own(house("test"))
        with pytest.raises(Forbidden):
            service.propose(session, house("test"), owner, png(strokes()), now=at)
        made = service.propose(session, actor("minh"), owner, png(strokes()), now=at)
        service.discard(session, actor("minh"), made, now=at)
        for act in (service.accept, service.withdraw):
            with pytest.raises(Conflict):
                act(session, actor("minh"), made, now=at)
        assert made.state == PictureState.DISCARDED


def _person(login: str) -> UUID:
    found = actor(login).person_id
    assert found is not None
    return found
