"""Mails about a citizen's form: its receipt, and the agency's answer. They hold no answers: mail is read by others."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy.orm import Session

from app.citizen_forms.models import Submission
from app.core.i18n import moment
from app.core.settings import Settings
from app.notices import service as notices

_templates: Final = Environment(
    loader=PackageLoader("app", "templates/citizen_forms/letters"),
    autoescape=False,  # noqa: S701  plain text
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SUBJECTS: Final = {
    "received": "Đã nhận hồ sơ {reference}",
    "done": "Hồ sơ {reference} đã giải quyết xong",
    "sent_back": "Hồ sơ {reference} cần làm lại",
}


def queue(session: Session, settings: Settings, submission: Submission, kind: str, *, now: datetime) -> bool:
    """Queue the mail of that kind (`received`, `done`, `sent_back`); False for a citizen without an address."""
    email = submission.person.email
    if email is None:
        return False
    facts = {
        "submission": submission,
        "changed_at": moment(submission.changed_at),
        "link": f"{settings.web_url}/forms/submissions/{submission.id}",
        "phone": settings.support_phone,
    }
    user, _, domain = settings.mail_from.rpartition("@")
    name, _, host = email.rpartition("@")
    message = EmailMessage()
    message["Subject"] = _SUBJECTS[kind].format(reference=submission.reference)
    message["From"] = Address(submission.form.agency.name, user, domain)
    message["To"] = Address(submission.person.full_name, name, host)
    message["Date"] = format_datetime(now)
    # The same at every attempt to send, so that a mail program shows a repeated one once.
    message["Message-ID"] = f"<{submission.id}.{kind}.{now:%Y%m%d%H%M%S%f}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_templates.get_template(f"{kind}.txt").render(facts), cte="quoted-printable")
    notices.queue_notice(
        session,
        message,
        kind=f"form_{kind}",
        subject_kind="form_submission",
        subject_id=submission.id,
        agency_id=submission.agency_id,
    )
    return True
