"""Bringing a paper: what is stored, and what is refused in a sentence that says what to do."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from flask.testing import FlaskClient
from pyhanko.sign.fields import MDPPerm
from sqlalchemy import func, select

from app.core import db
from app.core.settings import Settings
from app.documents import conversion
from app.documents.models import Document
from tests.factories import form_pdfs
from tests.factories.documents import encrypted_pdf, plain_pdf, scripted_pdf, upload, uploaded
from tests.factories.office import docx
from tests.factories.pdfs import certified

pytestmark = pytest.mark.usefixtures("city")

SignIn = Callable[[str], FlaskClient]


def count_of_documents() -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).select_from(Document)) or 0


def test_an_uploaded_paper_stands_in_the_list_and_can_be_downloaded(sign_in: SignIn) -> None:
    client = sign_in("minh")
    document_id = uploaded(client, plain_pdf(pages=3), title="Quyết định về họp")
    assert "Quyết định về họp" in client.get("/documents?q=quyet dinh").get_data(as_text=True)
    answer = client.get(f"/documents/{document_id}/download")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with pikepdf.open(BytesIO(answer.get_data())) as pdf:
        assert len(pdf.pages) == 3


def test_a_paper_without_signatures_is_rewritten_once_so_that_hidden_bytes_are_gone(sign_in: SignIn) -> None:
    client = sign_in("minh")
    document_id = uploaded(client, plain_pdf() + b"\n% hidden behind the end\n")
    assert b"hidden behind the end" not in client.get(f"/documents/{document_id}/content").get_data()


def test_a_file_that_cannot_be_signed_is_refused_and_nothing_is_stored(sign_in: SignIn, settings: Settings) -> None:
    client, before = sign_in("minh"), stored(settings)
    files = {
        "không phải là PDF": [b"hello", b""],
        "không đặt được chữ ký": [plain_pdf()[:300]],
        "mật khẩu": [encrypted_pdf()],
        "khoá tệp": [certified(MDPPerm.NO_CHANGES)],
    }
    for sentence, pdfs in files.items():
        for pdf in pdfs:
            answer = upload(client, pdf)
            assert answer.status_code == 422
            assert sentence in answer.get_data(as_text=True)
    assert count_of_documents() == 0
    assert stored(settings) == before


def stored(settings: Settings) -> set[Path]:
    """The files in storage; the demonstration's own papers among them."""
    return {path for path in (settings.data_dir / "objects").rglob("*") if path.is_file()}


def test_a_file_over_100_megabytes_is_refused_with_the_limit(sign_in: SignIn) -> None:
    answer = upload(sign_in("minh"), b"%PDF-1.7\n" + bytes(100 * 1024 * 1024))
    assert answer.status_code == 413
    assert "100 MB" in answer.get_data(as_text=True)
    assert count_of_documents() == 0


def test_a_body_far_over_the_limit_is_not_even_read(sign_in: SignIn) -> None:
    assert upload(sign_in("minh"), bytes(102 * 1024 * 1024)).status_code == 413


def test_programs_are_taken_out_and_the_owner_is_told(sign_in: SignIn) -> None:
    client = sign_in("minh")
    document_id = uploaded(client, scripted_pdf())
    assert "Chương trình nằm trong tệp đã được gỡ bỏ." in client.get(f"/documents/{document_id}").get_data(as_text=True)
    assert b"JavaScript" not in client.get(f"/documents/{document_id}/content").get_data()


def test_a_form_becomes_text_unless_its_fields_are_kept(sign_in: SignIn) -> None:
    client, form = sign_in("minh"), form_pdfs.form(form_pdfs.text_field)
    flat, kept = (uploaded(client, form, **more) for more in ({}, {"keep_fields": "y"}))
    for document_id, has_fields in ((flat, False), (kept, True)):
        with pikepdf.open(BytesIO(client.get(f"/documents/{document_id}/content").get_data())) as pdf:
            assert ("/AcroForm" in pdf.Root) is has_fields


def test_a_large_scan_of_many_pages_is_taken_in(sign_in: SignIn) -> None:
    client = sign_in("minh")
    with pikepdf.open(BytesIO(plain_pdf(pages=300))) as pdf:
        pdf.pages[0].obj.Resources.XObject = pikepdf.Dictionary(
            P=pdf.make_stream(secrets.token_bytes(30 * 1024 * 1024), Subtype=pikepdf.Name.Image)
        )
        output = BytesIO()
        pdf.save(output)
    document_id = uploaded(client, output.getvalue())
    assert "300" in client.get(f"/documents/{document_id}").get_data(as_text=True)


def test_a_signed_file_stays_as_it_came(sign_in: SignIn) -> None:
    client, signed = sign_in("minh"), certified(MDPPerm.FILL_FORMS)
    assert client.get(f"/documents/{uploaded(client, signed)}/content").get_data() == signed


def test_a_text_document_is_refused_in_words_or_becomes_a_pdf(sign_in: SignIn) -> None:
    client = sign_in("minh")
    answer = upload(client, docx("Quyết định về họp"), name="a.docx")
    if not conversion.is_available():
        assert answer.status_code == 422
        assert "không chuyển được" in answer.get_data(as_text=True)
        return
    page = client.get(answer.location)
    assert "đã được chuyển thành PDF" in page.get_data(as_text=True)
    assert upload(client, b"no archive", name="b.odt").status_code == 422


def test_a_paper_without_a_title_is_refused(sign_in: SignIn) -> None:
    answer = upload(sign_in("minh"), plain_pdf(), title=" ")
    assert answer.status_code == 422
    assert count_of_documents() == 0
