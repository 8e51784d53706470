"""A city of two officers, two administrators and an auditor, and a kind of act that leaves a trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.approvals import policy, service
from app.approvals.kinds import ActKind, Description
from app.approvals.models import Act
from app.core import db
from app.core.errors import Conflict
from app.core.permissions import Actor, Permission, Role, house
from app.registry import service as registry
from app.registry.models import Agency

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DONE: list[dict[str, object]] = []


@dataclass(frozen=True)
class City:
    ward: UUID
    harbour: UUID
    # By login; each has a person of the same name.
    people: dict[str, UUID]

    def actor(self, login: str) -> Actor:
        with db.transaction() as session:
            account = accounts.find_account(session, login)
            assert account is not None
            return accounts.actor_of(account)


def _execute(session: Session, actor: Actor, act: Act, now: datetime) -> None:
    DONE.append(act.payload)
    registry.add_person(session, surname="Dấu", given_name="Vết", email=None, actor=actor)
    if act.payload.get("impossible"):
        raise Conflict("Something else happened first.")


def _describe(session: Session, act: Act) -> Description:
    return Description("Mark something", rows=[("Mark", str(act.payload.get("mark")))], impact=["2 marks"])


@pytest.fixture
def kind() -> ActKind:
    DONE.clear()
    return service.register(ActKind("mark", Permission.REVOKE_CERTIFICATES, 1, timedelta(hours=8), _execute, _describe))


@pytest.fixture
def done(kind: ActKind) -> list[dict[str, object]]:
    """The payloads that were executed."""
    return DONE


@pytest.fixture(autouse=True)
def default_policy() -> Iterator[None]:
    policy.use(policy.Policy())
    yield
    policy.use(None)


@pytest.fixture
def city(database: str) -> City:
    """`hoa` and `tam` administer the city, `bien` the harbour alone, `dang` registers people, `kiem` audits."""
    actor = house("test")
    people: dict[str, UUID] = {}
    with db.transaction() as session:
        ward = registry.add_agency(session, code="H1", name="Phường Một", parent=None, actor=actor)
        harbour = registry.add_agency(session, code="H2", name="Cảng", parent=None, actor=actor)
        everywhere: list[tuple[str, Role, Agency | None]] = [
            ("hoa", Role.ADMINISTRATOR, None),
            ("tam", Role.ADMINISTRATOR, None),
            ("ba", Role.ADMINISTRATOR, None),
            ("bien", Role.ADMINISTRATOR, harbour),
            ("dang", Role.REGISTRATION_OFFICER, ward),
            ("kiem", Role.AUDITOR, None),
            ("dan", Role.CITIZEN, None),
        ]
        for login, role, agency in everywhere:
            person = registry.add_person(
                session, surname="Lê", given_name=login.title(), email=f"{login}@example.com", actor=actor
            )
            account = accounts.create_account(session, login=login, label=f"Lê {login.title()}", person_id=person.id)
            accounts.grant_role(session, account, role, agency_id=agency.id if agency else None, actor=actor)
            people[login] = person.id
        return City(ward.id, harbour.id, people)
