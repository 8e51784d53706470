"""A job exists exactly if the transaction of its data commits."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import db
from app.core.queue import enqueue


def waiting_jobs(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one())


def test_a_job_is_gone_when_its_transaction_rolls_back(database: str) -> None:
    def approve() -> None:
        with db.transaction() as session:
            enqueue(session, "certificates.issue", {"request_id": "1"})
            assert waiting_jobs(session) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        approve()
    with db.transaction() as session:
        assert waiting_jobs(session) == 0


def test_a_second_waiting_job_with_the_same_queueing_lock_is_not_inserted(session: Session) -> None:
    enqueue(session, "certificates.publish_crl", {"shard": 1}, queueing_lock="crl:1")
    enqueue(session, "certificates.publish_crl", {"shard": 1}, queueing_lock="crl:1")
    enqueue(session, "certificates.publish_crl", {"shard": 2}, queueing_lock="crl:2")
    assert waiting_jobs(session) == 2
