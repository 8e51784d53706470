"""Whose papers one sees: the agency's own, and those one was asked to sign."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from tests.factories.certificates import actor
from tests.factories.documents import uploaded
from tests.factories.forms import csrf_token

pytestmark = pytest.mark.usefixtures("city")

SignIn = Callable[[str], FlaskClient]
PATHS = ("", "/download", "/content", "/sign", "/ask")


def ask(client: FlaskClient, document_id: UUID, login: str, search: str) -> int:
    address = f"/documents/{document_id}/ask?q={search}"
    data = {"csrf_token": csrf_token(client, address), "person_id": str(actor(login).person_id)}
    return client.post(address, data=data).status_code


def test_a_paper_of_another_agency_is_not_found(sign_in: SignIn) -> None:
    document_id = uploaded(sign_in("minh"))
    other = sign_in("hanh")
    for path in PATHS:
        assert other.get(f"/documents/{document_id}{path}").status_code == 404, path


def test_a_paper_of_another_agency_stands_in_no_list(sign_in: SignIn) -> None:
    uploaded(sign_in("minh"), title="Chỉ của Sở")
    assert "Chỉ của Sở" not in sign_in("hanh").get("/documents").get_data(as_text=True)


def test_who_signs_no_documents_may_not_open_the_list(sign_in: SignIn) -> None:
    for login in ("lan", "thu", "bao", "oanh"):
        assert sign_in(login).get("/documents", headers={"Accept": "application/json"}).status_code == 403, login


def test_who_was_asked_to_sign_sees_the_paper_across_agencies_and_it_waits_for_them(sign_in: SignIn) -> None:
    owner, asked = sign_in("minh"), sign_in("hanh")
    document_id = uploaded(owner, title="Trình Chánh Văn phòng")
    assert ask(owner, document_id, "hanh", "hanh") == 302
    assert "1 văn bản đang chờ bạn ký" in asked.get("/").get_data(as_text=True)
    assert "Trình Chánh Văn phòng" in asked.get("/documents").get_data(as_text=True)
    assert asked.get(f"/documents/{document_id}").status_code == 200


def test_asking_twice_keeps_one_request(sign_in: SignIn) -> None:
    owner = sign_in("minh")
    document_id = uploaded(owner)
    assert ask(owner, document_id, "hanh", "hanh") == 302
    # Not offered any more, so a form that was open twice names somebody who is not in the list.
    assert ask(owner, document_id, "hanh", "dung") == 422
    assert "1 văn bản" in sign_in("hanh").get("/").get_data(as_text=True)


def test_who_cannot_sign_and_the_owner_are_not_offered(sign_in: SignIn) -> None:
    owner = sign_in("minh")
    document_id = uploaded(owner)
    for login in ("lan", "bao", "minh"):
        # The list is not empty, so that the page has its form; the person is not in it.
        assert ask(owner, document_id, login, "h") == 422, login


def test_only_the_owner_asks_others(sign_in: SignIn) -> None:
    owner, asked = sign_in("minh"), sign_in("hanh")
    document_id = uploaded(owner)
    ask(owner, document_id, "hanh", "hanh")
    assert asked.get(f"/documents/{document_id}/ask").status_code == 404
