"""Asking `worker` to publish the next list of a shard, in the transaction of what changed it."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from app.certificates.models import Authority
from app.core.queue import enqueue

PUBLISH_TASK: Final = "certificates.publish_crl"


def publish_soon(session: Session, authority: Authority, shard: int) -> None:
    """Queue the publication of a shard; one that is waiting already will see this change too."""
    shard_name = f"crl:{authority.name}/{shard}"
    arguments: dict[str, str | int] = {"authority": authority.name, "shard": shard}
    enqueue(session, PUBLISH_TASK, arguments, lock=shard_name, queueing_lock=shard_name)
