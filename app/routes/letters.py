"""What people are told by e-mail: their turn, that it is due, what became of their route, what was sent to them.

In Vietnamese first and English below, as no sender knows what the reader reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from app.core.i18n import day
from app.core.settings import Settings
from app.routes.dispatch_models import Dispatch
from app.routes.models import Act, Route, RouteState, RouteStep

_ACTS: Final[Mapping[Act, tuple[str, str]]] = {
    Act.INITIAL: ("ký nháy", "initial"),
    Act.FORMAT: ("kiểm tra thể thức", "check the form of"),
    Act.SIGN: ("ký duyệt", "sign"),
}
_NEWS: Final[Mapping[RouteState, tuple[str, str]]] = {
    RouteState.DECLINED: ("bị trả lại", "was sent back to you"),
    RouteState.SIGNED: ("đã ký duyệt xong, đang chờ văn thư vào số và đóng dấu", "is signed and waits for its number"),
    RouteState.ISSUED: ("đã ban hành và gửi đến nơi nhận", "was issued and sent to its recipients"),
}


@dataclass(frozen=True)
class Reader:
    name: str
    email: str


@dataclass(frozen=True)
class Text:
    """A letter in both languages: subject, what happened, where to go."""

    subject: str
    vietnamese: str
    english: str
    address: str


def turn(settings: Settings, step: RouteStep, *, absent: str | None) -> Text:
    """It is the reader's turn, or that of somebody whom they stand in for."""
    act, act_english = _ACTS[Act(step.act)]
    title, drafter = step.route.title, step.route.drafter.full_name
    instead, instead_english = (f" thay {absent}", f" for {absent}") if absent else ("", "")
    until, until_english = (f" Hạn xử lý: hết ngày {_last_day(step)}.", f" Due by the end of {_last_day(step)}.")
    if step.due_at is None:
        until = until_english = ""
    return Text(
        f"Đến lượt bạn {act}: {title}",
        f"Văn bản “{title}” do {drafter} trình đang chờ bạn {act}{instead}.{until}",
        f"The document “{title}” drafted by {drafter} waits for you to {act_english} it{instead_english}."
        f"{until_english}",
        route_address(settings, step.route),
    )


def reminder(settings: Settings, step: RouteStep, *, overdue: bool) -> Text:
    """The reader's turn is due today, or was due before."""
    act, act_english = _ACTS[Act(step.act)]
    title = step.route.title
    word, word_english = ("đã quá hạn", "is overdue") if overdue else ("đến hạn hôm nay", "is due today")
    return Text(
        f"[Nhắc việc] {title} {word}",
        f"Văn bản “{title}” chờ bạn {act}, {word} (hạn: hết ngày {_last_day(step)}).",
        f"The document “{title}” waits for you to {act_english} it and {word_english} ({_last_day(step)}).",
        route_address(settings, step.route),
    )


def news(settings: Settings, route: Route) -> Text:
    """What became of the reader's route."""
    happened, happened_english = _NEWS[RouteState(route.state)]
    why, why_english = (f" Lý do: {route.reason}", f" Reason: {route.reason}") if route.reason else ("", "")
    return Text(
        f"Văn bản {happened.partition(',')[0]}: {route.title}",
        f"Văn bản “{route.title}” {happened}.{why}",
        f"The document “{route.title}” {happened_english}.{why_english}",
        route_address(settings, route),
    )


def to_issue(settings: Settings, route: Route) -> Text:
    """A clerk has a document to number and seal."""
    return Text(
        f"Chờ vào số và đóng dấu: {route.title}",
        f"Văn bản “{route.title}” đã ký duyệt xong, đang chờ bạn vào số, ghi ngày và đóng dấu.",
        f"The document “{route.title}” is signed and waits for you to number, date and seal it.",
        route_address(settings, route),
    )


def arrived(settings: Settings, found: Dispatch) -> Text:
    """An issued document lies in the agency's inbox."""
    route = found.route
    return Text(
        f"Văn bản đến: {route.title}",
        f"{route.agency.name} gửi đến {found.recipient} văn bản “{route.title}”. Xin mở để xác nhận đã nhận.",
        f"{route.agency.name} sent “{route.title}” to {found.recipient}. Please open it and acknowledge it.",
        f"{settings.web_url}/inbox/{found.id}",
    )


def link(settings: Settings, found: Dispatch, token: str) -> Text:
    """Somebody outside the city gets a document by a link that is theirs alone."""
    route = found.route
    until = day(found.expires_at) if found.expires_at else ""
    return Text(
        f"{route.agency.name} gửi văn bản: {route.title}",
        f"{route.agency.name} gửi bạn văn bản “{route.title}”. Mở liên kết dưới đây để xem và tải về; liên kết dùng"
        f" được đến ngày {until} và chỉ dành cho bạn.",
        f"{route.agency.name} sent you “{route.title}”. Open the link below to read and download it; it works until"
        f" {until} and is for you alone.",
        f"{settings.web_url}/doc/{token}",
    )


def message(settings: Settings, reader: Reader, text: Text, *, message_id: str, now: datetime) -> EmailMessage:
    """Return the letter as it goes over the wire."""
    user, _, domain = settings.mail_from.rpartition("@")
    name, _, host = reader.email.rpartition("@")
    made = EmailMessage()
    made["Subject"] = text.subject
    made["From"] = Address(settings.city, user, domain)
    made["To"] = Address(reader.name, name, host)
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{message_id}@{domain or 'localhost'}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(
        f"Kính gửi {reader.name},\n\n{text.vietnamese}\n\n{text.address}\n\nThư này không hỏi mật khẩu của bạn. Cần"
        f" giúp đỡ, xin gọi {settings.support_phone}.\n\n{settings.city}\n\n--\n{text.english}\n\n{text.address}\n"
        f"Help: {settings.support_phone}.\n",
        cte="quoted-printable",
    )
    return made


def route_address(settings: Settings, route: Route) -> str:
    return f"{settings.web_url}/routes/{route.id}"


def _last_day(step: RouteStep) -> str:
    return day(step.last_day) if step.last_day else ""
