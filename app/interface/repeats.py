"""Requests that are sent again: the first answer is kept for a day and given again, so that nothing is done twice.

The row is written in the transaction of the act. A second request that comes while the first is under way waits at
the unique key and then finds its answer; if the first fails, its row is gone with it and the second acts.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.token_models import ApiAnswer
from app.core.errors import Conflict, Invalid

KEPT: Final = timedelta(days=1)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True)
class Answered:
    """An answer given before."""

    status: int
    body: dict[str, Any]


def begin(session: Session, token_id: UUID, key: str, request_sha256: bytes, *, now: datetime) -> Answered | None:
    """Claim the key and return None, or the answer that this request got before.

    Raises Invalid for a key that is not 1 to 128 visible ASCII characters, Conflict for one that another request used.
    """
    if not _KEY.fullmatch(key):
        raise Invalid(_l("An Idempotency-Key has 1 to 128 visible characters."))
    claimed = session.execute(
        insert(ApiAnswer)
        .values(token_id=token_id, key=key, request_sha256=request_sha256, created_at=now)
        .on_conflict_do_nothing()
        .returning(ApiAnswer.key)
    ).scalar_one_or_none()
    if claimed is not None:
        return None
    found = session.scalars(select(ApiAnswer).where(ApiAnswer.token_id == token_id, ApiAnswer.key == key)).one()
    if not hmac.compare_digest(found.request_sha256, request_sha256):
        raise Conflict(_l("This Idempotency-Key was used for another request."), _l("Use a new key for each request."))
    return Answered(found.status or 200, found.body or {})


def finish(session: Session, token_id: UUID, key: str, status: int, body: dict[str, Any]) -> None:
    """Keep the answer of the claimed key."""
    session.execute(
        update(ApiAnswer)
        .where(ApiAnswer.token_id == token_id, ApiAnswer.key == key)
        .values(status=int(status), body=body)
    )


def forget(session: Session, *, now: datetime) -> None:
    """Delete the answers that are older than a day."""
    session.execute(delete(ApiAnswer).where(ApiAnswer.created_at < now - KEPT))
