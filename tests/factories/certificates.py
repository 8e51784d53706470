"""The demonstration city with its authorities, and people on their way to a certificate."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from app.accounts import service as accounts
from app.certificates import register, requests, tasks
from app.certificates.models import Certificate
from app.core import db
from app.core.permissions import Actor, Role, house
from app.core.settings import Settings
from app.demo import city
from app.registry import service as registry
from pki.keys import Curve, SoftwareKey
from tests.factories.csrs import csr_der
from tests.factories.snapshots import restore_or


def create_city(settings: Settings) -> None:
    restore_or(settings, lambda mine: city.create(mine, lambda _: None))


def actor(login: str) -> Actor:
    """Return the actor of an account of the demonstration."""
    with db.transaction() as session:
        account = accounts.find_account(session, login)
        assert account is not None, login
        return accounts.actor_of(account)


def ask(login: str, key: SoftwareKey | None = None) -> UUID:
    """Let somebody ask for a certificate as their browser does; return the request."""
    who, now = actor(login), datetime.now(UTC)
    with db.transaction() as session:
        challenge = requests.new_challenge(session, who, now=now)
        csr = csr_der(key or SoftwareKey.generate(Curve.P256), challenge)
        return requests.submit(session, who, csr, challenge, now=now).id


def approve(request_id: UUID, by: str = "dung") -> None:
    with db.transaction() as session:
        requests.approve(session, actor(by), request_id, now=datetime.now(UTC))


def issued_to(login: str, key: SoftwareKey | None = None) -> Certificate:
    """Walk somebody from the request to the certificate. `worker`'s settings must be those of the test."""
    request_id = ask(login, key)
    approve(request_id)
    tasks.issue.func(str(request_id))
    person_id = actor(login).person_id
    assert person_id is not None
    with db.transaction() as session:
        found = register.current_of_person(session, person_id, now=datetime.now(UTC))
        assert found is not None
        return found


def another_administrator(login: str = "phuc") -> Actor:
    """Return a second administrator of the whole city, made on the first call."""
    house_ = house("test")
    with db.transaction() as session:
        account = accounts.find_account(session, login)
        if account is None:
            person = registry.add_person(session, surname="Lý Hồng", given_name="Phúc", email=None, actor=house_)
            account = accounts.create_account(session, login=login, label=person.full_name, person_id=person.id)
            accounts.grant_role(session, account, Role.ADMINISTRATOR, agency_id=None, actor=house_)
            session.flush()
    return actor(login)
