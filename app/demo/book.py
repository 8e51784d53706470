"""A small book of this year: numbers that the clerk kept for documents on paper, one of them given up."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.records import registers
from app.records.kinds import Kind
from app.records.models import Entry

_CLERK: Final = "thu"
_KEPT: Final = (
    (Kind.DECISION, "Quyết định thành lập Hội đồng sáng kiến năm 2026", "Các phòng thuộc Sở"),
    (Kind.NOTICE, "Thông báo lịch tiếp công dân tháng 12 năm 2026", "Các phòng thuộc Sở; Ban Tiếp công dân"),
    (Kind.LETTER, "V/v góp ý dự thảo Quy chế phối hợp xử lý sự cố", "Văn phòng Ủy ban nhân dân"),
    (Kind.DECISION, "Quyết định cử công chức đi bồi dưỡng", "Phòng Tổ chức; các ông, bà có tên"),
    (Kind.REPORT, "Báo cáo công tác bảo vệ bí mật nhà nước", "Văn phòng Ủy ban nhân dân"),
)
_GIVEN_UP: Final = (1, "Ghi nhầm sổ: thông báo do Văn phòng ban hành, Sở không dùng số này.")


def create(session: Session, *, now: datetime) -> None:
    """Keep the numbers as the clerk does on her page, unless there is an entry already."""
    account = accounts.find_account(session, _CLERK)
    if account is None:
        raise LookupError(_CLERK)
    if session.scalar(select(Entry.id).limit(1)) is not None:
        return
    clerk = accounts.actor_of(account)
    agency_id = next(grant.agency_id for grant in clerk.grants if grant.agency_id is not None)
    kept = [
        registers.reserve(session, clerk, agency_id, kind, subject=subject, recipients=recipients, now=now)
        for kind, subject, recipients in _KEPT
    ]
    number, explanation = _GIVEN_UP
    registers.explain(session, clerk, kept[number].id, explanation=explanation, now=now)
