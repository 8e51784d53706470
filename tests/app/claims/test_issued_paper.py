"""The code on a paper that was really issued: read from the printed page, checked, compared, and covering nothing."""

from __future__ import annotations

import base64
import hashlib
from io import BytesIO

import pypdfium2
import zxingcpp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from flask.testing import FlaskClient
from PIL import Image, ImageChops
from sqlalchemy import text

from app.claims import tasks
from app.claims.service import PUBLISH_TASK
from app.core import db
from app.core.settings import Settings
from pki import document_claim
from pki.document_claim import ClaimKeys
from pki.keys import SoftwareKey
from tests.app.records.conftest import city, head, settings, status_server
from tests.factories import records, routes

__all__ = ["city", "head", "settings", "status_server"]

DPI = 200


def printed(pdf: bytes) -> Image.Image:
    """The first page as an office printer has it."""
    with pypdfium2.PdfDocument(BytesIO(pdf)) as opened:
        opened.init_forms()
        return opened[0].render(scale=DPI / 72).to_pil().convert("L")


def published(client: FlaskClient) -> ClaimKeys:
    tasks.publish_keys.func(0)
    answer = client.get("/D/keys").get_json()
    key = load_der_public_key(base64.b64decode(answer["key"]))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return document_claim.verify_keys(base64.b64decode(answer["list"]), key)


def test_the_key_of_a_seal_is_published_at_once_when_a_paper_is_issued(
    city: Settings, head: SoftwareKey, client: FlaskClient
) -> None:
    del client
    records.issued(city, records.signed_route(city, head))
    with db.transaction() as session:
        waiting = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo'"
        assert session.scalar(text(waiting), {"task": PUBLISH_TASK}) == 1


def test_the_printed_code_of_an_issued_paper_leads_to_its_original(
    city: Settings, head: SoftwareKey, client: FlaskClient
) -> None:
    route_id = records.signed_route(city, head)
    document_id = routes.route(route_id).document_ids[0]
    signed = records.newest_file(city, document_id)
    entry = records.issued(city, route_id)
    issued = records.newest_file(city, document_id)

    found = zxingcpp.read_barcode(printed(issued))
    assert found is not None
    address, _, code = found.text.partition("#")
    assert address == f"{city.web_url}/D".upper()
    claim, signer = published(client).verify(code)
    assert (claim.number, claim.issued_on) == (entry.label, entry.issued_on)
    assert signer.agency_name == "Sở Khoa học và Công nghệ"
    # The claim is about what the head signed, and the issued file begins with exactly that.
    assert issued[: claim.size] == signed
    assert claim.digest == hashlib.sha256(signed).digest()
    answer = client.post("/D/compare", json={"code": code}).get_json()
    assert (answer["standing"], answer["number"]) == ("in_force", entry.label)


def test_the_code_covers_nothing_of_the_paper(city: Settings, head: SoftwareKey) -> None:
    route_id = records.signed_route(city, head)
    document_id = routes.route(route_id).document_ids[0]
    before = printed(records.newest_file(city, document_id))
    records.issued(city, route_id)
    after = printed(records.newest_file(city, document_id))
    found = zxingcpp.read_barcode(after)
    assert found is not None
    corners = (found.position.top_left, found.position.bottom_right)
    box = (corners[0].x, corners[0].y, corners[1].x, corners[1].y)
    # Where the code stands now there was blank paper, and around it a quiet zone is left.
    assert before.crop(box).getextrema()[0] > 250
    dark = ImageChops.difference(before, after).crop((box[0] - 9, box[1] - 9, box[2] + 9, box[1] - 2))
    assert dark.getextrema()[1] < 10
