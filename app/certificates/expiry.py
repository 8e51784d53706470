"""Telling holders that their certificate ends: one message for each certificate and step, in batches by key.

Steps are days before the end: 60, 30 and 7, of which those count that fall into the last third of the profile's life.
Before that, a certificate cannot be renewed, and the message would ask for nothing: one of 90 days has 30 and 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from sqlalchemy import exists, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from app.certificates import profile_settings
from app.certificates.life_models import ExpiryNotice
from app.certificates.models import Certificate, CertificateState
from app.certificates.register import PERSONAL
from app.certificates.renewals import WINDOW
from app.core.i18n import day
from app.core.settings import Settings
from app.notices import service as notices
from app.registry.models import Person
from pki.profiles import ProfileName

STEPS: Final = (60, 30, 7)
BATCH: Final = 500
_Mark = tuple[datetime, UUID]


@dataclass(frozen=True)
class Step:
    """So many days before the end of the certificates of one profile; `next_days` is the step after it, or 0."""

    profile: ProfileName
    days: int
    next_days: int


def steps(session: Session) -> Sequence[Step]:
    """Return the steps of every profile of a person, none before its renewal opens."""
    return [
        Step(profile, days, next((later for later in STEPS if later < days), 0))
        for profile in PERSONAL
        for days in STEPS
        if timedelta(days=days) <= profile_settings.in_force(session, profile).validity / WINDOW
    ]


def tell(session: Session, settings: Settings, step: Step, *, after: _Mark | None, now: datetime) -> _Mark | None:
    """Queue the messages of one step for a batch of certificates behind `after`.

    Returns where to go on, None at the end. Whoever has a newer certificate or no address is passed over, and that is
    noted too.
    """
    newer = aliased(Certificate)
    has_newer = exists().where(
        newer.person_id == Certificate.person_id,
        newer.state == CertificateState.ISSUED,
        newer.not_after > Certificate.not_after,
    )
    told = exists().where(ExpiryNotice.certificate_id == Certificate.id, ExpiryNotice.step == step.days)
    query = (
        select(Certificate.id, Certificate.not_after, Certificate.agency_id, Person, has_newer.label("has_newer"))
        .join(Person, Person.id == Certificate.person_id)
        .where(
            Certificate.state == CertificateState.ISSUED,
            Certificate.profile == step.profile,
            Certificate.not_after > now + timedelta(days=step.next_days),
            Certificate.not_after <= now + timedelta(days=step.days),
            ~told,
        )
        .order_by(Certificate.not_after, Certificate.id)
        .limit(BATCH)
    )
    if after is not None:
        query = query.where(tuple_(Certificate.not_after, Certificate.id) > after)
    rows = session.execute(query).all()
    for row in rows:
        _note(session, settings, row.id, row.not_after, row.agency_id, row.Person, row.has_newer, step, now)
    return (rows[-1].not_after, rows[-1].id) if len(rows) == BATCH else None


def _note(
    session: Session,
    settings: Settings,
    certificate_id: UUID,
    not_after: datetime,
    agency_id: UUID | None,
    person: Person,
    has_newer: bool,
    step: Step,
    now: datetime,
) -> None:
    is_told = bool(person.email) and not has_newer
    noted = session.execute(
        insert(ExpiryNotice)
        .values(certificate_id=certificate_id, step=step.days, told=is_told, noticed_at=now)
        .on_conflict_do_nothing()
        .returning(ExpiryNotice.step)
    ).scalar_one_or_none()
    if noted is None or not is_told:
        return
    message = message_to(settings, person, certificate_id, not_after, step, now=now)
    notices.queue_notice(
        session,
        message,
        kind="certificate_ends",
        subject_kind="certificate",
        subject_id=certificate_id,
        agency_id=agency_id,
    )


def message_to(
    settings: Settings, person: Person, certificate_id: UUID, not_after: datetime, step: Step, *, now: datetime
) -> EmailMessage:
    """Return the letter, in Vietnamese first and English below: no account says which of them the holder reads."""
    user, _, domain = settings.mail_from.rpartition("@")
    name, _, host = (person.email or "").rpartition("@")
    left = max((not_after - now).days, 1)
    address = f"{settings.web_url}/certificates/"
    message = EmailMessage()
    message["Subject"] = f"Chứng thư số của bạn hết hạn ngày {day(not_after)}"
    message["From"] = Address(settings.city, user, domain)
    message["To"] = Address(person.full_name, name, host)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{certificate_id}.{step.days}@{domain or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    text = _LETTER.format(
        name=person.full_name,
        day=day(not_after),
        left=left,
        address=address,
        phone=settings.support_phone,
        city=settings.city,
    )
    message.set_content(text, cte="quoted-printable")
    return message


_LETTER: Final = """\
Kính gửi {name},

Chứng thư số của bạn hết hạn ngày {day}, còn {left} ngày. Bạn gia hạn trong một phút trên chính thiết bị mà bạn
đang dùng để ký: đăng nhập, mở “Chứng thư số của tôi” rồi bấm “Gia hạn”.

{address}

Nếu thiết bị không còn, hãy xin chứng thư số mới ở cùng trang này. Thư này không có liên kết đăng nhập và
không hỏi mật khẩu của bạn. Cần giúp đỡ, xin gọi {phone}.

{city}

--
Your certificate ends on {day}, in {left} days. Renew it in a minute on the device you sign with: sign in, open
“My certificates” and press “Renew”. If you no longer have the device, ask for a new certificate on the same page.
Help: {phone}.
"""
