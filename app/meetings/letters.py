"""The invitation as a mail: plain text, a page with the code in it, and a calendar part (RFC 2046, RFC 5545, RFC 6047).

In Vietnamese first and English below: the sender does not know what the guest reads. The calendar part holds no code
and no link, because calendars are shared with assistants.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from typing import Final

from icalendar import Calendar, Event, Timezone, vCalAddress, vText
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app.core.i18n import CITY_ZONE, local
from app.core.settings import Settings
from app.meetings.letter_pdf import Letter
from app.meetings.models import Guest, GuestKind
from app.meetings.passes import Issued
from app.meetings.sealing import Shown
from pki.passes import qr

_templates: Final = Environment(
    loader=PackageLoader("app", "templates/meetings/letters"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# The paper letter is no markup: nothing in it is read as such.
_papers: Final = Environment(
    loader=PackageLoader("app", "templates/meetings/letters"),
    autoescape=False,  # noqa: S701  plain text
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
LETTER_NAME: Final = "giay-moi.pdf"
# Letters of 7 bits pass through every mail server unchanged (RFC 2045, 6).
CTE: Final = "quoted-printable"
_COMES_AS: Final = {
    GuestKind.COMPANION: "người đi cùng",
    GuestKind.DRIVER: "lái xe",
    GuestKind.INTERPRETER: "phiên dịch",
}
_WEEKDAYS: Final = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")


@dataclass(frozen=True)
class Method:
    """A calendar method (RFC 5546, 1.4) with the status that goes with it."""

    name: str
    status: str


REQUEST: Final = Method("REQUEST", "CONFIRMED")
CANCEL: Final = Method("CANCEL", "CANCELLED")


def invitation(
    settings: Settings, guest: Guest, issued: Issued, letter: bytes | None, *, now: datetime
) -> EmailMessage:
    """Return the mail with the code of a fresh pass, and with the sealed letter if there is one."""
    shown = issued.shown
    facts = _facts(settings, guest) | {
        "link": page_address(settings, shown.page_token),
        "changed": issued.replaces,
        "desk_code": spaced(shown),
        "letter": letter is not None,
    }
    prefix = "[Thay đổi] " if issued.replaces else ""
    subject = f"{prefix}Giấy mời: {guest.meeting.title} – {facts['day']}"
    message = _message(settings, guest, subject, now)
    message.set_content(_templates.get_template("invitation.txt").render(facts), cte=CTE)
    message.add_alternative(_templates.get_template("invitation.html").render(facts), subtype="html", cte=CTE)
    page = message.get_body(("html",))
    if page is None:
        raise TypeError("the message has the page that was just added")
    # A code that changes stands on the guest's page alone.
    if not guest.meeting.rotating:
        # As in the letter: mails are printed too.
        picture = qr.render_png(shown.digits, qr.Level.PAPER, scale=6)
        page.add_related(picture, "image", "png", cid="<code>", filename="giay-moi.png", disposition="inline")
    _add_calendar(message, settings, guest, REQUEST, now)
    if letter is not None:
        message.add_attachment(letter, maintype="application", subtype="pdf", filename=LETTER_NAME)
    return message


def paper(settings: Settings, guest: Guest, issued: Issued, *, now: datetime) -> Letter:
    """Return what the paper letter says."""
    facts = _facts(settings, guest) | {
        "changed": issued.replaces,
        "check_address": f"{settings.web_url.partition('://')[2]}/verify",
    }
    body, beside, foot = _papers.get_template("letter.txt").render(facts).split("---\n")
    return Letter(
        agency=guest.meeting.agency.name,
        dated=f"{settings.city}, {written_day(now)}",
        title=guest.meeting.title,
        body=body,
        beside=beside,
        foot=foot,
        desk_code=issued.shown.desk_code,
        digits=issued.shown.digits,
        pass_name=issued.row.secret_sha256.hex(),
    )


def spaced(shown: Shown) -> str:
    """Return the number for the desk in two groups, as it is read out."""
    return f"{shown.desk_code[:4]} {shown.desk_code[4:]}".strip()


def written_day(now: datetime) -> str:
    """Return the day as a paper of the state has it: January and February with a nought (Decree 30, Annex I)."""
    today = local(now)
    return (
        f"ngày {today:%d} tháng {today:%m} năm {today:%Y}"
        if today.month <= 2
        else (f"ngày {today:%d} tháng {today.month} năm {today:%Y}")
    )


def cancellation(settings: Settings, guest: Guest, *, now: datetime) -> EmailMessage:
    """Return the mail that takes an invitation back."""
    facts = _facts(settings, guest)
    message = _message(settings, guest, f"[Huỷ] Giấy mời: {guest.meeting.title} – {facts['day']}", now)
    message.set_content(_templates.get_template("cancellation.txt").render(facts), cte=CTE)
    message.add_alternative(_templates.get_template("cancellation.html").render(facts), subtype="html", cte=CTE)
    _add_calendar(message, settings, guest, CANCEL, now)
    return message


def recipient(guest: Guest) -> str:
    """Return where a guest's letters go: who comes along and has no address of their own hears of it from the guest."""
    return guest.email or (guest.of_guest.email if guest.of_guest is not None else "")


def reminder(settings: Settings, guest: Guest, shown: Shown, *, now: datetime) -> EmailMessage:
    """Return the mail that reminds of a meeting: where the code is, not the code."""
    facts = _facts(settings, guest) | {"link": page_address(settings, shown.page_token), "desk_code": spaced(shown)}
    subject = f"[Nhắc lịch] {guest.meeting.title} – {facts['starts']} {facts['day']}"
    message = _message(settings, guest, subject, now)
    message.set_content(_templates.get_template("reminder.txt").render(facts), cte=CTE)
    message.add_alternative(_templates.get_template("reminder.html").render(facts), subtype="html", cte=CTE)
    return message


def page_address(settings: Settings, page_token: str) -> str:
    """Return the address of a guest's page. The token names the page only; the pass's secret is not in it."""
    return f"{settings.web_url}/p/{page_token}"


def calendar(settings: Settings, guest: Guest, method: Method, now: datetime) -> bytes:
    """Return the calendar object: UID stable for a guest and meeting, SEQUENCE rising with each change."""
    meeting, host = guest.meeting, _host(settings)
    made = Calendar()
    made.add("prodid", "-//Ky Vao//vi")
    made.add("version", "2.0")
    made.add("method", method.name)
    event = Event()
    event.add("uid", f"{guest.id}@{host}")
    event.add("sequence", _sequence(guest))
    event.add("dtstamp", now)
    event.add("dtstart", meeting.starts_at.astimezone(CITY_ZONE))
    event.add("dtend", meeting.ends_at.astimezone(CITY_ZONE))
    event.add("summary", meeting.title)
    event.add("status", method.status)
    event.add("location", f"{meeting.room.name}, {meeting.room.building.name}, {meeting.room.building.address}")
    organizer = vCalAddress(f"MAILTO:{settings.mail_from}")
    organizer.params["cn"] = vText(meeting.agency.name)
    event["organizer"] = organizer
    attendee = vCalAddress(f"MAILTO:{recipient(guest)}")
    attendee.params["cn"] = vText(guest.name)
    attendee.params["rsvp"] = vText("FALSE")
    event["attendee"] = attendee
    made.add_component(event)
    made.subcomponents.insert(0, _zone())
    return bytes(made.to_ical())


@cache
def _zone() -> Timezone:
    """The city's own time, which no event is without; working it out takes as long as sealing a letter."""
    return Timezone.from_tzinfo(CITY_ZONE)


def _add_calendar(message: EmailMessage, settings: Settings, guest: Guest, method: Method, now: datetime) -> None:
    content = calendar(settings, guest, method, now)
    # The SMTP policy keeps the line ends that a calendar must have (RFC 5545, 3.1).
    part = EmailMessage(policy=SMTP)
    part.set_content(content.decode(), subtype="calendar", cte="base64")
    part.set_param("method", method.name)
    # Beside text and page, so that a mail program offers the answer buttons; and once more as a file.
    message.attach(part)
    message.add_attachment(content, maintype="application", subtype="ics", filename="giay-moi.ics")


def _message(settings: Settings, guest: Guest, subject: str, now: datetime) -> EmailMessage:
    user, _, domain = settings.mail_from.rpartition("@")
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = Address(guest.meeting.agency.name, user, domain)
    name, _, host = recipient(guest).rpartition("@")
    message["To"] = Address(guest.name, name, host)
    message["Date"] = format_datetime(now)
    # The same at every attempt to send, so that a mail program shows a repeated one once.
    message["Message-ID"] = f"<{guest.id}.{guest.meeting.sequence}.{now:%Y%m%d%H%M%S%f}@{_host(settings)}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


def _facts(settings: Settings, guest: Guest) -> dict[str, object]:
    meeting = guest.meeting
    starts, ends = local(meeting.starts_at), local(meeting.ends_at)
    return {
        "guest": guest,
        "comes_as": _COMES_AS.get(GuestKind(guest.kind), ""),
        "meeting": meeting,
        "day": starts.strftime("%d/%m/%Y"),
        "weekday": _WEEKDAYS[starts.weekday()],
        "starts": starts.strftime("%H:%M"),
        "ends": ends.strftime("%H:%M") if ends.date() == starts.date() else ends.strftime("%H:%M %d/%m/%Y"),
        "building": meeting.room.building,
        "city": settings.city,
        "phone": settings.support_phone,
    }


def _sequence(guest: Guest) -> int:
    # A guest who is taken off the list gets a word of their own, after all that the meeting's changes sent them.
    return guest.meeting.sequence + (1 if guest.removed_at is not None else 0)


def _host(settings: Settings) -> str:
    return settings.mail_from.rpartition("@")[2]
