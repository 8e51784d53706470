"""What a route must fulfil before it starts, and the rule that nobody issues alone what they wrote."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Sentence
from app.registry.models import Person
from app.routes import people
from app.routes.models import Act, Route, RouteStep, StepState

MOST_STEPS = 30
MOST_PAPERS = 20


def faults_of(session: Session, route: Route) -> Sequence[Sentence]:
    """Return what is still missing or wrong in a draft, in the order of the page; empty when it may start."""
    faults: list[Sentence] = []
    if not route.papers:
        faults.append(_l("There is no document on this route yet."))
    return faults + list(faults_of_steps(session, route))


def faults_of_steps(session: Session, route: Route) -> Sequence[Sentence]:
    """Return what is missing or wrong in the steps alone: what a template must fulfil too."""
    faults: list[Sentence] = []
    heads = [step for step in route.steps if step.act == Act.SIGN]
    if not heads:
        faults.append(_l("Nobody signs on this route. Add the head who signs."))
    first = min((step.position for step in heads), default=None)
    if first is not None and any(step.position >= first for step in route.steps if step.act != Act.SIGN):
        faults.append(_l("Initials and the check of the form come before the head signs, not beside or after."))
    holders = {step.id: people.holders(session, step) for step in route.steps}
    faults.extend(_unable(step, holders[step.id]) for step in route.steps if not _able(session, step, holders))
    named = {step.id: {person.id for person in holders[step.id]} for step in route.steps}
    if heads and all(named[step.id] == {route.drafter_id} for step in heads):
        faults.append(_l("You drafted it, so you cannot be the only one who signs. Add another head."))
    faults.extend(_two_duties(route, holders))
    return faults


def refuse_drafter_alone(route: Route, step: RouteStep, person_id: UUID) -> None:
    """Raise Conflict if this signature would make the drafter the only head of the route."""
    if person_id != route.drafter_id:
        return
    others = [one for one in route.steps if one.act == Act.SIGN and one.id != step.id]
    if not any(one.state != StepState.DONE or one.done_by != route.drafter_id for one in others):
        raise Conflict(
            _l("You drafted this document, so another head has to sign it. Nothing was signed."),
            _l("Hand this step to somebody else, or withdraw the route and choose another head."),
        )


def _able(session: Session, step: RouteStep, holders: dict[UUID, Sequence[Person]]) -> bool:
    return any(people.is_able(session, person.id, Act(step.act)) for person in holders[step.id])


def _unable(step: RouteStep, holders: Sequence[Person]) -> Sentence:
    sentence: Sentence
    if holders:
        sentence = _l(
            "%(name)s cannot do step %(number)s: the account lacks the right.",
            name=holders[0].full_name,
            number=step.number,
        )
    else:
        sentence = _l(
            "Nobody holds the post of step %(number)s now: %(post)s.", number=step.number, post=step.post_title
        )
    return sentence


def _two_duties(route: Route, holders: dict[UUID, Sequence[Person]]) -> Sequence[Sentence]:
    """Return a sentence for each person who alone would have to do two kinds of act."""
    alone = [(step, holders[step.id][0]) for step in route.steps if len(holders[step.id]) == 1]
    twice = {
        one.id: one.full_name
        for (first, one), (second, other) in combinations(alone, 2)
        if one.id == other.id and first.act != second.act
    }
    return [
        _l("%(name)s has two kinds of act on this route. Content, form and signature need different people.", name=name)
        for name in twice.values()
    ]
