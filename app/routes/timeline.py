"""The steps of a route as a reader wants them: who, what, in which state, since when, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.core.errors import Sentence
from app.routes import people, words
from app.routes.models import Act, Route, RouteStep, StepState


@dataclass(frozen=True)
class Entry:
    step: RouteStep
    act: Sentence
    word: Sentence
    tone: str
    # Who did it, or who may do it now; empty when nobody holds the post.
    names: Sequence[str]
    # The post that the step names, with its agency; None when it names a person.
    post: str | None
    # Who acted, or acts, for somebody absent.
    absent: Sequence[str]
    deputies: Sequence[str]
    is_overdue: bool
    # How many papers of the envelope have this signature.
    papers_done: int


def of(session: Session, route: Route, *, now: datetime) -> Sequence[Sequence[Entry]]:
    """Return the groups of the route in order."""
    return [[_entry(session, route, step, now=now) for step in group] for group in route.groups]


def _entry(session: Session, route: Route, step: RouteStep, *, now: datetime) -> Entry:
    state = StepState(step.state)
    is_over = state in (StepState.DONE, StepState.DECLINED) and step.doer is not None
    names = [step.doer.full_name] if is_over and step.doer else [one.full_name for one in people.holders(session, step)]
    handed = [] if is_over else people.deputies(session, step, now=now)
    return Entry(
        step=step,
        act=words.ACTS[Act(step.act)],
        word=words.STEP_STATES[state],
        tone=words.STEP_TONES[state],
        names=names,
        post=f"{step.post_title}, {step.agency.name}" if step.agency is not None else None,
        absent=[step.absent.full_name] if step.absent is not None else [],
        deputies=[one.deputy.full_name for one in handed],
        is_overdue=state is StepState.OPEN and step.due_at is not None and now >= step.due_at,
        papers_done=len({act.document_id for act in route.acts if act.step_id == step.id}),
    )
