"""Sealed reports: ordered by whoever checks a paper, made by `worker` from its own check, gone after minutes.

`web` may hand over a file, never a result: what is sealed is what `worker` found itself (ADR 20).
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import IO, Final
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import NotFound, Unavailable
from app.core.failpoints import reach
from app.core.i18n import speaking
from app.core.permissions import Actor
from app.core.queue import enqueue
from app.core.settings import Settings
from app.core.timestamping import Timestamper
from app.trust import service as trust
from app.verification import api, invitation_letters, page, paper, report_seal, service, words
from app.verification.models import CheckReport, ReportState
from app.verification.registered import recognise
from app.verification.source import Source
from app.verification.spool import SECRET_OCTETS, Kind, Spool, SpoolDamaged
from pki.pades.text_pages import render

MAKE_TASK: Final = "verification.make_report"
# From the order on; then nothing of it is left, whatever happened.
LIFE: Final = timedelta(minutes=15)
# How long after a crash a file may lie that belongs to no order.
_LEFT_BEHIND: Final = timedelta(minutes=1)
# Of all that wait together: a hundred strangers must not fill the disk.
_MOST_WAITING: Final = 100
_MOST_OCTETS: Final = 2 * 1024**3
_AT_ONCE: Final = 2


@dataclass(frozen=True)
class Order:
    """What the reader chose: a file, how it is called, and the language of the report."""

    source: Source
    file_name: str
    language: str
    # Where anybody may check again; it stands in the report.
    address: str


def order(session: Session, settings: Settings, wish: Order, *, now: datetime) -> str:
    """Put a file into the spool and queue its report; return the token that alone leads to it. Raises Unavailable."""
    sweep(session, settings, now=now)
    count, octets = session.execute(
        select(func.count(), func.coalesce(func.sum(CheckReport.size), 0)).where(
            CheckReport.state == ReportState.WAITING
        )
    ).one()
    if count >= _MOST_WAITING or octets >= _MOST_OCTETS:
        raise Unavailable(_l("Many reports are being made right now."), _l("Try again in a few minutes."))
    secret, order_id = secrets.token_bytes(SECRET_OCTETS), uuid4()
    facts = {"name": wish.file_name, "language": wish.language, "address": wish.address}
    size = Spool(settings.data_dir).put(order_id, Kind.FILE, secret, facts, wish.source)
    session.add(
        CheckReport(
            id=order_id,
            token_sha256=hashlib.sha256(secret).digest(),
            secret=secret,
            size=size,
            asked_at=now,
        )
    )
    session.flush()
    # Two at a time of the four that a worker does: strangers' papers must not keep certificates waiting.
    enqueue(session, MAKE_TASK, {"order_id": str(order_id)}, lock=f"{MAKE_TASK}:{order_id.int % _AT_ONCE}")
    return urlsafe_b64encode(secret).rstrip(b"=").decode()


def find(session: Session, token: str, *, now: datetime) -> CheckReport:
    """Return the order that a token leads to. Raises NotFound, also when its time is over."""
    query = select(CheckReport).where(
        CheckReport.token_sha256 == hashlib.sha256(_secret(token)).digest(), CheckReport.asked_at > now - LIFE
    )
    found = session.scalar(query)
    if found is None:
        raise _gone()
    return found


def content(session: Session, settings: Settings, token: str, *, now: datetime) -> bytes:
    """Return the sealed report. Raises NotFound while it is not there, and when it is gone."""
    found, opened = find(session, token, now=now), BytesIO()
    try:
        Spool(settings.data_dir).open(found.id, Kind.REPORT, _secret(token), opened)
    except SpoolDamaged as error:
        raise _gone() from error
    return opened.getvalue()


def make(
    session: Session, settings: Settings, actor: Actor, order_id: UUID, *, timestamp: Timestamper, now: datetime
) -> CheckReport | None:
    """Check the file of an order and seal the report; None when there is nothing to do any more.

    Run again after a crash it makes the report anew, and the reader gets one. Raises PdfRefused for a file that cannot
    be checked, Unavailable when the seal, its timestamp or its proofs cannot be had.
    """
    found = session.get(CheckReport, order_id, with_for_update=True)
    if found is None or found.secret is None or now >= found.asked_at + LIFE:
        return None
    spool = Spool(settings.data_dir)
    with tempfile.TemporaryFile() as file:
        try:
            facts = spool.open(order_id, Kind.FILE, found.secret, file)
        except SpoolDamaged:
            return None
        with speaking(facts["language"]):
            sealed = _sealed(session, settings, file, facts, timestamp=timestamp, now=now)
    spool.put(order_id, Kind.REPORT, found.secret, {}, sealed)
    reach("verification.report_written")
    found.state, found.secret = ReportState.DONE, None
    audit.record(
        session,
        actor,
        "check_report_sealed",
        object_kind="check_report",
        object_id=found.id,
        sha256=hashlib.sha256(sealed).hexdigest(),
    )
    return found


def refuse(session: Session, order_id: UUID, fault: str) -> None:
    """Note that the file of an order cannot be checked."""
    found = session.get(CheckReport, order_id, with_for_update=True)
    if found is not None and found.state == ReportState.WAITING:
        found.state, found.fault, found.secret = ReportState.FAILED, fault, None


def sweep(session: Session, settings: Settings, *, now: datetime) -> int:
    """Forget orders whose time is over, and every file that nobody waits for; return how many files that were."""
    session.execute(delete(CheckReport).where(CheckReport.asked_at <= now - LIFE))
    states = {one: ReportState(state) for one, state in session.execute(select(CheckReport.id, CheckReport.state))}
    wanted = {Kind.FILE: ReportState.WAITING, Kind.REPORT: ReportState.DONE}
    return Spool(settings.data_dir).sweep(
        old=now - LIFE,
        unwanted=now - _LEFT_BEHIND,
        is_wanted=lambda order_id, kind: states.get(order_id) is wanted[kind],
    )


def _sealed(
    session: Session,
    settings: Settings,
    file: IO[bytes],
    facts: dict[str, str],
    *,
    timestamp: Timestamper,
    now: datetime,
) -> bytes:
    source: Source = file
    evidence = service.wider_evidence(session, source, now=now)
    report = service.check(source, evidence, now=now)
    described = api.described(session, report, source, now=now)
    answer = words.answer(report, trust.kinds(session))
    paragraphs = paper.text_of(
        answer,
        described,
        page.register_note(recognise(session, source)) or invitation_letters.note_of(session, source, now=now),
        page.changed_pages(report.page_differences),
        page.technical(described),
        file_name=facts["name"],
        address=facts["address"],
    )
    pdf = render(paragraphs, title=paragraphs[0].text, language=facts["language"])
    return report_seal.seal(session, settings, pdf, timestamp=timestamp, now=now)


def _secret(token: str) -> bytes:
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (NotBase64, ValueError) as error:
        raise _gone() from error


def _gone() -> NotFound:
    return NotFound(
        _l("This report is not there any more. It is kept for a quarter of an hour."), _l("Check the file again.")
    )
