"""Which PDFs may be signed; every refusal has its fault, and every hostile file a twin that is accepted."""

from __future__ import annotations

import re
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image
from pyhanko.sign.fields import MDPPerm

from pki.errors import PdfRefused
from pki.pades import flatten, intake
from pki.pades.faults import PdfFault
from pki.pades.intake import TakenIn, take_in
from pki.pades.intake_notices import Notice
from tests.factories import form_pdfs, pdfs


def fault_of(pdf: bytes) -> PdfFault:
    with pytest.raises(PdfRefused) as caught:
        taken(pdf)
    return PdfFault(caught.value.fault)


def taken(pdf: bytes, *, keep_fields: bool = False) -> TakenIn:
    return take_in(BytesIO(pdf), BytesIO(), keep_fields=keep_fields)


def written(pdf: bytes, *, keep_fields: bool = False) -> tuple[bytes, TakenIn]:
    """Return the rewritten file, too."""
    output = BytesIO()
    found = take_in(BytesIO(pdf), output, keep_fields=keep_fields)
    assert found.rewritten
    return output.getvalue(), found


def test_a_plain_file_is_accepted_with_its_pages() -> None:
    found = taken(pdfs.plain(pages=3))
    assert (found.pages, found.signatures, found.rewritten, found.notices) == (3, (), True, frozenset())


def test_a_signed_file_is_accepted_with_its_signatures() -> None:
    found = taken(pdfs.signed(pdfs.signed()))
    assert (found.signatures, found.rewritten) == (("signature_1", "signature_2"), False)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", PdfFault.NOT_A_PDF),
        (b"PK\x03\x04", PdfFault.NOT_A_PDF),
        (b"%PDF-1.7\nnothing more", PdfFault.DAMAGED),
        (b"%PDF-" + bytes(100 * 1024 * 1024), PdfFault.TOO_LARGE),
    ],
    ids=["empty", "archive", "nothing", "large"],
)
def test_what_is_no_readable_pdf_is_refused(content: bytes, fault: PdfFault) -> None:
    assert fault_of(content) is fault


def protected(pdf: bytes, *, user: str = "", may_change: bool = True) -> bytes:
    output = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as opened:
        allow = pikepdf.Permissions(modify_other=may_change)
        opened.save(output, encryption=pikepdf.Encryption(owner="a", user=user, allow=allow))
    return output.getvalue()


def test_a_password_is_refused_and_protection_without_one_is_taken_off_where_changes_are_allowed() -> None:
    assert fault_of(protected(pdfs.plain(), user="b")) is PdfFault.ENCRYPTED
    assert fault_of(protected(pdfs.plain(), may_change=False)) is PdfFault.RESTRICTED
    made, found = written(protected(pdfs.plain()))
    assert found.notices == {Notice.DECRYPTED}
    with pikepdf.open(BytesIO(made)) as opened:
        assert not opened.is_encrypted


def test_a_signed_file_that_is_encrypted_is_refused() -> None:
    assert fault_of(protected(pdfs.signed())) is PdfFault.ENCRYPTED


REMOVED = {
    "JavaScript": Notice.SCRIPTS_REMOVED,
    "Launch": Notice.ACTIONS_REMOVED,
    "SubmitForm": Notice.ACTIONS_REMOVED,
    "ImportData": Notice.ACTIONS_REMOVED,
    "GoToE": Notice.ACTIONS_REMOVED,
    "Rendition": Notice.MEDIA_REMOVED,
}


@pytest.mark.parametrize(("kind", "notice"), REMOVED.items())
def test_active_content_is_taken_out_with_a_notice_and_a_plain_jump_is_not_noticed(kind: str, notice: Notice) -> None:
    made, found = written(pdfs.active(kind))
    assert found.notices == {notice}
    assert taken(made).notices == frozenset()
    assert taken(pdfs.active("GoTo")).notices == frozenset()


def test_a_script_with_an_escaped_name_or_in_an_object_stream_is_taken_out() -> None:
    escaped = pdfs.active("JavaScript").replace(b"/JavaScript", b"/J#61vaScript")
    assert b"/J#61vaScript" in escaped
    # The longer name has moved what stands behind it.
    assert taken(escaped).notices == {Notice.SCRIPTS_REMOVED, Notice.REPAIRED}
    output = BytesIO()
    with pikepdf.open(BytesIO(pdfs.active("JavaScript"))) as pdf:
        pdf.save(output, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"JavaScript" not in output.getvalue()
    assert taken(output.getvalue()).notices == {Notice.SCRIPTS_REMOVED}


def test_films_scripts_in_lists_and_xfa_are_taken_out() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        rectangle = Array([100, 100, 200, 200])
        jump = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=rectangle)
        film = Dictionary(Type=Name.Annot, Subtype=Name.Screen, Rect=rectangle)
        pdf.pages[0].obj.Annots = Array([jump, film])
        pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array(["x", Dictionary(S=Name.JavaScript, JS="1")])))
        pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA="<xdp/>")
        made, found = written(pdfs.saved(pdf))
    assert found.notices == {Notice.MEDIA_REMOVED, Notice.SCRIPTS_REMOVED, Notice.XFA_REMOVED}
    with pikepdf.open(BytesIO(made)) as opened:
        assert [one.Subtype for one in opened.pages[0].obj.Annots.as_list()] == [Name.Link]


def test_a_form_that_only_one_program_shows_is_refused() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA="<xdp/>")
        pdf.Root.NeedsRendering = True
        assert fault_of(pdfs.saved(pdf)) is PdfFault.XFA_ONLY


def test_a_signed_file_with_active_content_is_refused() -> None:
    assert fault_of(pdfs.signed(pdfs.active("JavaScript"))) is PdfFault.ACTIVE_CONTENT


def test_a_damaged_file_is_repaired_and_says_so() -> None:
    broken = pdfs.plain().replace(b"startxref\n", b"startxref\n9")
    assert taken(broken).notices == {Notice.REPAIRED}


def test_a_signed_file_that_bends_the_rules_is_kept_and_says_so() -> None:
    assert taken(pdfs.signed()).notices == frozenset()
    miscounted = re.sub(rb"/Size (\d+)", lambda found: b"/Size %d" % (int(found[1]) - 1), pdfs.signed())
    found = taken(miscounted)
    assert (found.rewritten, found.notices) == (False, {Notice.READ_LENIENTLY})


def test_dictionaries_nested_beyond_reason_are_refused() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        nested = Dictionary()
        for _ in range(60):
            nested = Dictionary(A=Array([nested]))
        pdf.Root.Deep = nested
        assert fault_of(pdfs.saved(pdf)) is PdfFault.TOO_COMPLEX


def filled_form(*, drawn: bool = True, **changes: object) -> bytes:
    """Return a page with a field that holds a Vietnamese name, with or without its drawing, and a link."""
    with pikepdf.open(BytesIO(form_pdfs.form(form_pdfs.text_field))) as pdf:
        widget = next(one for one in pdf.pages[0].obj.Annots.as_list() if one.get("/Subtype") == Name.Widget)
        widget.V = "Tran Thi Bich"
        if drawn:
            stream = pdf.make_stream(b"BT /F1 10 Tf 0 2 Td (Tran Thi Bich) Tj ET")
            stream.update(Dictionary(Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 150, 20])))
            stream.Resources = Dictionary(
                Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
            )
            widget.AP = Dictionary(N=pdf.make_indirect(stream))
        link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([1, 1, 9, 9]))
        pdf.pages[0].obj.Annots.append(link)
        del pdf.Root.AcroForm.NeedAppearances
        for key, value in changes.items():
            pdf.Root.AcroForm[f"/{key}"] = value
        return pdfs.saved(pdf)


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize("stale", [True, False])
def test_fields_become_part_of_the_page_and_links_stay(drawn: bool, stale: bool) -> None:
    made, found = written(filled_form(drawn=drawn, **({"NeedAppearances": True} if stale else {})))
    assert found.notices == {Notice.FORM_FLATTENED}
    with pikepdf.open(BytesIO(made)) as pdf:
        assert "/AcroForm" not in pdf.Root
        assert [one.Subtype for one in pdf.pages[0].obj.Annots.as_list()] == [Name.Link]
    with pypdfium2.PdfDocument(made) as document:
        assert "Tran Thi Bich" in document[0].get_textpage().get_text_bounded()


def test_fields_stay_when_the_owner_wants_them() -> None:
    made, found = written(filled_form(), keep_fields=True)
    assert found.notices == frozenset()
    with pikepdf.open(BytesIO(made)) as pdf:
        assert "/AcroForm" in pdf.Root


def test_fields_stay_where_the_page_would_not_look_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flatten, "_TOLERATED", -1.0)
    made, found = written(filled_form())
    assert found.notices == {Notice.FORM_KEPT}
    with pikepdf.open(BytesIO(made)) as pdf:
        assert "/AcroForm" in pdf.Root


def test_a_field_without_any_drawing_leaves_no_trace_and_pictures_of_another_size_differ() -> None:
    with pikepdf.open(BytesIO(form_pdfs.form(form_pdfs.signature_field))) as pdf:
        pdf.add_blank_page(page_size=(100, 100))
        pdf.pages[1].obj.Annots = Name.Nothing
        made, found = written(pdfs.saved(pdf))
    assert found.notices == {Notice.FORM_FLATTENED}
    with pikepdf.open(BytesIO(made)) as pdf:
        assert "/Annots" not in pdf.pages[0].obj
    small, large = Image.new("L", (10, 10)), Image.new("L", (20, 10))
    assert flatten._differ_by(small, large) == 1.0


def with_note(kind: str, **more: object) -> bytes:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        note = Dictionary(Type=Name.Annot, Subtype=Name(f"/{kind}"), Rect=Array([60, 700, 500, 800]), **more)
        pdf.pages[0].obj.Annots = Array([note, Name.Nothing])
        return pdfs.saved(pdf)


@pytest.mark.parametrize(
    ("pdf", "noticed"),
    [
        (with_note("FreeText"), True),
        (with_note("Square", IC=Array([1, 1, 1])), True),
        (with_note("Square"), False),
        (with_note("Highlight"), False),
        (with_note("FreeText", F=2), False),
        (with_note("Stamp").replace(b"60 700 500 800", b"60 100 500 200"), False),
        # What is written wrongly costs nobody their file.
        (with_note("Stamp").replace(b"60 700 500 800", b"60 700 500    "), False),
        (with_note("Stamp").replace(b"60 700 500 800", b"60 700 500 (x)"), False),
        (with_note("Stamp", F=Name.Odd), True),
    ],
    ids=["text", "filled", "frame", "highlight", "hidden", "elsewhere", "three-corners", "no-number", "odd-flags"],
)
def test_notes_that_lie_over_text_are_told(pdf: bytes, noticed: bool) -> None:
    assert (Notice.ANNOTATIONS_COVER in taken(pdf).notices) is noticed


def test_layers_that_are_off_and_files_inside_are_told() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name="Dự thảo"))
        pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(OFF=Array([layer])))
        pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([])))
        assert taken(pdfs.saved(pdf)).notices == {Notice.LAYERS_OFF, Notice.FILES_ATTACHED}
        pdf.Root.OCProperties.D = Dictionary(BaseState=Name.OFF)
        assert Notice.LAYERS_OFF in taken(pdfs.saved(pdf)).notices
        pdf.Root.OCProperties.D = Name.Nothing
        assert Notice.LAYERS_OFF not in taken(pdfs.saved(pdf)).notices


def test_what_takes_no_signature_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise PdfRefused(PdfFault.DAMAGED)

    monkeypatch.setattr(intake, "prepare", refuses)
    assert fault_of(pdfs.plain()) is PdfFault.UNSIGNABLE


def test_a_file_certified_against_any_change_is_refused_and_one_open_for_forms_is_not() -> None:
    assert fault_of(pdfs.certified(MDPPerm.NO_CHANGES)) is PdfFault.CERTIFIED
    assert taken(pdfs.certified(MDPPerm.FILL_FORMS)).signatures == ("certified",)


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
        assert taken(pdfs.saved(pdf)).pages == 2000
        pdf.add_blank_page(page_size=(100, 100))
        assert fault_of(pdfs.saved(pdf)) is PdfFault.TOO_MANY_PAGES


def test_a_page_of_14400_points_is_accepted_and_a_larger_one_is_not() -> None:
    assert taken(pdfs.plain(box=(0, 0, 14_400, 100))).signatures == ()
    assert fault_of(pdfs.plain(box=(0, 0, 14_401, 100))) is PdfFault.PAGE_TOO_LARGE


def test_more_than_60_revisions_of_a_signed_file_are_refused() -> None:
    pdf = pdfs.signed()
    for _ in range(60):
        pdf = pdfs.updated(pdf, lambda writer: writer.update_root())
    assert fault_of(pdf) is PdfFault.TOO_MANY_REVISIONS


def test_a_table_that_claims_millions_of_objects_is_refused_unread() -> None:
    claimed = re.sub(rb"/Size \d+", b"/Size 9999999", pdfs.plain())
    assert fault_of(claimed) is PdfFault.TOO_COMPLEX


def test_a_file_with_more_objects_than_are_looked_at_is_refused() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        pdf.Root.Many = Array([pdf.make_indirect(Dictionary()) for _ in range(200_001)])
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
    assert taken(pdfs.signed(intake.normalise(pdfs.plain()))).signatures == ("signature_1",)


def test_rewriting_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(PdfRefused):
        intake.normalise(b"%PDF-1.7 nothing")


def test_rewriting_a_signed_file_is_refused() -> None:
    with pytest.raises(PdfRefused) as caught:
        intake.normalise(pdfs.signed())
    assert caught.value.fault is PdfFault.ALREADY_SIGNED
