"""Which PDFs may be signed; every refusal has its fault, and every hostile file a twin that is accepted."""

from __future__ import annotations

from io import BytesIO

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from pyhanko.sign.fields import MDPPerm

from pki.errors import PdfRefused
from pki.pades import intake
from pki.pades.faults import PdfFault
from tests.factories import pdfs


def fault_of(pdf: bytes) -> PdfFault:
    with pytest.raises(PdfRefused) as caught:
        intake.inspect(pdf)
    return PdfFault(caught.value.fault)


def test_a_plain_file_is_accepted_with_its_pages() -> None:
    found = intake.inspect(pdfs.plain(pages=3))
    assert len(found.pages) == 3
    assert found.signatures == ()


def test_a_signed_file_is_accepted_with_its_signatures() -> None:
    assert intake.inspect(pdfs.signed(pdfs.signed())).signatures == ("signature_1", "signature_2")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", PdfFault.NOT_A_PDF),
        (b"PK\x03\x04", PdfFault.NOT_A_PDF),
        (b"%PDF-1.7\nnothing more", PdfFault.DAMAGED),
        (b"%PDF-" + bytes(25 * 1024 * 1024), PdfFault.TOO_LARGE),
    ],
    ids=["empty", "archive", "nothing", "large"],
)
def test_what_is_no_readable_pdf_is_refused(content: bytes, fault: PdfFault) -> None:
    assert fault_of(content) is fault


def test_an_encrypted_file_is_refused_also_without_a_password_to_open_it() -> None:
    assert fault_of(pdfs.encrypted()) is PdfFault.ENCRYPTED
    output = BytesIO()
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        pdf.save(output, encryption=pikepdf.Encryption(owner="a", user="b"))
    assert fault_of(output.getvalue()) is PdfFault.ENCRYPTED


@pytest.mark.parametrize("kind", ["JavaScript", "Launch", "SubmitForm", "ImportData", "GoToE", "Rendition"])
def test_active_content_is_refused_and_a_plain_jump_is_not(kind: str) -> None:
    assert fault_of(pdfs.active(kind)) is PdfFault.ACTIVE_CONTENT
    assert intake.inspect(pdfs.active("GoTo")).signatures == ()


def test_a_script_with_an_escaped_name_is_refused() -> None:
    escaped = pdfs.active("JavaScript").replace(b"/JavaScript", b"/J#61vaScript")
    assert b"/J#61vaScript" in escaped
    assert fault_of(escaped) is PdfFault.ACTIVE_CONTENT


def test_a_script_in_an_object_stream_is_refused() -> None:
    output = BytesIO()
    with pikepdf.open(BytesIO(pdfs.active("JavaScript"))) as pdf:
        pdf.save(output, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"JavaScript" not in output.getvalue()
    assert fault_of(output.getvalue()) is PdfFault.ACTIVE_CONTENT


def test_dictionaries_nested_beyond_reason_are_refused() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        nested = Dictionary()
        for _ in range(60):
            nested = Dictionary(A=Array([nested]))
        pdf.Root.Deep = nested
        assert fault_of(pdfs.saved(pdf)) is PdfFault.ACTIVE_CONTENT


def test_a_file_certified_against_any_change_is_refused_and_one_open_for_forms_is_not() -> None:
    assert fault_of(pdfs.certified(MDPPerm.NO_CHANGES)) is PdfFault.CERTIFIED
    assert intake.inspect(pdfs.certified(MDPPerm.FILL_FORMS)).signatures == ("certified",)


def test_a_file_that_an_earlier_signer_locked_is_refused() -> None:
    assert fault_of(pdfs.locked()) is PdfFault.LOCKED


def test_a_tree_of_pages_that_contains_itself_is_refused() -> None:
    assert fault_of(pdfs.with_page_loop()) is PdfFault.DAMAGED


def test_a_file_without_pages_is_refused() -> None:
    with pikepdf.new() as pdf:
        assert fault_of(pdfs.saved(pdf)) is PdfFault.NO_PAGES


def test_2000_pages_are_accepted_and_2001_are_not() -> None:
    with pikepdf.new() as pdf:
        for _ in range(2000):
            pdf.add_blank_page(page_size=(100, 100))
        assert len(intake.inspect(pdfs.saved(pdf)).pages) == 2000
        pdf.add_blank_page(page_size=(100, 100))
        assert fault_of(pdfs.saved(pdf)) is PdfFault.TOO_MANY_PAGES


def test_a_page_of_14400_points_is_accepted_and_a_larger_one_is_not() -> None:
    assert intake.inspect(pdfs.plain(box=(0, 0, 14_400, 100))).signatures == ()
    assert fault_of(pdfs.plain(box=(0, 0, 14_401, 100))) is PdfFault.PAGE_TOO_LARGE


def test_more_than_60_revisions_are_refused() -> None:
    assert fault_of(pdfs.plain() + b"\nstartxref\n0\n%%EOF" * 60) is PdfFault.TOO_MANY_REVISIONS


def test_a_table_that_claims_millions_of_objects_is_refused_unread() -> None:
    assert fault_of(pdfs.plain() + b"\ntrailer << /Size 9999999 >>") is PdfFault.TOO_COMPLEX


def test_a_file_with_more_objects_than_are_looked_at_is_refused() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        pdf.Root.Many = Array([pdf.make_indirect(Dictionary()) for _ in range(100_001)])
        assert fault_of(pdfs.saved(pdf)) is PdfFault.TOO_COMPLEX


def test_rewriting_leaves_one_revision_and_nothing_that_no_page_reaches() -> None:
    changed = pdfs.with_other_text(pdfs.plain())
    assert b"so 12" in changed
    rewritten = intake.normalise(changed)
    with pikepdf.open(BytesIO(rewritten)) as pdf:
        shown = pdf.pages[0].Contents.read_bytes()
        kept = [one.read_bytes() for one in pdf.objects if isinstance(one, pikepdf.Stream)]
    assert b"so 99" in shown
    assert not any(b"so 12" in content for content in kept)
    assert rewritten.count(b"startxref") == 1


def test_rewriting_drops_what_opens_by_itself() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        pdf.Root.OpenAction = Array([pdf.pages[0].obj, Name.Fit])
        assert b"/OpenAction" not in intake.normalise(pdfs.saved(pdf))


def test_a_rewritten_file_can_be_signed() -> None:
    assert intake.inspect(pdfs.signed(intake.normalise(pdfs.plain()))).signatures == ("signature_1",)


def test_rewriting_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(PdfRefused):
        intake.normalise(b"%PDF-1.7 nothing")


def test_rewriting_a_signed_file_is_refused() -> None:
    with pytest.raises(PdfRefused) as caught:
        intake.normalise(pdfs.signed())
    assert caught.value.fault is PdfFault.ALREADY_SIGNED
