"""The people and agencies of the demonstration city. All names are invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence
from app.core.permissions import Role


@dataclass(frozen=True)
class DemoAgency:
    code: str
    name: str
    parent: str | None


@dataclass(frozen=True)
class DemoPerson:
    login: str
    surname: str
    given_name: str
    # Role, and the agency it is granted over; None is the whole city.
    grants: tuple[tuple[Role, str | None], ...]
    # Agency and title of the post; None for a citizen.
    post: tuple[str, str] | None
    calls_self: str
    comes_to: Sentence


# Of the clerks, who confirm with it what they issue.
PASSWORD: Final = "song biec trinh dien"  # noqa: S105  shown on the start page

AGENCIES: Final = (
    DemoAgency("H99", "Ủy ban nhân dân Thành phố Sông Biếc", None),
    DemoAgency("H99.01", "Văn phòng Ủy ban nhân dân", "H99"),
    DemoAgency("H99.02", "Sở Khoa học và Công nghệ", "H99"),
    DemoAgency("H99.03", "Ủy ban nhân dân phường Bến Đỏ", "H99"),
    DemoAgency("H99.04", "Ủy ban nhân dân phường Cầu Tre", "H99"),
    DemoAgency("H99.05", "Ủy ban nhân dân xã Hòa Bình", "H99"),
)

PEOPLE: Final = (
    DemoPerson(
        "lan",
        "Nguyễn Thị",
        "Lan",
        ((Role.CITIZEN, None),),
        None,
        "Bà Lan",
        _l("Citizen. Asks for a certificate, gets an invitation."),
    ),
    DemoPerson(
        "minh",
        "Trần Văn",
        "Minh",
        ((Role.OFFICIAL, "H99.02"),),
        ("H99.02", "Chuyên viên"),
        "Ông Minh",
        _l("Official. Signs papers, calls meetings."),
    ),
    DemoPerson(
        "hanh",
        "Lê Thị Mỹ",
        "Hạnh",
        ((Role.OFFICIAL, "H99.01"),),
        ("H99.01", "Chánh Văn phòng"),
        "Bà Hạnh",
        _l("Head of office. Signs as the second official."),
    ),
    DemoPerson(
        "thu",
        "Phạm Minh",
        "Thư",
        ((Role.CLERK, "H99.02"),),
        ("H99.02", "Văn thư"),
        "Cô Thư",
        _l("Clerk. Keeps meetings and guest lists."),
    ),
    DemoPerson(
        "nga",
        "Bùi Thuý",
        "Nga",
        ((Role.CLERK, "H99.03"),),
        ("H99.03", "Công chức tư pháp - hộ tịch"),
        "Chị Nga",
        _l("Clerk of a ward. Publishes forms, works on what citizens send."),
    ),
    DemoPerson(
        "dung",
        "Võ Tiến",
        "Dũng",
        ((Role.REGISTRATION_OFFICER, None),),
        ("H99.01", "Cán bộ đăng ký"),
        "Anh Dũng",
        _l("Registration officer. Approves or refuses requests."),
    ),
    DemoPerson(
        "hai",
        "Ngô Thị",
        "Hải",
        ((Role.REGISTRATION_OFFICER, None),),
        ("H99.03", "Cán bộ đăng ký"),
        "Chị Hải",
        _l("Second registration officer. Approves what her colleague asks for."),
    ),
    DemoPerson(
        "bao",
        "Đặng Quốc",
        "Bảo",
        ((Role.GUARD, "H99"),),
        ("H99.01", "Bảo vệ"),
        "Anh Bảo",
        _l("Guard. Scans invitations at the gate."),
    ),
    DemoPerson(
        "oanh",
        "Hoàng Kim",
        "Oanh",
        ((Role.ADMINISTRATOR, None),),
        ("H99", "Quản trị viên"),
        "Bà Oanh",
        _l("Administrator. Revokes certificates, enrols tablets."),
    ),
    DemoPerson(
        "ngan",
        "Bùi Thị",
        "Ngân",
        ((Role.ADMINISTRATOR, None),),
        ("H99.02", "Quản trị viên"),
        "Cô Ngân",
        _l("Second administrator. Nothing sensitive happens without her."),
    ),
    DemoPerson(
        "khoa",
        "Bùi Đăng",
        "Khoa",
        ((Role.AUDITOR, None),),
        ("H99", "Kiểm tra viên"),
        "Ông Khoa",
        _l("Auditor. Reads the log of acts."),
    ),
)
