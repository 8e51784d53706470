"""How many certificates one officer and one agency may approve in a time (security guide, T4).

Acts that cover many certificates at once are not counted here: they need a second person instead.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.approvals import pauses, policy
from app.core.db import transaction
from app.core.errors import TooMany
from app.core.permissions import Actor
from app.core.throttle import may_pass


def check_rate(session: Session, actor: Actor, name: str, agency_id: UUID | None, count: int, now: datetime) -> None:
    """Count `count` approvals called `name` of this officer for this agency (None: citizens, not counted by agency).

    Over a rate, the right to approve is paused, an alarm raised, and TooMany refuses the act. Raises Forbidden while it
    is paused. The house itself is not counted.
    """
    if actor.account_id is None:
        return
    pauses.check_not_paused(session, actor, agency_id)
    rates = policy.current()
    officer, agency = f"{name}:officer:{actor.account_id}", f"{name}:agency:{agency_id}"
    if not may_pass(session, officer, limit=rates.officer.limit, per=rates.officer.per, now=now, count=count):
        _pause(actor, account_id=actor.account_id, agency_id=None, rate=name, now=now)
        raise TooMany(
            _l("You approved more certificates than one officer may in an hour. This one was not approved."),
            _l("Your right to approve is paused until an administrator has looked at it."),
        )
    if agency_id is None:
        return
    if not may_pass(session, agency, limit=rates.agency.limit, per=rates.agency.per, now=now, count=count):
        _pause(actor, account_id=None, agency_id=agency_id, rate=name, now=now)
        raise TooMany(
            _l("More certificates were approved for this agency than is usual in a day. This one was not approved."),
            _l("Approving for this agency is paused until an administrator has looked at it."),
        )


def _pause(actor: Actor, *, account_id: UUID | None, agency_id: UUID | None, rate: str, now: datetime) -> None:
    """Pause in a transaction of its own: the refused act takes its own transaction back, and this must stay.

    It touches no row that the refused act could have locked, so neither waits for the other.
    """
    with transaction() as session:
        pauses.pause(session, actor, account_id=account_id, agency_id=agency_id, rate=rate, now=now)
