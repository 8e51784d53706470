"""Further registration officers."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts import service as accounts
from app.core import db
from app.core.permissions import Role, house
from app.registry import service as registry
from app.registry.models import Agency


def officer(login: str, agency_code: str | None, role: Role = Role.REGISTRATION_OFFICER) -> None:
    """Add an officer for an agency and all below it, or the whole city; adding one twice changes nothing."""
    actor = house("test")
    with db.transaction() as session:
        if accounts.find_account(session, login) is not None:
            return
        agency_id = session.scalars(select(Agency.id).where(Agency.code == agency_code)).one() if agency_code else None
        person = registry.add_person(session, surname="Phan Thị", given_name="Tâm", email=None, actor=actor)
        account = accounts.create_account(session, login=login, label="Cô Tâm", person_id=person.id)
        accounts.grant_role(session, account, role, agency_id=agency_id, actor=actor)
