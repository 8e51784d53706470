"""States, acts and receipts in words, each with the tone of its tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence
from app.routes.dispatch import OPENED, REVOKED
from app.routes.dispatch_models import DispatchState
from app.routes.models import Act, RouteState, StepState

STATES: Final[Mapping[RouteState, Sentence]] = {
    RouteState.TEMPLATE: _l("Template"),
    RouteState.DRAFT: _l("Draft"),
    RouteState.RUNNING: _l("Under way"),
    RouteState.DECLINED: _l("Sent back"),
    RouteState.SIGNED: _l("Waiting for number and seal"),
    RouteState.ISSUED: _l("Officially issued"),
    RouteState.WITHDRAWN: _l("Withdrawn by the drafter"),
    RouteState.REPLACED: _l("Replaced"),
}
STATE_TONES: Final[Mapping[RouteState, str]] = {
    RouteState.TEMPLATE: "quiet",
    RouteState.DRAFT: "quiet",
    RouteState.RUNNING: "wait",
    RouteState.DECLINED: "bad",
    RouteState.SIGNED: "info",
    RouteState.ISSUED: "good",
    RouteState.WITHDRAWN: "held",
    RouteState.REPLACED: "held",
}
ACTS: Final[Mapping[Act, Sentence]] = {
    Act.INITIAL: _l("Initial"),
    Act.FORMAT: _l("Check the form"),
    Act.SIGN: _l("Authorised signature"),
}
STEP_STATES: Final[Mapping[StepState, Sentence]] = {
    StepState.WAITING: _l("Not yet"),
    StepState.OPEN: _l("Turn now"),
    StepState.DONE: _l("Done"),
    StepState.DECLINED: _l("Sent back"),
}
STEP_TONES: Final[Mapping[StepState, str]] = {
    StepState.WAITING: "quiet",
    StepState.OPEN: "wait",
    StepState.DONE: "good",
    StepState.DECLINED: "bad",
}
DISPATCH_STATES: Final[Mapping[DispatchState, Sentence]] = {
    DispatchState.PLANNED: _l("Planned"),
    DispatchState.SENT: _l("Sent"),
    DispatchState.ARRIVED: _l("Arrived"),
    DispatchState.RECEIVED: _l("Received"),
    DispatchState.ASSIGNED: _l("Assigned"),
    DispatchState.DONE: _l("Dealt with"),
}
DISPATCH_TONES: Final[Mapping[DispatchState, str]] = {
    DispatchState.PLANNED: "quiet",
    DispatchState.SENT: "wait",
    DispatchState.ARRIVED: "wait",
    DispatchState.RECEIVED: "info",
    DispatchState.ASSIGNED: "info",
    DispatchState.DONE: "good",
}
EVENTS: Final[Mapping[str, Sentence]] = {
    **{state.value: word for state, word in DISPATCH_STATES.items()},
    OPENED: _l("Opened"),
    REVOKED: _l("Link revoked"),
}
