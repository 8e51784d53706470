"""Jobs of `worker`: letters about turns and news, reminders, and the delivery of issued papers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

from app.core.db import transaction
from app.core.logs import log
from app.core.queue import RETRY, jobs
from app.core.settings import load
from app.routes import telling
from app.routes.delegations import LOOK_TASK
from app.routes.dispatch import DELIVER_TASK
from app.routes.holding import lock
from app.routes.service import NEWS_TASK, TURNS_TASK


@jobs.task(name=TURNS_TASK, retry=RETRY)
def tell_turns(route_id: str) -> None:
    """Tell everyone whose turn has come on a route."""
    with transaction() as session:
        telling.tell_turns(session, load(os.environ), lock(session, UUID(route_id)), now=datetime.now(UTC))


@jobs.task(name=NEWS_TASK, retry=RETRY)
def tell_news(route_id: str) -> None:
    """Tell the drafter what became of a route, and the clerks what waits for them."""
    with transaction() as session:
        telling.tell_news(session, load(os.environ), lock(session, UUID(route_id)), now=datetime.now(UTC))


@jobs.task(name=DELIVER_TASK, retry=RETRY)
def deliver(dispatch_id: str) -> None:
    """Put an issued paper before one recipient."""
    with transaction() as session:
        telling.deliver(session, load(os.environ), UUID(dispatch_id), now=datetime.now(UTC))


@jobs.periodic(cron="5 * * * *")
@jobs.task(name=LOOK_TASK, lock=LOOK_TASK, retry=RETRY)
def look_around(timestamp: int = 0) -> None:
    """Every hour: those who came to a turn since, and what is due."""
    del timestamp
    with transaction() as session:
        told = telling.look_around(session, load(os.environ), now=datetime.now(UTC))
    log.info("routes_looked_around", letters=told)
