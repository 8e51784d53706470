"""A head's own signature and an agency's own seal on an issued letter, measured on paper (Decree 30, Annex I)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from PIL import Image, ImageChops

from app.core import db
from app.core.settings import Settings
from app.demo import official_letter
from app.documents.models import Document, MadeBy
from app.marks import service as marks
from app.marks.service import Owner
from app.records.kinds import Kind
from app.routes.models import Route
from app.signing.fields import add_fields
from pki.layout.signature_block import SignatureBlock, find_signature_block, overlap_of
from pki.pades.geometry import page_geometries
from pki.pades.placement import Rectangle
from tests.app.signing.conftest import Signer
from tests.factories import documents, records, routes
from tests.factories.certificates import actor
from tests.factories.pictures import jpeg, on_paper, png, stamp, strokes

SignIn = Callable[[str], FlaskClient]
DPI = 254
PER_MM = DPI / 25.4
SEAL_MM = 34.0


def accepted(owner: Owner, login: str, content: bytes, diameter_mm: float | None = None) -> None:
    with db.transaction() as session:
        at = datetime.now(UTC)
        made = marks.propose(session, actor(login), owner, content, diameter_mm=diameter_mm, now=at)
        marks.accept(session, actor(login), made, now=at)


def letter_on_its_way(settings: Settings) -> tuple[UUID, UUID]:
    """Return a route and its paper, laid out as Decree 30 asks, with its fields; it is the head's turn."""
    route_id = routes.drafted(settings, [records.HEAD], to=["H99.01"])
    (document_id,) = routes.route(route_id).document_ids
    records.add_version(settings, document_id, official_letter.render(records.LETTER), made_by=MadeBy.UPLOAD)
    with records.started_as_in_web(settings):
        routes.start(route_id)
    with db.transaction() as session:
        route, document = session.get_one(Route, route_id), session.get_one(Document, document_id)
        if document.newest.made_by != MadeBy.FIELDS:
            add_fields(session, records.storage(settings), actor("minh"), route, document, routes.now())
    return route_id, document_id


def newest(settings: Settings, document_id: UUID) -> tuple[int, bytes]:
    with db.transaction() as session:
        version = session.get_one(Document, document_id).newest
        return version.number, records.storage(settings).get(version.sha256)


def pictured(pdf: bytes, folder: Path) -> Image.Image:
    (folder / "letter.pdf").write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", str(DPI), "-l", "1", "-singlefile", "-png", "letter.pdf", "letter"], cwd=folder, check=True
    )
    return Image.open(folder / "letter.png").convert("RGB")


def ink(picture: Image.Image, *, more: int, less: int) -> Rectangle:
    """Return the box, in millimetres from the lower left, of what has more of one colour than of another."""
    channels = picture.split()
    strong = ImageChops.subtract(channels[more], channels[less]).point([255 if one > 80 else 0 for one in range(256)])
    box = strong.getbbox()
    assert box is not None
    left, top, right, bottom = (edge / PER_MM for edge in box)
    height = picture.height / PER_MM
    return (left, height - bottom, right, height - top)


def block_of(pdf: bytes) -> SignatureBlock:
    found = find_signature_block(BytesIO(pdf), page_geometries(BytesIO(pdf)), records.LETTER.signer)
    assert found is not None
    return found


def test_on_an_issued_letter_signature_and_seal_stand_as_the_decree_measures_them(
    city: Settings, hanh: Signer, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KYVAO_STATUS_INTERNAL_URL", city.status_internal_url)
    records.give_password("thu")
    accepted(Owner(person_id=routes.person_of("hanh")), "hanh", jpeg(on_paper(strokes())))
    accepted(Owner(agency_id=routes.agency_of("H99.02")), "thu", png(stamp()), SEAL_MM)
    route_id, document_id = letter_on_its_way(city)
    number, pdf = newest(city, document_id)
    block = block_of(pdf)
    client = sign_in("hanh")
    ruler = documents.prepare(client, document_id, hanh.certificate, baseNumber=number).get_json()["ruler"]
    assert [one["sentence"] for one in ruler][-1] == "Đường kính con dấu 34,0 mm"
    signed = documents.signed(client, document_id, hanh.certificate, hanh.key, baseNumber=number)
    blue = ink(pictured(signed, tmp_path), more=2, less=0)
    # Centred on the name, in the middle of the gap, touching neither line.
    assert (blue[0] + blue[2]) / 2 == pytest.approx((block.name[0] + block.name[2]) / 2, abs=0.5)
    assert (blue[1] + blue[3]) / 2 == pytest.approx((block.name[3] + block.above[1]) / 2, abs=0.5)
    assert blue[2] - blue[0] <= 40.3
    assert block.name[3] < blue[1] < blue[3] < block.above[1]
    records.issued(city, route_id, kind=Kind.PLAN, symbol="KH-SKHCN")
    red = ink(pictured(newest(city, document_id)[1], tmp_path), more=0, less=2)
    assert red[2] - red[0] == pytest.approx(SEAL_MM, abs=0.3)
    assert red[3] - red[1] == pytest.approx(SEAL_MM, abs=0.3)
    assert 0.28 <= overlap_of(red, blue) <= 0.38
    assert (red[1] + red[3]) / 2 == pytest.approx((blue[1] + blue[3]) / 2, abs=0.5)


def test_where_the_signer_chooses_the_place_the_picture_stands_beside_the_text(
    city: Settings, minh: Signer, sign_in: SignIn, tmp_path: Path
) -> None:
    accepted(Owner(person_id=routes.person_of("minh")), "minh", png(strokes()))
    client = sign_in("minh")
    document_id = documents.uploaded(client)
    assert documents.prepare(client, document_id, minh.certificate).get_json()["ruler"] == []
    signed = documents.signed(client, document_id, minh.certificate, minh.key)
    picture = pictured(signed, tmp_path)
    # Bottom right, 20 mm from the side and 40 mm from below: the pen's strokes fill the left of the mark, the text
    # the rest; without a picture the text would begin at its left edge.
    left = int((210 - 20 - 66 + 3) * PER_MM)
    top, bottom = (int((297 - 40 - height) * PER_MM) for height in (18, 4))
    strokes_there = picture.crop((left, top, left + int(20 * PER_MM), bottom))
    pen = ImageChops.subtract(strokes_there.split()[2], strokes_there.split()[0]).getbbox()
    assert pen is not None
    text = subprocess.run(["pdftotext", "letter.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Trần Văn Minh" in text.stdout
