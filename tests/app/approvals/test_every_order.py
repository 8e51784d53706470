"""Whatever people do in whatever order: nothing is done without approvals of distinct, eligible people over exactly it.

`KYVAO_TEST_ACT_EXAMPLES` asks for more sequences than the 40 of an ordinary run (the security guide wants 5,000).
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.models import Account
from app.approvals import policy, service
from app.approvals.kinds import ActKind
from app.approvals.models import Act, ActState
from app.core import db
from app.core.errors import AppError
from app.core.permissions import Role, house
from tests.app.approvals.conftest import DONE, NOW, City

EXAMPLES = int(os.environ.get("KYVAO_TEST_ACT_EXAMPLES", "40"))
ADMINISTRATORS = ["hoa", "tam", "ba"]
# Mostly people who may, or most sequences would be refusals.
PEOPLE = st.sampled_from([*ADMINISTRATORS * 3, "bien", "dang", "kiem"])
MARKS = st.integers(0, 3)
ABOUT = st.sampled_from([None, None, "ba", "dang"])


class Undone(Exception):
    """Ends the transaction of a sequence, so that the next begins with the same city."""


class Approving(RuleBasedStateMachine):
    city: ClassVar[City]
    # How many acts were done in all sequences: a run in which nothing is done proves nothing.
    done: ClassVar[int] = 0
    acts = Bundle("acts")

    def __init__(self) -> None:
        super().__init__()
        DONE.clear()
        self.now = NOW
        self.stack = ExitStack()
        self.session: Session = self.stack.enter_context(db.transaction())
        # What each act was when it was asked for, and who has approved that digest, by the model's own account.
        self.asked: dict[UUID, dict[str, Any]] = {}
        self.approved: dict[UUID, set[str]] = {}
        self.needed: dict[UUID, int] = {}
        self.ended: set[UUID] = set()
        self.administrators = {"hoa", "tam", "ba"}

    def teardown(self) -> None:
        self.session.rollback()
        self.stack.close()
        policy.use(None)

    def actor(self, login: str) -> Any:
        return accounts.actor_of(self.account(login))

    def account(self, login: str) -> Account:
        found = accounts.find_account(self.session, login)
        assert found is not None
        return found

    @initialize(target=acts, who=st.sampled_from(ADMINISTRATORS), needed=st.integers(1, 2))
    def begin(self, who: str, needed: int) -> Any:
        return self.request(who, 0, None, needed)

    @rule(target=acts, who=PEOPLE, mark=MARKS, about=ABOUT, needed=st.integers(1, 2))
    def request(self, who: str, mark: int, about: str | None, needed: int) -> Any:
        policy.use(policy.Policy(approvers={"mark": needed}))
        payload = {"mark": mark, "impossible": mark == 3}
        try:
            with self.session.begin_nested():
                act = service.request(
                    self.session,
                    self.actor(who),
                    "mark",
                    payload,
                    agency_id=None,
                    subject_person_ids=[self.city.people[about]] if about else [],
                    object_kind="thing",
                    object_id="1",
                    now=self.now,
                )
        except AppError:
            assert who not in self.administrators
            return multiple()
        assert who in self.administrators
        if act.id not in self.asked:
            self.asked[act.id] = {"who": who, "about": about, "payload": payload, "until": act.expires_at}
            self.approved[act.id] = set()
            self.needed[act.id] = needed
        return act.id

    @rule(act_id=acts, who=PEOPLE | st.just("colleague"), other=acts, mixed_up=st.sampled_from([False] * 4 + [True]))
    def approve(self, act_id: UUID, who: str, other: UUID, mixed_up: bool) -> None:
        if who == "colleague":
            who = next(one for one in ADMINISTRATORS if one != self.asked[act_id]["who"])
        shown = self.session.get_one(Act, other if mixed_up else act_id).digest_hex
        self._approve(act_id, who, shown)

    def _approve(self, act_id: UUID, who: str, digest: str) -> None:
        act, asked = self.session.get_one(Act, act_id), self.asked[act_id]
        mine = act.digest_hex
        before = len(DONE)
        try:
            with self.session.begin_nested():
                service.approve(self.session, self.actor(who), act_id, digest=digest, now=self.now)
        except AppError:
            assert len(DONE) == before
            return
        except DBAPIError as error:
            raise AssertionError("the service lets through what the database refuses") from error
        if act.state == ActState.REFUSED and asked["who"] not in self.administrators:
            self.ended.add(act_id)
            return
        eligible = who in self.administrators and who not in {asked["who"], asked["about"]}
        in_time = self.now < asked["until"] or who in self.approved[act_id]
        assert eligible
        assert in_time
        assert digest == mine
        self.approved[act_id].add(who)
        if len(DONE) > before:
            # An approval repeated after the end does nothing; this one did it, so it was the last one needed.
            assert act_id not in self.ended
            assert DONE[-1] == asked["payload"]
            assert len(self.approved[act_id]) >= self.needed[act_id]
            self.ended.add(act_id)
            Approving.done += 1

    @rule(act_id=acts, who=PEOPLE, refused=st.booleans())
    def end(self, act_id: UUID, who: str, refused: bool) -> None:
        try:
            with self.session.begin_nested():
                if refused:
                    service.refuse(self.session, self.actor(who), act_id, note="no", now=self.now)
                else:
                    service.withdraw(self.session, self.actor(who), act_id, now=self.now)
        except AppError:
            return
        self.ended.add(act_id)

    @rule(hours=st.sampled_from([0, 1, 1, 3, 8]), demoted=st.sampled_from([None] * 6 + ["hoa", "tam"]))
    def meanwhile(self, hours: int, demoted: str | None) -> None:
        self.now += timedelta(hours=hours)
        if hours == 0:
            service.expire(self.session, now=self.now)
        if demoted is not None:
            accounts.withdraw_role(
                self.session, self.account(demoted), Role.ADMINISTRATOR, agency_id=None, actor=house("test")
            )
            self.administrators.discard(demoted)

    @invariant()
    def what_was_done_had_its_approvals(self) -> None:
        executed = [act for act in map(self._act, self.asked) if act.state in {ActState.EXECUTED, ActState.FAILED}]
        assert len(executed) == len(DONE)
        for act in executed:
            assert len(self.approved[act.id]) >= self.needed[act.id]

    def _act(self, act_id: UUID) -> Act:
        return self.session.get_one(Act, act_id)


@pytest.mark.usefixtures("kind")
def test_no_order_of_steps_does_anything_without_its_approvals(city: City, kind: ActKind) -> None:
    Approving.city = city
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=20,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    Approving.done = 0
    run_state_machine_as_test(Approving, settings=chosen)
    assert Approving.done > EXAMPLES // 20
