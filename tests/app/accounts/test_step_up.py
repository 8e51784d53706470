"""The password asked again for exactly one act: bound to it, for five minutes, used once, refused ones written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from app.accounts import step_up
from app.accounts.models import Account
from app.accounts.passwords import hash_password
from app.accounts.step_up import canonical, digest_of
from app.accounts.step_up_models import StepUp
from app.audit.models import AuditEntry
from app.core import db
from app.core.errors import Conflict, TooMany
from app.core.permissions import Actor, house
from app.core.settings import Settings
from tests.app.certificates.conftest import city
from tests.factories.certificates import actor

__all__ = ["city"]

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
PASSWORD = "mot mat khau that dai"
STATEMENT = canonical({"purpose": "issue", "nonce": "a", "date": "2026-11-23"})


@pytest.fixture
def thu(city: Settings) -> Actor:
    del city
    with db.transaction() as session:
        session.execute(update(Account).where(Account.login == "thu").values(password_hash=hash_password(PASSWORD)))
    return actor("thu")


def prove(who: Actor, password: str = PASSWORD, *, statement: str = STATEMENT) -> StepUp | None:
    with db.transaction() as session:
        return step_up.prove(session, who, password, purpose="issue", statement=statement, now=NOW)


def use(proof: StepUp, *, purpose: str = "issue", at: datetime = NOW) -> StepUp:
    with db.transaction() as session:
        return step_up.use(session, proof.id, purpose=purpose, now=at)


def test_a_statement_has_one_form_whatever_the_order_of_its_keys() -> None:
    assert canonical({"b": 1, "a": "Đ"}) == canonical({"a": "Đ", "b": 1}) == '{"a":"Đ","b":1}'


def test_a_proof_names_the_digest_of_what_was_agreed_to_and_is_used_once(thu: Actor) -> None:
    proof = prove(thu)
    assert proof is not None
    assert proof.digest == digest_of(STATEMENT)
    assert use(proof).used_at == NOW
    with pytest.raises(Conflict):
        use(proof)


def test_a_proof_for_one_act_is_none_for_another(thu: Actor) -> None:
    proof = prove(thu)
    assert proof is not None
    with pytest.raises(Conflict):
        use(proof, purpose="revoke")


def test_a_proof_ends_after_five_minutes(thu: Actor) -> None:
    proof = prove(thu)
    assert proof is not None
    with pytest.raises(Conflict):
        use(proof, at=NOW + timedelta(minutes=5, seconds=1))
    assert use(proof, at=NOW + timedelta(minutes=5)).used_at is not None


def test_a_wrong_password_a_closed_account_and_the_house_prove_nothing(thu: Actor) -> None:
    assert prove(thu, "khong phai") is None
    assert prove(house("test")) is None
    with db.transaction() as session:
        session.execute(update(Account).where(Account.login == "thu").values(disabled_at=NOW))
    assert prove(thu) is None
    with db.transaction() as session:
        refused = session.scalars(select(AuditEntry.id).where(AuditEntry.act == "step_up_refused")).all()
    assert len(refused) == 3


def test_after_five_tries_a_minute_the_sixth_is_not_looked_at(thu: Actor) -> None:
    with db.transaction() as session:
        for _ in range(5):
            step_up.count_try(session, thu, now=NOW)
        with pytest.raises(TooMany):
            step_up.count_try(session, thu, now=NOW)


def test_what_was_agreed_to_cannot_be_written_over_even_in_the_database(thu: Actor) -> None:
    assert prove(thu) is not None
    for statement in ("UPDATE step_up SET statement = '{}'", "DELETE FROM step_up"):
        with pytest.raises(DBAPIError), db.transaction() as session:
            session.execute(text(statement))


def test_a_statement_that_does_not_fit_its_digest_is_refused(thu: Actor) -> None:
    with db.transaction() as session:
        made = StepUp(
            account_id=thu.account_id,
            purpose="issue",
            statement=STATEMENT,
            digest=digest_of("something else"),
            means="password",
            proven_at=NOW,
            expires_at=NOW + step_up.LIFE,
        )
        session.add(made)
    with pytest.raises(Conflict):
        use(made)
