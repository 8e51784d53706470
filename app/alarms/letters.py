"""The letter that tells an administrator of an alarm, in Vietnamese first and English below."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from babel.support import Translations

from app.alarms.models import Alarm
from app.alarms.words import KINDS
from app.core.i18n import TRANSLATIONS
from app.core.settings import Settings

CTE: Final = "quoted-printable"


def letter(settings: Settings, alarm: Alarm, recipient: str, *, now: datetime) -> EmailMessage:
    """Return the letter about an alarm. It names the kind and where to look; the facts stay in the house."""
    sentence, step = KINDS.get(alarm.kind, (alarm.kind, ""))
    catalogue = Translations.load(str(TRANSLATIONS / "alarms"), ["vi"])
    # Outside a request a lazy sentence reads as its source, which is the English one.
    english, vietnamese = [str(sentence), str(step)], [catalogue.gettext(str(sentence)), catalogue.gettext(str(step))]
    address = f"{settings.web_url}/alarms/"
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.mail_from
    message["To"] = recipient
    message["Subject"] = f"[Cảnh báo] {vietnamese[0]}"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<alarm.{alarm.id}@{settings.mail_from.rpartition('@')[2]}>"
    parts = [*vietnamese, address, "", "—", *english, address]
    message.set_content("\n\n".join(part for part in parts if part) + "\n", cte=CTE)
    return message
