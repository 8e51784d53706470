"""Files of campaigns, good and hostile, and campaigns made from them."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from openpyxl import Workbook
from sqlalchemy import select

from app.campaigns import check_job, service
from app.campaigns.models import Campaign, Mode, Row
from app.core import db
from app.core.settings import Settings
from app.core.storage import Storage
from pki.keys import Curve, SoftwareKey
from pki.profiles import ProfileName
from tests.factories.certificates import actor
from tests.factories.csrs import csr_der

HEAD = ("Số CCCD", "Họ và tên đệm", "Tên", "E-mail", "Mã đơn vị", "Đồng ý")
WARD = "H99.03"


def number(order: int) -> str:
    """Return a citizen number, another for each `order`."""
    return f"079090{order:06d}"


def person(order: int, **changes: str) -> list[str]:
    cells = {
        "number": number(order),
        "surname": "Nguyễn Thị",
        "given": "Lan",
        "email": f"p{order}@example.vn",
        "agency": WARD,
        "consent": "có",
        **changes,
    }
    return [cells[name] for name in ("number", "surname", "given", "email", "agency", "consent")]


def people(count: int, *, first: int = 1) -> list[list[str]]:
    return [person(order) for order in range(first, first + count)]


def csv_of(rows: Iterable[Sequence[str]], *, head: Sequence[str] = HEAD, delimiter: str = ",") -> bytes:
    lines = [delimiter.join(f'"{cell}"' for cell in row) for row in (head, *rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def xlsx_of(rows: Iterable[Sequence[object]], *, head: Sequence[str] = HEAD) -> bytes:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Danh sách")
    for row in (head, *rows):
        sheet.append(list(row))
    output = io.BytesIO()
    workbook.save(output)
    return output.getvalue()


def workbook_with(part: str, content: bytes, *, base: bytes | None = None) -> bytes:
    """Return a workbook in which one part is replaced or added."""
    source = zipfile.ZipFile(io.BytesIO(base or xlsx_of(people(2))))
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as made:
        for info in source.infolist():
            if info.filename != part:
                made.writestr(info.filename, source.read(info))
        made.writestr(part, content)
    return output.getvalue()


def request_text(key: SoftwareKey | None = None) -> str:
    """Return a certification request as base64."""
    return base64.b64encode(csr_der(key or SoftwareKey.generate(Curve.P256), "x")).decode()


def make(
    settings: Settings,
    content: bytes,
    *,
    by: str = "dung",
    mode: Mode = Mode.INVITE,
    profile: ProfileName = ProfileName.CITIZEN_SIGNING,
    agency_id: UUID | None = None,
    letters_only: bool = False,
) -> UUID:
    """Upload a file for a new campaign and return it, not checked yet."""
    digest = Storage(settings.data_dir / "objects").put(content)
    plan = service.Plan("Chữ ký cho phường", mode, profile, agency_id, letters_only=letters_only)
    with db.transaction() as session:
        file = service.UploadedFile("danh-sach.csv", digest)
        return service.create(session, actor(by), plan, file, now=now()).id


def checked(settings: Settings, content: bytes, **arguments: object) -> UUID:
    campaign_id = make(settings, content, **arguments)  # type: ignore[arg-type]  # the arguments of `make`
    check_job.run(settings, campaign_id, now)
    return campaign_id


def campaign(campaign_id: UUID) -> Campaign:
    with db.transaction() as session:
        return session.get_one(Campaign, campaign_id)


def rows(campaign_id: UUID) -> Sequence[Row]:
    with db.transaction() as session:
        return session.scalars(select(Row).where(Row.campaign_id == campaign_id).order_by(Row.number)).all()


def reasons(campaign_id: UUID) -> list[str | None]:
    return [row.reason for row in rows(campaign_id)]


def now() -> datetime:
    return datetime.now(UTC)
