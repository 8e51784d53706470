"""The mail that carries a link: in Vietnamese first and English below, because the sender does not know who reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Final
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app.campaigns import tokens
from app.core.i18n import day
from app.core.settings import Settings

__all__ = ["KIND", "Addressee", "EmailMessage", "invitation"]

KIND: Final = "enrolment"
_CTE: Final = "quoted-printable"
_templates: Final = Environment(
    loader=PackageLoader("app", "templates/campaigns/letters"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Addressee:
    name: str
    email: str
    agency_id: UUID


def invitation(
    settings: Settings, addressee: Addressee, agency: str, token: str, expires_at: datetime, *, now: datetime
) -> EmailMessage:
    """Return the mail with a link that is good until `expires_at`."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(settings.city, addr_spec=settings.mail_from)
    message["To"] = Address(addressee.name, addr_spec=addressee.email)
    message["Subject"] = f"Mời bạn nhận chữ ký số của {settings.city}"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=settings.mail_from.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    facts = {
        "name": addressee.name,
        "agency": agency,
        "city": settings.city,
        "link": tokens.address(settings, token),
        "last_day": day(expires_at),
        "phone": settings.support_phone,
    }
    message.set_content(_templates.get_template("invitation.txt").render(facts), cte=_CTE)
    page = _templates.get_template("invitation.html").render(facts)
    message.add_alternative(page, subtype="html", cte=_CTE)
    return message
