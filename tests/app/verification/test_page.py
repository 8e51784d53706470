"""The page of an answer: changed pages side by side, files to keep, and what the register lets us say."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from tempfile import gettempdir
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.claims import service as claims
from app.core import db
from app.core.permissions import house
from app.core.settings import Settings
from app.documents import service as documents
from app.documents.models import MadeBy
from app.verification import page
from pki.document_claim import DocumentClass
from pki.pades.report import PageDifference
from tests.app.verification.test_check import check, main_of, verdict_of
from tests.factories.attacks import with_annotation
from tests.factories.certificates import actor
from tests.factories.documents import plain_pdf
from tests.factories.issued_claims import issue

NOTE = "Theo sổ văn bản của thành phố"


def kept(main: str, ending: str) -> bytes:
    """Return the file of the page that is saved under a name with that ending."""
    found = re.search(rf'href="data:[a-z/]+;base64,([^"]+)" download="kiem-tra-[0-9a-f]{{12}}\.{ending}"', main)
    assert found is not None
    return base64.b64decode(unescape(found[1]))


def test_the_report_can_be_kept_as_xml_and_json(client: FlaskClient, signed_pdf: bytes) -> None:
    main = main_of(check(client, signed_pdf))
    root = ElementTree.fromstring(kept(main, "xml"))
    assert root.tag.endswith("ValidationReport")
    assert json.loads(kept(main, "json"))["verdict"] == "valid"


def test_the_words_of_the_standard_stand_below_the_plain_ones(client: FlaskClient, signed_pdf: bytes) -> None:
    main = main_of(check(client, signed_pdf))
    details = main[main.index("<details") : main.index("</details>")]
    assert "TOTAL-PASSED" in details
    assert "TOTAL-PASSED" not in main[: main.index("<details")]


def test_a_page_that_changed_is_shown_as_signed_and_as_received(client: FlaskClient, signed_pdf: bytes) -> None:
    answer = check(client, with_annotation(signed_pdf))
    assert verdict_of(answer) == "Không hợp lệ"
    main = main_of(answer)
    pictures = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', main)
    assert [alt.split(",")[0] for _, alt in pictures] == ["Trang 1 lúc ký", "Trang 1 của bản bạn nhận được"]
    first, second = (base64.b64decode(unescape(content)) for content, _ in pictures)
    assert first.startswith(b"\x89PNG")
    assert first != second


def test_an_unchanged_page_shows_no_pictures(client: FlaskClient, signed_pdf: bytes) -> None:
    assert "data:image" not in main_of(check(client, signed_pdf))


def test_pictures_that_would_make_the_answer_too_large_are_left_out(web: Flask) -> None:
    large = b"\x89PNG" + bytes(page.MOST_PICTURE_BYTES // 2)
    box = ((0.0, 0.0, 10.0, 10.0),)
    with web.test_request_context():
        shown = page.changed_pages([PageDifference(number, box, (), large, None) for number in (1, 2)])
    assert [one.signed is not None for one in shown] == [True, False]
    assert shown[1].sentence


def test_an_issued_document_is_recognised_as_far_as_its_class_lets(client: FlaskClient, city: Settings) -> None:
    told = main_of(check(client, issue(city).issued))
    assert "Đây đúng là bản phát hành của văn bản số 123/QĐ-SKHCN" in told
    hidden = main_of(check(client, issue(city, number="124/QĐ-SKHCN", document_class=DocumentClass.HIDDEN).issued))
    assert "bản phát hành của một văn bản do thành phố ban hành" in hidden
    assert "124/" not in hidden


def test_what_was_added_behind_an_issued_document_is_told(client: FlaskClient, city: Settings) -> None:
    one = issue(city)
    main = main_of(check(client, one.issued + b"%%EOF\n"))
    assert "Phần đầu của tệp là bản phát hành của văn bản số 123/QĐ-SKHCN" in main


@pytest.mark.parametrize("version", ["upload", "signed"])
def test_what_was_not_issued_is_not_recognised(client: FlaskClient, city: Settings, version: str) -> None:
    one = issue(city)
    assert NOTE not in main_of(check(client, one.signed if version == "signed" else plain_pdf("else")))


def test_a_withdrawn_document_says_so(client: FlaskClient, city: Settings) -> None:
    one = issue(city)
    with db.transaction() as session:
        claims.withdraw(session, actor("minh"), one.document_id, now=datetime(2026, 11, 23, 8, tzinfo=UTC))
    main = main_of(check(client, one.issued))
    assert "đã bị thu hồi lúc 23/11/2026 15:00" in main


def test_nothing_of_a_changed_file_is_kept_in_storage_or_in_the_temporary_folder(
    client: FlaskClient, signed_pdf: bytes, city: Settings
) -> None:
    def stored() -> tuple[set[Path], set[str]]:
        objects = {path for path in (city.data_dir / "objects").rglob("*") if path.is_file()}
        temporary = {one.name for one in Path(gettempdir()).iterdir() if _mentions(one, signed_pdf)}
        return objects, temporary

    before = stored()
    check(client, with_annotation(signed_pdf))
    assert stored() == before


def _mentions(path: Path, pdf: bytes) -> bool:
    """Say whether a file of a temporary folder holds the checked paper."""
    try:
        return path.is_file() and path.stat().st_size < 2**24 and pdf[:4096] in path.read_bytes()
    except OSError:
        return False


def test_what_the_archive_added_to_an_issued_document_is_no_alarm(client: FlaskClient, city: Settings) -> None:
    one = issue(city)
    renewed = one.issued + b"% proofs\n%%EOF\n"
    with db.transaction() as session:
        document = documents.find(session, house("test"), one.document_id, for_change=True)
        documents.add_version(
            session,
            document,
            base=document.newest,
            made_by=MadeBy.PROOFS,
            sha256=hashlib.sha256(renewed).hexdigest(),
            size=len(renewed),
            pages=1,
            signatures=1,
            person_id=document.owner_id,
            now=datetime.now(UTC),
        )
    main = main_of(check(client, renewed))
    assert "kèm bằng chứng lâu dài" in main
    assert "kv-verified-note--alarming" not in main


def test_a_document_that_another_one_replaced_names_it(client: FlaskClient, city: Settings) -> None:
    first = issue(city)
    issue(city, number="125/QĐ-SKHCN", replaces=first.document_id)
    main = main_of(check(client, first.issued))
    assert "đã được thay bằng văn bản số 125/QĐ-SKHCN" in main
    assert "kv-verified-note--alarming" in main
