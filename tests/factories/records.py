"""Documents on their way to number and seal: signed by their head's key, ordered by the clerk, issued by the job."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

from flask import Flask
from flask.ctx import AppContext
from PIL import Image, ImageDraw
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts.models import Account
from app.accounts.passwords import hash_password
from app.certificates import register
from app.certificates.models import Certificate
from app.core import db
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.timestamping import timestamper
from app.demo import official_letter
from app.demo.official_letter import Letter
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion, Level, MadeBy
from app.marks.models import MarkPicture, PictureState
from app.records import issuing, registers, service
from app.records.kinds import Kind
from app.records.models import Entry, IssueRequest
from app.records.service import Wish
from app.records.statement import SealPlace
from app.routes import service as routes_service
from app.routes.models import Act, Route
from app.signing.fields import add_fields
from pki.keys import Curve, SoftwareKey
from pki.pades import fields
from pki.pades.fields import FieldKind, FieldSpec, Lock, create_fields
from pki.pades.finish import finish
from pki.pades.geometry import page_geometries
from pki.pades.open_fields import open_fields
from pki.pades.placement import Corner, Placement, place
from pki.pades.prepare import prepare
from tests.factories import routes
from tests.factories.certificates import actor, issued_to
from tests.factories.routes import Step

PASSWORD = "mot mat khau that dai"
HEAD = Step(Act.SIGN, "hanh")
LETTER = Letter(
    above="UBND THÀNH PHỐ SÔNG BIẾC",
    agency="SỞ KHOA HỌC VÀ CÔNG NGHỆ",
    symbol="KH-SKHCN",
    place="Sông Biếc",
    kind="KẾ HOẠCH",
    subject="Về diễn tập ứng phó sự cố an toàn thông tin",
    paragraphs=("Sở Khoa học và Công nghệ tổ chức diễn tập trong quý I năm 2027.",),
    post="CHÁNH VĂN PHÒNG",
    signer="Lê Thị Mỹ Hạnh",
    recipients=("Như trên", "Lưu: VT, SKHCN"),
)


def storage(settings: Settings) -> Storage:
    return Storage(settings.data_dir / "objects")


def head_key() -> SoftwareKey:
    """Give the head of the demonstration a certificate and return its key."""
    key = SoftwareKey.generate(Curve.P256)
    issued_to("hanh", key)
    return key


def give_password(login: str) -> None:
    with db.transaction() as session:
        session.execute(update(Account).where(Account.login == login).values(password_hash=hash_password(PASSWORD)))


def with_fields(pdf: bytes, head_field: str) -> bytes:
    """Return the paper with the places of all that is to come, as a route that starts makes them where it finds any."""
    pages = page_geometries(BytesIO(pdf))

    def at(x_mm: float, y_mm: float, width_mm: float, height_mm: float) -> Placement:
        return place(
            pages, page=1, corner=Corner.BOTTOM_LEFT, x_mm=x_mm, y_mm=y_mm, width_mm=width_mm, height_mm=height_mm
        )

    specs = [
        FieldSpec(head_field, FieldKind.SIGNATURE, at(130, 40, 40, 20), Lock.ALL_BUT_ISSUE),
        FieldSpec(fields.SEAL, FieldKind.SIGNATURE, at(108, 32, 36, 36), Lock.ALL),
        FieldSpec(fields.NUMBER, FieldKind.TEXT, at(30, 240, 50, 6)),
        FieldSpec(fields.DATE, FieldKind.TEXT, at(110, 240, 70, 6)),
        FieldSpec(fields.CODE, FieldKind.TEXT, at(30, 20, 34, 34)),
    ]
    made = open_fields(BytesIO(pdf))
    return pdf + create_fields(BytesIO(pdf), [spec for spec in specs if spec.name not in made])


def started_as_in_web(settings: Settings) -> AppContext:
    """What a route that starts finds in `web`: where files are stored."""
    web = Flask("records")
    web.extensions["kyvao_storage"] = storage(settings)
    return web.app_context()


def signed_route(settings: Settings, key: SoftwareKey, *, papers: int = 1, in_fields: bool = True) -> UUID:
    """Compose a route, start it, and let the head sign every paper with the key."""
    with started_as_in_web(settings):
        route_id = routes.running(settings, [HEAD], papers=papers, to=["H99.01"])
    for document_id in routes.route(route_id).document_ids:
        sign(settings, document_id, key, in_fields=in_fields)
    return route_id


def signed_letter(settings: Settings, key: SoftwareKey) -> UUID:
    """Let the head sign a paper that is laid out as Decree 30 asks, its fields made where their places are found."""
    route_id = routes.drafted(settings, [HEAD], to=["H99.01"])
    (document_id,) = routes.route(route_id).document_ids
    add_version(settings, document_id, official_letter.render(LETTER), made_by=MadeBy.UPLOAD)
    with started_as_in_web(settings):
        routes.start(route_id)
    with db.transaction() as session:
        route, document = session.get_one(Route, route_id), session.get_one(Document, document_id)
        if document.newest.made_by != MadeBy.FIELDS:
            add_fields(session, storage(settings), actor("minh"), route, document, routes.now())
    sign(settings, document_id, key, in_fields=False)
    return route_id


def sign(
    settings: Settings,
    document_id: UUID,
    key: SoftwareKey,
    *,
    in_fields: bool = True,
    with_certificate_of: str = "hanh",
) -> None:
    """Sign the paper in the field of the head's turn."""
    moment, who = routes.now(), actor("hanh")
    with db.transaction() as session:
        document = session.scalars(
            select(Document).where(Document.id == document_id).with_for_update(of=Document)
        ).one()
        turn = routes_service.turn_of(session, document_id, routes.person_of("hanh"), now=moment)
        assert turn is not None
        certificate = register.current_of_person(session, routes.person_of(with_certificate_of), now=moment)
        assert certificate is not None
        pdf = storage(settings).get(document.newest.sha256)
        if in_fields:
            pdf = with_fields(pdf, turn.field_name)
            _add(session, settings, document, pdf, MadeBy.FIELDS, moment)
        pdf += update_of(settings, pdf, certificate, register.chain_of(session, certificate)[:-1], key, turn.field_name)
        made = _add(session, settings, document, pdf, MadeBy.SIGNATURE, moment)
        routes_service.signed(session, who, turn, document, made, now=moment)


def update_of(
    settings: Settings,
    pdf: bytes,
    certificate: Certificate,
    chain_der: tuple[bytes, ...],
    key: SoftwareKey,
    field_name: str | None,
) -> bytes:
    """Return what follows the file when the key has signed it, with a timestamp."""
    assert certificate.der is not None
    prepared = prepare(BytesIO(pdf), certificate_der=certificate.der, now=routes.now(), field_name=field_name)
    return finish(
        prepared,
        signature_value=key.sign(prepared.signed_attributes_der),
        certificate_der=certificate.der,
        chain_der=chain_der,
        timestamp=timestamper(settings),
    )


def wish(route_id: UUID, **changes: object) -> Wish:
    usual = Wish(
        routes.route(route_id).version, Kind.DECISION, "QĐ-SKHCN", registers.today(routes.now()), SealPlace(0, CORNER)
    )
    return replace(usual, **changes)


CORNER = Corner.BOTTOM_LEFT


def order(
    settings: Settings,
    route_id: UUID,
    *,
    by: str = "thu",
    password: str = PASSWORD,
    at: datetime | None = None,
    **changes: object,
) -> IssueRequest | None:
    """Order the route's papers to be issued, as the page does."""
    with db.transaction() as session:
        return service.request_issue(
            session,
            storage(settings),
            actor(by),
            route_id,
            wish(route_id, **changes),
            password=password,
            now=at or datetime.now(UTC),
        )


def issue(settings: Settings, request_id: UUID, *, at: datetime | None = None) -> Entry | None:
    """Carry the order out, as the job does."""
    with db.transaction() as session:
        return issuing.issue(
            session,
            settings,
            storage(settings),
            request_id,
            timestamp=timestamper(settings),
            now=at or datetime.now(UTC),
        )


def issued(settings: Settings, route_id: UUID, **changes: object) -> Entry:
    """Order and carry out."""
    made = order(settings, route_id, **changes)
    assert made is not None
    entry = issue(settings, made.id)
    assert entry is not None
    return entry


def add_version(settings: Settings, document_id: UUID, pdf: bytes, *, made_by: MadeBy = MadeBy.PROOFS) -> None:
    """Let the paper have another version, however it came about."""
    with db.transaction() as session:
        document = session.scalars(
            select(Document).where(Document.id == document_id).with_for_update(of=Document)
        ).one()
        _add(session, settings, document, pdf, made_by, routes.now())


def newest_file(settings: Settings, document_id: UUID) -> bytes:
    with db.transaction() as session:
        return storage(settings).get(session.get_one(Document, document_id).newest.sha256)


def _add(
    session: Session, settings: Settings, document: Document, pdf: bytes, made_by: MadeBy, now: datetime
) -> DocumentVersion:
    return documents.add_version(
        session,
        document,
        base=document.newest,
        made_by=made_by,
        sha256=storage(settings).put(pdf),
        size=len(pdf),
        pages=1,
        signatures=document.newest.signatures + (made_by is MadeBy.SIGNATURE),
        person_id=routes.person_of("hanh"),
        level=Level.TIMESTAMP if made_by is MadeBy.SIGNATURE else None,
        now=now,
    )


def reserved(
    *, subject: str = "Kế hoạch", by: str = "thu", kind: Kind = Kind.PLAN, at: datetime | None = None
) -> Entry:
    """Keep the next number of the clerk's agency."""
    with db.transaction() as session:
        agency_id = routes.agency_of("H99.02")
        return registers.reserve(
            session, actor(by), agency_id, kind, subject=subject, recipients="", now=at or datetime.now(UTC)
        )


def red_ring() -> bytes:
    """Draw a seal of nobody: a red ring on nothing."""
    picture = Image.new("RGBA", (600, 600))
    ImageDraw.Draw(picture).ellipse((2, 2, 597, 597), outline=(190, 20, 20, 255), width=24)
    output = BytesIO()
    picture.save(output, "PNG")
    return output.getvalue()


def give_seal_picture(code: str, *, diameter_mm: float) -> None:
    """Let the agency have the picture of its seal in use, without the cleaning, which has tests of its own."""
    png, uploader = red_ring(), actor("thu").account_id
    assert uploader is not None
    with db.transaction() as session:
        session.add(
            MarkPicture(
                agency_id=routes.agency_of(code),
                state=PictureState.IN_USE,
                png=png,
                before_png=png,
                width_mm=diameter_mm,
                height_mm=diameter_mm,
                diameter_mm=diameter_mm,
                dpi=400,
                coloured=1.0,
                paper_removed=False,
                uploaded_by=uploader,
                uploaded_at=routes.now(),
                accepted_at=routes.now(),
            )
        )
