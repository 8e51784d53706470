"""The inbox, the page of an act, and the pages of accounts, as people click through them."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.accounts import service as accounts
from app.accounts.models import RoleGrant
from app.approvals import policy, roles, service
from app.approvals.models import Act, ActState, ApprovalPause
from app.core import db
from app.core.errors import Conflict
from app.core.permissions import Actor, Role
from tests.app.approvals.conftest import City

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def browser(city: City, sign_in: SignIn) -> SignIn:
    """Sign in as somebody of the city, reading English."""

    def signed_in(login: str) -> FlaskClient:
        client = sign_in(login)
        client.set_cookie("kyvao-language", "en")
        return client

    return signed_in


def form_of(client: FlaskClient, path: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the form on `path` that posts to `action`."""
    page = client.get(path).get_data(as_text=True)
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert form, page
    fields = re.findall(r"<input[^>]*>", form.group())
    named = [(re.search(r'name="([^"]+)"', one), re.search(r'value="([^"]*)"', one)) for one in fields]
    return {name.group(1): value.group(1) for name, value in named if name and value}


def post(client: FlaskClient, path: str, action: str, **more: str) -> str:
    answer = client.post(action, data=form_of(client, path, action) | more, follow_redirects=True)
    return answer.get_data(as_text=True)


def account_id(city: City, login: str) -> UUID:
    found = city.actor(login).account_id
    assert found is not None
    return found


def ask_for_clerk(city: City, client: FlaskClient, login: str = "dan") -> str:
    """Ask for the role of a clerk in the ward; return the address of the act."""
    here = f"/accounts/{account_id(city, login)}"
    answer = client.post(
        f"{here}/roles", data=form_of(client, here, f"{here}/roles") | {"role": "clerk", "agency": str(city.ward)}
    )
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.headers["Location"]


def roles_of(city: City, login: str) -> set[Role]:
    return {grant.role for grant in city.actor(login).grants}


def test_a_role_is_granted_when_another_administrator_approves(city: City, browser: SignIn) -> None:
    address = ask_for_clerk(city, browser("hoa"))
    assert Role.CLERK not in roles_of(city, "dan")
    other = browser("tam")
    assert "1 act waits for your decision" in other.get("/").get_data(as_text=True)
    assert "Give Lê Dan the role Clerk" in other.get("/approvals/").get_data(as_text=True)
    page = post(other, address, f"{address}/approve")
    assert "It is done" in page
    assert Role.CLERK in roles_of(city, "dan")


def test_the_requester_sees_no_button_to_approve_and_is_refused_without_it(city: City, browser: SignIn) -> None:
    client = browser("hoa")
    address = ask_for_clerk(city, client)
    assert f"{address}/approve" not in client.get(address).get_data(as_text=True)
    fields = form_of(browser("tam"), address, f"{address}/approve")
    token = form_of(client, address, f"{address}/withdraw")["csrf_token"]
    digest = {"approval-digest": fields["approval-digest"], "csrf_token": token}
    assert client.post(f"{address}/approve", data=digest).status_code == 403
    assert Role.CLERK not in roles_of(city, "dan")


def test_an_administrator_of_another_agency_finds_neither_act_nor_account(city: City, browser: SignIn) -> None:
    address = ask_for_clerk(city, browser("hoa"))
    stranger = browser("bien")
    assert stranger.get(address).status_code == 404
    assert stranger.get(f"/accounts/{account_id(city, 'dan')}").status_code == 404


def test_an_auditor_reads_the_act_and_decides_nothing(city: City, browser: SignIn) -> None:
    address = ask_for_clerk(city, browser("hoa"))
    auditor = browser("kiem")
    page = auditor.get(address).get_data(as_text=True)
    assert "Give Lê Dan" in page
    assert "/approve" not in page
    assert "Give Lê Dan" in auditor.get("/approvals/?view=all").get_data(as_text=True)


def test_a_refusal_shows_its_reason_to_the_requester(city: City, browser: SignIn) -> None:
    client = browser("hoa")
    address = ask_for_clerk(city, client)
    post(browser("tam"), address, f"{address}/refuse", note="She works elsewhere.")
    assert "She works elsewhere." in client.get(address).get_data(as_text=True)


def test_a_withdrawn_request_can_be_asked_for_again(city: City, browser: SignIn) -> None:
    client = browser("hoa")
    address = ask_for_clerk(city, client)
    post(client, address, f"{address}/withdraw")
    assert ask_for_clerk(city, client) != address


def test_a_role_taken_away_is_gone_with_the_next_request(city: City, browser: SignIn) -> None:
    officer = browser("dang")
    assert officer.get("/approvals/").status_code == 200
    here = f"/accounts/{account_id(city, 'dang')}"
    with db.transaction() as session:
        grant = session.scalars(select(RoleGrant).where(RoleGrant.account_id == account_id(city, "dang"))).one()
    post(browser("hoa"), here, f"{here}/roles/{grant.id}/withdraw")
    assert officer.get("/approvals/").status_code == 403


def test_a_closed_account_is_signed_out_at_once(city: City, browser: SignIn) -> None:
    officer = browser("dang")
    here = f"/accounts/{account_id(city, 'dang')}"
    post(browser("hoa"), here, f"{here}/disable")
    assert officer.get("/approvals/", headers={"Accept": "application/json"}).status_code == 401
    with db.transaction() as session:
        assert accounts.find_account(session, "dang") is None


def test_two_administrators_of_the_city_stay(city: City, browser: SignIn) -> None:
    client = browser("hoa")
    for login, expected in (("ba", 302), ("tam", 409)):
        here = f"/accounts/{account_id(city, login)}"
        fields = form_of(client, here, f"{here}/disable")
        assert client.post(f"{here}/disable", data=fields).status_code == expected


def test_nobody_asks_for_a_role_of_their_own(city: City, browser: SignIn) -> None:
    client = browser("hoa")
    other = f"/accounts/{account_id(city, 'dan')}"
    fields = form_of(client, other, f"{other}/roles") | {"role": "guard", "agency": "city"}
    assert client.post(f"/accounts/{account_id(city, 'hoa')}/roles", data=fields).status_code == 403


def test_an_account_is_found_by_a_name_without_its_marks(city: City, browser: SignIn) -> None:
    page = browser("hoa").get("/accounts/?q=le dan").get_data(as_text=True)
    assert "Lê Dan" in page
    assert "Lê Tam" not in page


def test_a_pause_is_shown_and_lifted_by_an_administrator(city: City, browser: SignIn) -> None:
    now = datetime.now(UTC)
    with db.transaction() as session:
        session.add(ApprovalPause(account_id=account_id(city, "dang"), rate="certificate_approval", paused_at=now))
    with db.transaction() as session:
        pause = session.scalars(select(ApprovalPause)).one()
    client = browser("hoa")
    assert "Lê Dang, since" in client.get("/accounts/").get_data(as_text=True)
    post(client, "/accounts/", f"/accounts/pauses/{pause.id}/lift")
    assert "Lê Dang, since" not in client.get("/accounts/").get_data(as_text=True)


@pytest.mark.usefixtures("kind")
def test_an_act_that_needs_two_says_so_until_the_second_has_approved(city: City, browser: SignIn) -> None:
    policy.use(policy.Policy(approvers={"mark": 2}))
    with db.transaction() as session:
        asked = {"agency_id": None, "object_kind": "thing", "object_id": "1", "now": datetime.now(UTC)}
        act = service.request(session, city.actor("hoa"), "mark", {}, **asked)
    address = f"/approvals/{act.id}"
    assert "Another person must approve too" in post(browser("tam"), address, f"{address}/approve")
    assert "It is done" in post(browser("ba"), address, f"{address}/approve")
    with db.transaction() as session:
        assert session.get_one(Act, act.id).state == ActState.EXECUTED


def test_two_administrators_who_close_each_others_accounts_at_once_do_not_both(city: City) -> None:
    with db.transaction() as session:
        roles.disable(session, city.actor("hoa"), account_id(city, "bien"), now=datetime.now(UTC))
    together = Barrier(2)
    pairs = [(city.actor("hoa"), account_id(city, "tam")), (city.actor("tam"), account_id(city, "hoa"))]

    def close(pair: tuple[Actor, UUID]) -> bool:
        together.wait(timeout=10)
        try:
            with db.transaction() as session:
                roles.disable(session, pair[0], pair[1], now=datetime.now(UTC))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(close, pairs)) == [False, True]
