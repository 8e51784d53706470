"""Documents of the demonstration city on their whole way, by the services: composed, initialled, signed, issued.

Every signature is prepared in the limited process and made by the signer's own key, as a browser's is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import pikepdf
from pikepdf import Array, Dictionary, Name

from app import create_app
from app.certificates import register
from app.core import db
from app.core.settings import Settings
from app.core.timestamping import timestamper
from app.demo import official_letter
from app.documents import service as documents
from app.documents.models import MadeBy
from app.records.kinds import Kind
from app.routes.models import Act
from app.signing import service as signing
from app.signing.preparation import Place
from pki.keys import Curve, SoftwareKey
from pki.pades.placement import Corner
from tests.factories import records, routes
from tests.factories.certificates import actor, issued_to
from tests.factories.documents import answer_of, plain_pdf
from tests.factories.routes import Step

# By login.
Keys = Mapping[str, SoftwareKey]


@dataclass(frozen=True)
class IssuedPaper:
    """One issued file, and what somebody needs to judge it alone."""

    pdf: bytes
    # The revision that the head signed; the issued file begins with it.
    signed: bytes
    # Signatures in it, the seal included, its document timestamp not.
    signatures: int
    roots_der: Sequence[bytes]
    between_der: Sequence[bytes]


def staff() -> Keys:
    """Give the clerk a password and the agency a red seal of 35 mm; return the keys of who initials and signs."""
    records.give_password("thu")
    records.give_seal_picture("H99.02", diameter_mm=35.0)
    routes.official("binh", "Đỗ Thanh Bình", title="Phó Giám đốc")
    routes.official("mai", "Phan Ngọc Mai", title="Trưởng phòng")
    keys = {login: SoftwareKey.generate(Curve.P256) for login in ("hanh", "binh", "mai")}
    for login, key in keys.items():
        issued_to(login, key)
    return keys


def letter(settings: Settings, keys: Keys) -> list[IssuedPaper]:
    """Issue an official letter of one page: a head, number, day, code and seal."""
    with create_app(settings).app_context():
        route_id = routes.drafted(settings, [records.HEAD], to=["H99.01"])
        _replace(settings, routes.route(route_id).document_ids[0], official_letter.render(records.LETTER))
        routes.start(route_id)
        return _issued(settings, route_id, keys, ["hanh"])


def envelope(settings: Settings, keys: Keys) -> list[IssuedPaper]:
    """Issue a letter with a second page that lies on its side, initialled twice, with an attachment of two pages."""
    steps = [Step(Act.INITIAL, "mai"), Step(Act.INITIAL, "binh"), records.HEAD]
    with create_app(settings).app_context():
        route_id = routes.drafted(settings, steps, to=["H99.01"], papers=2)
        main, attachment = routes.route(route_id).document_ids
        _replace(settings, main, with_page_on_its_side(official_letter.render(records.LETTER)))
        _replace(settings, attachment, turned(plain_pdf("Phu luc", pages=2)))
        routes.start(route_id)
        return _issued(settings, route_id, keys, ["mai", "binh", "hanh"])


def two_heads(settings: Settings, keys: Keys) -> list[IssuedPaper]:
    """Issue a paper without any text to find places by, signed by two heads one after the other."""
    with create_app(settings).app_context():
        route_id = routes.running(settings, [records.HEAD, Step(Act.SIGN, "binh")], to=["H99.01"])
        return _issued(settings, route_id, keys, ["hanh", "binh"])


def sign(settings: Settings, document_id: UUID, login: str, key: SoftwareKey, *, place: Place) -> None:
    """Put the signature of the person's turn into the paper, through both halves of signing."""
    storage, who, moment = records.storage(settings), actor(login), datetime.now(UTC)
    with db.transaction() as session:
        certificate = register.current_of_person(session, routes.person_of(login), now=moment)
        assert certificate is not None
        assert certificate.sha256 is not None
        newest = documents.find(session, who, document_id).newest.number
        wish = signing.Wish(certificate.sha256, newest, place, None)
        prepared = signing.prepare(session, storage, who, document_id, wish, now=moment)
    with db.transaction() as session:
        signing.complete(
            session,
            storage,
            who,
            prepared.session_id,
            signature_value=answer_of(key, prepared.signature.signed_attributes_der),
            timestamp=timestamper(settings),
            now=datetime.now(UTC),
        )


def with_page_on_its_side(pdf: bytes) -> bytes:
    """Return the file with a second page of a smaller, offset box that is shown turned by 90 degrees."""
    output = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as opened, pikepdf.open(BytesIO(plain_pdf("Bang so lieu"))) as other:
        opened.pages.append(other.pages[0])
        page = opened.pages[1].obj
        page.Rotate, page.MediaBox, page.CropBox = 90, Array([-10, -20, 585, 822]), Array([0, 0, 560, 800])
        opened.save(output, deterministic_id=True)
    return output.getvalue()


def turned(pdf: bytes) -> bytes:
    """Return the file with its first page shown turned by 270 degrees."""
    output = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as opened:
        opened.pages[0].obj.Rotate = 270
        opened.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True, NonFullScreenPageMode=Name.UseNone)
        opened.save(output, deterministic_id=True)
    return output.getvalue()


def _replace(settings: Settings, document_id: UUID, pdf: bytes) -> None:
    """Let the paper have these pages from the beginning."""
    records.add_version(settings, document_id, pdf, made_by=MadeBy.UPLOAD)


def _issued(settings: Settings, route_id: UUID, keys: Keys, signers: Sequence[str]) -> list[IssuedPaper]:
    papers = routes.route(route_id).document_ids
    for number, login in enumerate(signers):
        for document_id in papers:
            # Where a paper has a place of its own for the signature, this one is not used.
            sign(settings, document_id, login, keys[login], place=Place(1, Corner.BOTTOM_RIGHT, 20, 60 + 30 * number))
    signed = [records.newest_file(settings, document_id) for document_id in papers]
    records.issued(settings, route_id, kind=Kind.PLAN, symbol="KH-SKHCN")
    with db.transaction() as session:
        roots, between = register.trust_material(session)
    return [
        IssuedPaper(records.newest_file(settings, document_id), before, len(signers) + 1, roots, between)
        for document_id, before in zip(papers, signed, strict=True)
    ]
