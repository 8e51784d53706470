"""The letter that tells a host of a visitor at the desk, in Vietnamese first and English below."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from app.core.settings import Settings
from app.reception.models import WalkIn
from app.registry.models import Person

# Letters of 7 bits pass through every mail server unchanged (RFC 2045, 6).
CTE: Final = "quoted-printable"


def arrival(settings: Settings, visit: WalkIn, host: Person, *, now: datetime) -> EmailMessage:
    """Return the letter; it holds no link that answers by itself: the host signs in first."""
    user, _, domain = settings.mail_from.rpartition("@")
    name, _, server = (host.email or "").rpartition("@")
    message = EmailMessage()
    message["Subject"] = f"Có khách đang chờ bạn: {visit.name}"
    message["From"] = Address("Ký Vào", user, domain)
    message["To"] = Address(host.full_name, name, server)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<visit.{visit.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    address = f"{settings.web_url}/reception/visits/{visit.id}"
    who = f"{visit.name} ({visit.organisation})" if visit.organisation else visit.name
    message.set_content(
        f"""{who} đang ở quầy lễ tân {visit.building.name} và muốn gặp bạn.
Việc cần gặp: {visit.purpose}

Trả lời tại đây (đăng nhập trên điện thoại cũng được): {address}

—
{who} is at the reception desk of {visit.building.name} and would like to see you.
Purpose: {visit.purpose}

Answer here: {address}
""",
        cte=CTE,
    )
    return message
