"""What lies in an agency's subtree is found, everything else is not."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.permissions import Actor, Grant, Permission, Role, house
from app.registry import scope, service
from app.registry.models import Agency
from app.registry.search import fold, pattern

HOUSE = house("test")


def officer(agency: Agency | None) -> Actor:
    grant = Grant(Role.REGISTRATION_OFFICER, agency.id if agency else None)
    return Actor(account_id=None, person_id=None, label="test", grants=(grant,))


def city(session: Session) -> tuple[Agency, Agency, Agency, Agency]:
    top = service.add_agency(session, code="H1", name="Thành phố", parent=None, actor=HOUSE)
    one = service.add_agency(session, code="H1.1", name="Sở Một", parent=top, actor=HOUSE)
    child = service.add_agency(session, code="H1.1.1", name="Phòng", parent=one, actor=HOUSE)
    # The code begins like the other's: only the slash keeps them apart.
    sibling = service.add_agency(session, code="H1.10", name="Sở Mười", parent=top, actor=HOUSE)
    return top, one, child, sibling


def seen(session: Session, actor: Actor, permission: Permission = Permission.APPROVE_CERTIFICATES) -> set[str]:
    return set(session.scalars(select(Agency.code).where(scope.within(actor, permission, Agency.id))))


def test_a_grant_covers_the_agency_and_everything_below_it(session: Session) -> None:
    _, one, _, _ = city(session)
    assert seen(session, officer(one)) == {"H1.1", "H1.1.1"}


def test_a_grant_for_the_whole_city_covers_everything(session: Session) -> None:
    city(session)
    assert seen(session, officer(None)) == {"H1", "H1.1", "H1.1.1", "H1.10"}


def test_a_permission_that_the_role_does_not_hold_covers_nothing(session: Session) -> None:
    _, one, _, _ = city(session)
    assert seen(session, officer(one), Permission.REVOKE_CERTIFICATES) == set()


def test_a_parent_and_a_sibling_are_not_covered(session: Session) -> None:
    top, one, child, sibling = city(session)
    actor = officer(one)
    answers = [scope.covers(session, actor, Permission.APPROVE_CERTIFICATES, a.id) for a in (one, child, top, sibling)]
    assert answers == [True, True, False, False]
    assert not scope.covers(session, actor, Permission.APPROVE_CERTIFICATES, None)


def found(session: Session, text: str) -> list[str]:
    return list(session.scalars(select(Agency.code).where(Agency.search_name.like(pattern(text)))))


def test_a_name_is_found_with_and_without_its_marks(session: Session) -> None:
    city(session)
    assert found(session, "so mot") == ["H1.1"]
    assert found(session, "SỞ MỘT") == ["H1.1"]
    assert found(session, "100%") == []


def test_folding_takes_every_vietnamese_mark() -> None:
    assert fold("  Nguyễn   Đức ƯỚC ") == "nguyen duc uoc"
    assert pattern("50%_\\") == "%50\\%\\_\\\\%"
