"""Acts that need a second person: who may decide, over what, until when, and what is then done."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.accounts import service as accounts
from app.approvals import policy, service
from app.approvals.models import Act, ActState
from app.audit.models import AuditEntry
from app.core import db
from app.core.errors import AppError, Conflict, Forbidden, Invalid, NotFound, TooMany
from app.registry.models import Person
from tests.app.approvals.conftest import NOW, City

pytestmark = pytest.mark.usefixtures("kind")
Done = list[dict[str, object]]


def ask(
    city: City,
    login: str = "hoa",
    *,
    mark: str = "x",
    agency: UUID | None = None,
    about: Sequence[UUID] = (),
    key: str | None = None,
    **more: object,
) -> Act:
    with db.transaction() as session:
        return service.request(
            session,
            city.actor(login),
            "mark",
            {"mark": mark, **more},
            agency_id=agency,
            subject_person_ids=about,
            object_kind="thing",
            object_id="1",
            now=NOW,
            idempotency_key=key,
        )


def approve(city: City, login: str, act: Act, *, now: datetime = NOW, digest: str | None = None) -> Act:
    with db.transaction() as session:
        return service.approve(session, city.actor(login), act.id, digest=digest or act.digest_hex, now=now)


def acts_logged() -> list[str]:
    with db.transaction() as session:
        query = select(AuditEntry.act).where(AuditEntry.object_kind == "act").order_by(AuditEntry.id)
        return list(session.scalars(query))


def test_a_request_does_nothing_until_another_person_approves_it(city: City, done: Done) -> None:
    act = ask(city)
    assert done == []
    assert approve(city, "tam", act).state == ActState.EXECUTED
    assert done == [{"mark": "x"}]
    assert acts_logged() == ["act_requested", "act_approved", "act_executed"]


def test_the_requester_cannot_approve(city: City, done: Done) -> None:
    act = ask(city)
    with pytest.raises(Forbidden, match="your own request"):
        approve(city, "hoa", act)
    assert done == []


def test_a_person_whom_the_act_is_about_cannot_approve(city: City, done: Done) -> None:
    act = ask(city, about=[city.people["tam"]])
    with pytest.raises(Forbidden, match="about you"):
        approve(city, "tam", act)
    assert approve(city, "ba", act).state == ActState.EXECUTED


def test_approving_twice_does_it_once(city: City, done: Done) -> None:
    act = ask(city)
    approve(city, "tam", act)
    assert approve(city, "tam", act).state == ActState.EXECUTED
    assert len(done) == 1


def test_an_approval_over_another_digest_is_refused(city: City, done: Done) -> None:
    act, other = ask(city, mark="x"), ask(city, mark="y")
    with pytest.raises(Conflict, match="not the request that you were shown"):
        approve(city, "tam", act, digest=other.digest_hex)
    assert done == []


def test_approval_is_possible_until_the_last_second_and_not_after(city: City, done: Done) -> None:
    late, later = ask(city, mark="x"), ask(city, mark="y")
    assert approve(city, "tam", late, now=NOW + timedelta(hours=8, seconds=-1)).state == ActState.EXECUTED
    with pytest.raises(Conflict, match="over"):
        approve(city, "tam", later, now=NOW + timedelta(hours=8))
    assert len(done) == 1


def test_an_act_out_of_time_is_ended_by_the_job(city: City) -> None:
    act = ask(city)
    with db.transaction() as session:
        assert service.expire(session, now=NOW + timedelta(hours=8)) == 1
        assert session.get_one(Act, act.id).state == ActState.EXPIRED
    assert acts_logged()[-1] == "act_expired"


def test_two_approvers_are_needed_when_the_operator_says_so(city: City, done: Done) -> None:
    policy.use(policy.Policy(approvers={"mark": 2}))
    act = ask(city)
    assert approve(city, "tam", act).state == ActState.PENDING
    assert approve(city, "tam", act).state == ActState.PENDING
    assert done == []
    assert approve(city, "ba", act).state == ActState.EXECUTED


def test_one_refusal_ends_it_and_its_reason_is_kept(city: City, done: Done) -> None:
    policy.use(policy.Policy(approvers={"mark": 2}))
    act = ask(city)
    with db.transaction() as session:
        service.refuse(session, city.actor("tam"), act.id, note="Not today", now=NOW)
    with pytest.raises(Conflict, match="decided already"):
        approve(city, "ba", act)
    with db.transaction() as session:
        found = session.get_one(Act, act.id)
        assert (found.state, found.failure) == (ActState.REFUSED, "Not today")
    assert done == []


def test_a_refusal_without_a_reason_is_not_taken(city: City) -> None:
    act = ask(city)
    with pytest.raises(Invalid), db.transaction() as session:
        service.refuse(session, city.actor("tam"), act.id, note=" ", now=NOW)


def test_a_withdrawn_request_cannot_be_approved(city: City, done: Done) -> None:
    act = ask(city)
    with db.transaction() as session:
        service.withdraw(session, city.actor("hoa"), act.id, now=NOW)
    with pytest.raises(Conflict):
        approve(city, "tam", act)
    assert done == []


def test_nobody_withdraws_what_another_asked_for(city: City) -> None:
    act = ask(city)
    with pytest.raises(NotFound), db.transaction() as session:
        service.withdraw(session, city.actor("tam"), act.id, now=NOW)


def test_an_act_of_another_agency_is_not_found(city: City) -> None:
    act = ask(city, agency=city.ward)
    with pytest.raises(NotFound):
        approve(city, "bien", act)
    with pytest.raises(NotFound), db.transaction() as session:
        service.find_visible(session, city.actor("bien"), act.id)


def test_asking_beyond_ones_agency_is_refused(city: City) -> None:
    with pytest.raises(Forbidden):
        ask(city, "bien", agency=city.ward)
    with pytest.raises(Forbidden):
        ask(city, "dang", agency=city.ward)
    assert ask(city, "bien", agency=city.harbour).state == ActState.PENDING


def test_a_requester_who_lost_the_right_is_refused_when_the_vote_comes(city: City, done: Done) -> None:
    act = ask(city)
    with db.transaction() as session:
        account = accounts.find_account(session, "hoa")
        assert account is not None
        account.grants.clear()
    assert approve(city, "tam", act).state == ActState.REFUSED
    assert done == []
    assert acts_logged()[-1] == "act_refused"


def test_asking_for_the_same_twice_gives_one_act(city: City) -> None:
    assert ask(city).id == ask(city).id
    assert ask(city, mark="y", key="k").id == ask(city, mark="y", key="k").id
    with pytest.raises(Conflict, match="another request"):
        ask(city, mark="z", key="k")


def test_what_cannot_be_done_leaves_the_reason_and_nothing_else(city: City, done: Done) -> None:
    act = ask(city, impossible=True)
    ended = approve(city, "tam", act)
    assert (ended.state, ended.failure) == (ActState.FAILED, "Something else happened first.")
    with db.transaction() as session:
        marks = session.scalar(select(func.count()).select_from(Person).where(Person.surname == "Dấu"))
    assert marks == 0
    assert acts_logged()[-2:] == ["act_approved", "act_failed"]


def test_the_inbox_holds_what_one_may_decide_on_and_nothing_else(city: City) -> None:
    def waits_for(login: str) -> set[UUID]:
        with db.transaction() as session:
            return {act.id for act in service.pending(session, city.actor(login))}

    with db.transaction() as session:
        now = session.execute(select(func.now())).scalar_one()
    with db.transaction() as session:
        arguments = {"agency_id": city.ward, "object_kind": "thing", "object_id": "1", "now": now}
        tam = [city.people["tam"]]
        act = service.request(session, city.actor("hoa"), "mark", {}, subject_person_ids=tam, **arguments)
    assert waits_for("ba") == {act.id}
    for login in ("hoa", "tam", "bien", "dang", "kiem", "dan"):
        assert waits_for(login) == set(), login


def test_a_number_that_is_not_whole_is_not_asked_for(city: City) -> None:
    with pytest.raises(AppError):
        ask(city, share=0.5)


def test_two_who_approve_at_the_same_moment_do_it_once(city: City, done: Done) -> None:
    act = ask(city)
    together = Barrier(2)

    def vote(login: str) -> str:
        actor = city.actor(login)
        together.wait(timeout=10)
        try:
            with db.transaction() as session:
                return service.approve(session, actor, act.id, digest=act.digest_hex, now=NOW).state
        except Conflict:
            return "too late"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(vote, ["tam", "ba"]))
    assert outcomes == ["executed", "too late"]
    assert len(done) == 1


def test_more_than_an_officers_rate_at_the_same_moment_is_refused(city: City) -> None:
    policy.use(policy.Policy(officer=policy.Rate(3, timedelta(hours=1))))
    officer = city.actor("dang")

    def take(_: int) -> bool:
        try:
            with db.transaction() as session:
                service.check_rate(session, officer, "certificate_approval", city.ward, 1, NOW)
        except (TooMany, Forbidden):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 3
