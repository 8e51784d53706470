"""Letters that come back: the envelope sender names the letter, so the report of a mail server finds it (RFC 3464).

Each letter leaves with a sender of its own (VERP): `bounce+<id and seal>@domain`. The seal is ours, so nobody else can
report a letter as lost.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.settings import Settings
from app.notices.models import Notice, NoticeState

LARGEST: Final = 2 * 1024 * 1024
_SEAL: Final = 8
# Where mail servers write the address that the report was sent to.
_ADDRESSED: Final = ("To", "Delivered-To", "X-Original-To", "Envelope-To")
_TOKEN: Final = re.compile(r"\+([a-z2-7]{39})@", re.IGNORECASE)
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


def sender_of(settings: Settings, notice_id: UUID) -> str:
    """Return the envelope sender of a letter; the common one where no address for returned letters is set."""
    if settings.bounce_from is None:
        return settings.mail_from
    local, _, domain = settings.bounce_from.rpartition("@")
    token = base64.b32encode(notice_id.bytes + _seal(settings, notice_id)).decode().rstrip("=").lower()
    return f"{local}+{token}@{domain}"


def take(session: Session, settings: Settings, raw: bytes) -> UUID | None:
    """Record what a report says and return the letter that came back; None for mail that reports no lost letter.

    The same report again changes nothing.
    """
    message = message_from_bytes(raw[:LARGEST], policy=default)
    notice_id = _reported(settings, message)
    status = _failure(message)
    if notice_id is None or status is None:
        return None
    returned = (
        update(Notice)
        .where(Notice.id == notice_id, Notice.state.in_((NoticeState.SENT, NoticeState.FAILED)))
        .values(state=NoticeState.BOUNCED, last_error=status)
        .returning(Notice.id)
    )
    return session.scalar(returned)


def waiting(maildir: Path) -> Iterator[Path]:
    """Yield the letters of a Maildir that nobody has read yet, oldest first."""
    return iter(sorted(one for one in (maildir / "new").iterdir() if one.is_file()))


def put_away(maildir: Path, letter: Path) -> None:
    """Mark a letter of a Maildir as read."""
    letter.rename(maildir / "cur" / f"{letter.name.partition(':')[0]}:2,S")


def _reported(settings: Settings, message: Message) -> UUID | None:
    for name in _ADDRESSED:
        for value in message.get_all(name, []):
            for found in _TOKEN.finditer(str(value)):
                notice_id = _opened(settings, found.group(1))
                if notice_id is not None:
                    return notice_id
    return None


def _opened(settings: Settings, token: str) -> UUID | None:
    try:
        content = base64.b32decode(token.upper() + "=")
    except binascii.Error:
        return None
    notice_id, seal = UUID(bytes=content[:16]), content[16:]
    return notice_id if hmac.compare_digest(seal, _seal(settings, notice_id)) else None


def _failure(message: Message) -> str | None:
    """Return the status of a letter that will not arrive; None for delays, receipts and holiday answers."""
    if not isinstance(message, EmailMessage) or message.get_content_type() != "multipart/report":
        return None
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in part.iter_parts():
            if str(block.get("Action", "")).strip().lower() == "failed":
                found = _STATUS.search(str(block.get("Status", "")))
                return found.group() if found else "5.0.0"
    return None


def _seal(settings: Settings, notice_id: UUID) -> bytes:
    key = hashlib.sha256(b"kyvao bounce v1" + settings.secret_key.encode()).digest()
    return hmac.new(key, notice_id.bytes, hashlib.sha256).digest()[:_SEAL]
