"""What a paper breaks of Decree 30 is read by who sends it on and by who seals it, and some of it is refused."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from uuid import UUID

import pikepdf
from flask.testing import FlaskClient

from app.core.settings import Settings
from app.demo import official_letter
from app.documents.models import MadeBy
from app.routes.models import RouteState
from pki.keys import SoftwareKey
from tests.factories import records, routes
from tests.factories.forms import csrf_token

SignIn = Callable[[str], FlaskClient]


def grey() -> bytes:
    """Return a page on which nothing is free."""
    with pikepdf.new() as made:
        page = made.add_blank_page(page_size=(595.28, 841.89))
        page.obj.Contents = made.make_stream(b"0.5 g 0 0 596 842 re f")
        output = BytesIO()
        made.save(output)
        return output.getvalue()


def draft(city: Settings, main: bytes, attachment: bytes) -> UUID:
    route_id = routes.drafted(city, [records.HEAD], to=["H99.01"], papers=2)
    for document_id, pdf in zip(routes.route(route_id).document_ids, (main, attachment), strict=True):
        records.add_version(city, document_id, pdf, made_by=MadeBy.UPLOAD)
    return route_id


def start(client: FlaskClient, route_id: UUID) -> int:
    page = f"/routes/{route_id}/compose"
    sent = {"csrf_token": csrf_token(client, page), "version": routes.route(route_id).version}
    return client.post(f"/routes/{route_id}/start", data=sent).status_code


def test_an_attachment_without_a_free_strip_is_named_and_does_not_start(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    client = sign_in("minh")
    route_id = draft(city, official_letter.render(records.LETTER), grey())
    shown = client.get(f"/routes/{route_id}/compose").get_data(as_text=True)
    assert "Quyết định số 2" in shown
    assert "Trang 1 của văn bản kèm theo không còn dải trống" in shown
    assert "phải sửa" in shown
    assert "Bắt đầu trình ký" not in shown
    assert start(client, route_id) == 422
    assert routes.route(route_id).state == RouteState.DRAFT


def test_what_only_warns_is_read_before_the_start_and_lets_it_start(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    client = sign_in("minh")
    letter = official_letter.render(records.LETTER)
    route_id = draft(city, grey(), letter)
    shown = client.get(f"/routes/{route_id}/compose").get_data(as_text=True)
    assert "Không tìm thấy chỗ ký" in shown
    assert "phải sửa" not in shown
    assert start(client, route_id) == 302
    assert routes.route(route_id).state == RouteState.RUNNING


def test_a_letter_as_the_decree_asks_has_nothing_said_against_it(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    letter = official_letter.render(records.LETTER)
    shown = sign_in("minh").get(f"/routes/{draft(city, letter, letter)}/compose").get_data(as_text=True)
    assert "Thể thức theo Nghị định 30/2020" not in shown


def test_the_clerk_reads_what_a_paper_lacks_before_it_is_sealed(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    route_id = records.signed_route(city, head)
    shown = sign_in("thu").get(f"/records/issue/{route_id}").get_data(as_text=True)
    assert "Không tìm thấy chỗ ký" in shown
    assert 'name="password"' in shown


def test_a_seal_that_would_not_have_its_true_size_is_refused_before_the_act(
    city: Settings, head: SoftwareKey, sign_in: SignIn
) -> None:
    route_id = records.signed_letter(city, head)
    # Its place was made for 36 mm; the seal that the agency registered meanwhile is larger.
    records.give_seal_picture("H99.02", diameter_mm=42.0)
    shown = sign_in("thu").get(f"/records/issue/{route_id}").get_data(as_text=True)
    assert "dấu sẽ chỉ rộng 36,0 mm" in shown
    assert "42,0 mm" in shown
    assert 'name="password"' not in shown
