"""Papers of the demonstration city on their way: one waits for a check, one for its head, one came back.

They walk the real way, in this process: composed, started and declined by the people of the city.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.core.db import transaction
from app.core.permissions import Actor
from app.core.settings import Settings
from app.core.storage import Storage
from app.demo import official_letter
from app.demo.official_letter import Letter
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion, MadeBy
from app.registry import service as registry
from app.registry.models import Agency, Post
from app.registry.search import fold
from app.routes import dispatch, drafts, service
from app.routes.drafts import NewStep
from app.routes.models import Act, Route
from app.signing import fields

_TEMPLATE: Final = "Văn bản của Sở trình Văn phòng ký"


@dataclass(frozen=True)
class _Paper:
    title: str
    kind: str
    symbol: str
    paragraphs: Sequence[str]
    # Act, login, and working days.
    steps: Sequence[tuple[Act, str, int]]
    # Why its head sends it back; None when it stays under way.
    declined: str | None = None


PAPERS: Final = (
    _Paper(
        "Về kinh phí tổ chức Ngày hội Chuyển đổi số năm 2027",
        "TỜ TRÌNH",
        "TTr-SKHCN",
        (
            (
                "Thực hiện Kế hoạch chuyển đổi số của Thành phố, Sở Khoa học và Công nghệ xây dựng phương án tổ chức"
                " Ngày hội Chuyển đổi số năm 2027 tại Trung tâm Hội nghị Thành phố trong hai ngày."
            ),
            (
                "Tổng kinh phí dự kiến là 850 triệu đồng, bố trí trong dự toán ngân sách đã giao cho Sở. Chi tiết từng"
                " hạng mục nêu trong phụ lục kèm theo."
            ),
            "Kính trình Văn phòng Ủy ban nhân dân Thành phố xem xét, quyết định.",
        ),
        ((Act.FORMAT, "thu", 1), (Act.SIGN, "hanh", 2)),
    ),
    _Paper(
        "Về cấp chứng thư số cho công chức phường, xã",
        "KẾ HOẠCH",
        "KH-SKHCN",
        (
            (
                "Kế hoạch này phân công việc cấp chứng thư số cho công chức của các phường, xã trong quý I năm 2027,"
                " gồm ba đợt, mỗi đợt hai tuần."
            ),
            (
                "Cán bộ đăng ký đối chiếu danh sách với hồ sơ công chức trước mỗi đợt; văn thư phường, xã hướng dẫn"
                " công chức tạo khoá trên thiết bị của mình."
            ),
            "Sở Khoa học và Công nghệ báo cáo kết quả sau mỗi đợt.",
        ),
        ((Act.SIGN, "hanh", 3),),
    ),
    _Paper(
        "Kết quả thực hiện ký số tháng 10 năm 2026",
        "BÁO CÁO",
        "BC-SKHCN",
        (
            (
                "Trong tháng 10 năm 2026, các cơ quan của Thành phố đã ký số và ban hành 4.210 văn bản, tăng 6% so với"
                " tháng trước."
            ),
            "Một số đơn vị còn trả lại văn bản vì sai thể thức; Sở đã tổ chức hai buổi hướng dẫn cho văn thư.",
        ),
        ((Act.SIGN, "hanh", 2),),
        "Số liệu của phường Cầu Tre chưa khớp với phụ lục, đề nghị rà soát lại.",
    ),
)


def create(settings: Settings, *, now: datetime) -> None:
    """Send the papers on their routes unless there is a route already."""
    storage = Storage(settings.data_dir / "objects")
    with transaction() as session:
        if session.scalar(select(Route.id).limit(1)) is not None:
            return
        drafter = _actor(session, "minh")
        started = [_start(session, storage, drafter, paper, now=now) for paper in PAPERS]
        drafts.save_as_template(session, drafter, started[0], name=_TEMPLATE, now=now)
        for route, paper in zip(started, PAPERS, strict=True):
            if paper.declined is not None:
                head = _actor(session, "hanh")
                service.decline(session, head, route.id, reason=paper.declined, route_version=route.version, now=now)


def _start(session: Session, storage: Storage, drafter: Actor, paper: _Paper, *, now: datetime) -> Route:
    route = drafts.create(
        session, drafter, _document(session, storage, drafter, paper, now=now), template_id=None, now=now
    )
    for act, login, days in paper.steps:
        step = NewStep(act, _post(session, login), by_post=act is Act.SIGN, beside=False, days=days)
        drafts.add_step(session, drafter, route.id, step)
    ward = session.scalars(select(Agency).where(Agency.code == "H99.01")).one()
    dispatch.add_agency(session, route, ward.id)
    started = service.start(session, drafter, route.id, route_version=route.version, now=now)
    for document_id in started.document_ids:
        document = documents.find(session, drafter, document_id, for_change=True)
        fields.add_fields(session, storage, drafter, started, document, now)
    return started


def _document(session: Session, storage: Storage, drafter: Actor, paper: _Paper, *, now: datetime) -> UUID:
    """Store a paper of the city's own making; one from outside would be opened in the limited process."""
    if drafter.person_id is None:
        raise LookupError(drafter.label)
    owner, head = registry.person(session, drafter.person_id), _person_named(session, "hanh")
    post = owner.current_post
    if post is None:
        raise LookupError(drafter.label)
    pdf = official_letter.render(
        Letter(
            above="UBND THÀNH PHỐ SÔNG BIẾC",
            agency=post.agency.name.upper(),
            symbol=paper.symbol,
            place="Sông Biếc",
            kind=paper.kind,
            subject=paper.title,
            paragraphs=paper.paragraphs,
            post="CHÁNH VĂN PHÒNG",
            signer=head,
            recipients=("Như trên", "Văn phòng Ủy ban nhân dân", f"Lưu: VT, {paper.symbol.rpartition('-')[2]}"),
        )
    )
    title = f"{paper.kind.capitalize()} {paper.title[0].lower()}{paper.title[1:]}"
    document = Document(
        title=title, search_title=fold(title), agency_id=post.agency_id, owner_id=owner.id, created_at=now
    )
    session.add(document)
    session.flush()
    session.add(
        DocumentVersion(
            document_id=document.id,
            number=1,
            sha256=storage.put(pdf),
            size=len(pdf),
            pages=1,
            signatures=0,
            made_by=MadeBy.UPLOAD,
            person_id=owner.id,
            made_at=now,
        )
    )
    session.flush()
    return document.id


def _actor(session: Session, login: str) -> Actor:
    account = accounts.find_account(session, login)
    if account is None:
        raise LookupError(login)
    return accounts.actor_of(account)


def _person_named(session: Session, login: str) -> str:
    person_id = _actor(session, login).person_id
    if person_id is None:
        raise LookupError(login)
    return registry.person(session, person_id).full_name


def _post(session: Session, login: str) -> UUID:
    person_id = _actor(session, login).person_id
    return session.scalars(select(Post.id).where(Post.person_id == person_id, Post.ended_at.is_(None))).one()
