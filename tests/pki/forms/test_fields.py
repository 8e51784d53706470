"""What a fillable PDF asks, and which ones are refused before anybody fills them in."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from app.demo import extract_form
from pki.errors import PdfRefused
from pki.forms import fields
from pki.forms.fields import FieldKind, FormDescription, FormField, Option, SignaturePlace
from pki.pades.faults import PdfFault
from tests.factories.documents import encrypted_pdf, plain_pdf
from tests.factories.form_pdfs import box, form, signature_field, text_field


def take_in(pdf: bytes) -> tuple[FormDescription, bytes]:
    output = BytesIO()
    return fields.take_in(BytesIO(pdf), output), output.getvalue()


def fault_of(pdf: bytes) -> PdfFault:
    with pytest.raises(PdfRefused) as refused:
        take_in(pdf)
    return PdfFault(refused.value.fault)


def with_changes(**changes: Any) -> Callable[[pikepdf.Pdf], Any]:
    return lambda pdf: text_field(pdf, **changes)


def test_the_forms_questions_come_in_its_order_with_their_tooltips_as_labels() -> None:
    described, _ = take_in(extract_form.make())
    assert [(one.name, one.kind, one.required) for one in described.fields] == [
        ("ho_ten", FieldKind.TEXT, True),
        ("noi_cu_tru", FieldKind.TEXT, True),
        ("nguoi_co_ten", FieldKind.TEXT, True),
        ("quan_he", FieldKind.CHOICE, True),
        ("loai", FieldKind.RADIO, True),
        ("so_ban", FieldKind.TEXT, True),
        ("ly_do", FieldKind.LINES, False),
        ("cam_doan", FieldKind.CHECKBOX, True),
    ]
    assert described.fields[0].label == "Họ và tên của bạn"
    assert described.fields[3].options[1] == Option("cha_me", "Cha hoặc mẹ")
    assert described.fields[4].options[0] == Option("khai_sinh", "Khai sinh")
    assert described.fields[5].longest == 2
    assert (described.pages, described.signature) == (1, SignaturePlace(1, 121.7, 207.0))


def test_what_is_described_comes_back_from_plain_values() -> None:
    described, _ = take_in(extract_form.make())
    facts = described.to_json()
    assert tuple(FormField.from_json(one) for one in facts["fields"]) == described.fields
    assert facts["signature"] == {"page": 1, "x_mm": 121.7, "y_mm": 207.0}
    assert take_in(form(text_field))[0].to_json()["signature"] is None


def test_a_field_without_a_tooltip_is_called_by_its_name_and_parts_are_joined() -> None:
    def nested(pdf: pikepdf.Pdf) -> Any:
        parent = pdf.make_indirect(Dictionary(T=pikepdf.String("nguoi"), FT=Name.Tx, Ff=2))
        kid = pdf.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Widget, T=pikepdf.String("ten"), Parent=parent, Rect=[0, 0, 9, 9])
        )
        parent.Kids = Array([kid])
        return parent

    (one,) = take_in(form(nested))[0].fields
    assert (one.name, one.label, one.kind, one.required) == ("nguoi.ten", "nguoi.ten", FieldKind.TEXT, True)


def test_choices_without_words_of_their_own_show_their_values() -> None:
    options = Array([pikepdf.String("A"), pikepdf.String("B")])
    (one,) = take_in(form(with_changes(FT=Name.Ch, Opt=options)))[0].fields
    assert one.options == (Option("A", "A"), Option("B", "B"))


def test_buttons_and_closed_fields_are_not_asked() -> None:
    described, _ = take_in(
        form(text_field, with_changes(name="nut", FT=Name.Btn, Ff=1 << 16), with_changes(name="khoa", Ff=1))
    )
    assert [one.name for one in described.fields] == ["ten"]


def test_scripts_actions_and_attachments_are_taken_out_and_the_form_stays_one_revision() -> None:
    action = Dictionary(S=Name.JavaScript, JS=pikepdf.String("app.alert(1)"))

    def activate(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction, pdf.Root.AA = action, Dictionary(WC=action)
        pdf.Root.Names = Dictionary(
            JavaScript=Dictionary(Names=Array(["a", action])), EmbeddedFiles=Dictionary(), Dests=Dictionary()
        )
        field = pdf.Root.AcroForm.Fields[0]
        field.AA, field.A = Dictionary(K=action), action

    described, cleaned = take_in(form(text_field, change=activate))
    assert len(described.fields) == 1
    for word in (b"JavaScript", b"/AA", b"/OpenAction", b"app.alert", b"EmbeddedFiles"):
        assert word not in cleaned
    assert cleaned.count(b"startxref") == 1


@pytest.mark.parametrize(
    ("rotation", "place"),
    [(0, (35.3, 233.5)), (90, (35.3, 35.3)), (180, (104.1, 35.3)), (270, (233.5, 104.1))],
)
def test_the_place_of_the_signature_is_measured_as_the_page_is_shown(rotation: int, place: tuple[float, float]) -> None:
    pdf = form(text_field, signature_field, page={"Rotate": rotation})
    described, cleaned = take_in(pdf)
    assert described.signature is not None
    assert (described.signature.x_mm, described.signature.y_mm) == pytest.approx(place, abs=0.1)
    assert b"/Sig" not in cleaned


def test_a_signature_field_of_no_size_or_on_no_page_names_no_place() -> None:
    assert take_in(form(text_field, lambda pdf: signature_field(pdf, (1, 1, 1, 1))))[0].signature is None

    def off_the_page(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        page.Annots = Array([page.Annots[0]])

    assert take_in(form(text_field, signature_field, change=off_the_page))[0].signature is None


def test_pages_without_fields_and_names_without_scripts_are_left_as_they_are() -> None:
    def add(pdf: pikepdf.Pdf) -> None:
        pdf.add_blank_page()
        pdf.Root.Names = Dictionary(Dests=Dictionary())

    described, cleaned = take_in(form(text_field, signature_field, change=add))
    assert (described.pages, described.signature is not None) == (2, True)
    assert b"/Dests" in cleaned


def test_what_a_form_said_of_signatures_goes_with_its_field() -> None:
    def flag(pdf: pikepdf.Pdf) -> None:
        pdf.Root.AcroForm.SigFlags = 1

    assert b"SigFlags" not in take_in(form(text_field, signature_field, change=flag))[1]


def radio(*states: str | None) -> Callable[[pikepdf.Pdf], Any]:
    def make(pdf: pikepdf.Pdf) -> Any:
        field = pdf.make_indirect(Dictionary(T=pikepdf.String("chon"), FT=Name.Btn, Ff=1 << 15, Kids=Array()))
        for state in states:
            kid = box(pdf, on=state)
            del kid["/T"]
            kid.Parent = field
            field.Kids.append(kid)
        return field

    return make


def test_a_radio_button_without_a_drawing_offers_nothing() -> None:
    (one,) = take_in(form(radio("a", None)))[0].fields
    assert one.options == (Option("a", "a"),)


def with_xfa(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm.XFA = Array()


def without_place(pdf: pikepdf.Pdf) -> None:
    del pdf.pages[0].obj["/Annots"]


def with_many_pages(pdf: pikepdf.Pdf) -> None:
    for _ in range(fields.MOST_PAGES):
        pdf.add_blank_page()


def deeper(pdf: pikepdf.Pdf) -> Any:
    """A field below itself."""
    field = text_field(pdf)
    field.Kids = Array([field])
    return field


def drawn_as_a_stream(pdf: pikepdf.Pdf) -> Any:
    made = box(pdf)
    made.AP = Dictionary(N=pdf.make_stream(b""))
    return made


@pytest.mark.parametrize(
    ("pdf", "fault"),
    [
        (b"x", PdfFault.NOT_A_PDF),
        (b"%PDF-1.7\nx", PdfFault.DAMAGED),
        (b"%PDF-" + bytes(fields.LARGEST_FORM), PdfFault.TOO_LARGE),
        (encrypted_pdf(), PdfFault.ENCRYPTED),
        (plain_pdf(), PdfFault.NO_FIELDS),
        (form(), PdfFault.NO_FIELDS),
        (form(signature_field), PdfFault.NO_FIELDS),
        (form(text_field, change=with_xfa), PdfFault.ACTIVE_CONTENT),
        (form(text_field, change=with_many_pages), PdfFault.TOO_MANY_PAGES),
        (form(text_field, lambda pdf: signature_field(pdf, V=Dictionary())), PdfFault.ALREADY_SIGNED),
        (form(text_field, text_field), PdfFault.FIELD_UNUSABLE),
        (form(text_field, change=without_place), PdfFault.FIELD_UNUSABLE),
        (form(with_changes(Ff=1 << 13)), PdfFault.FIELD_UNUSABLE),
        (form(with_changes(Ff=1 << 20)), PdfFault.FIELD_UNUSABLE),
        (form(with_changes(FT=Name.Ch, Ff=1 << 21, Opt=Array(["a"]))), PdfFault.FIELD_UNUSABLE),
        (form(with_changes(FT=Name.Ch)), PdfFault.FIELD_UNUSABLE),
        (form(with_changes(FT=Name.Ch, Opt=Array(["a", "a"]))), PdfFault.FIELD_UNUSABLE),
        (form(with_changes(FT=Name.Other)), PdfFault.FIELD_UNUSABLE),
        (form(with_changes(name="")), PdfFault.FIELD_UNUSABLE),
        (form(with_changes(name="x" * 301)), PdfFault.FIELD_UNUSABLE),
        (form(lambda pdf: box(pdf, on=None)), PdfFault.FIELD_UNUSABLE),
        (form(drawn_as_a_stream), PdfFault.FIELD_UNUSABLE),
        (form(radio(None)), PdfFault.FIELD_UNUSABLE),
        (form(radio("a", "a")), PdfFault.FIELD_UNUSABLE),
        (form(deeper), PdfFault.FIELD_UNUSABLE),
        (form(*(with_changes(name=f"t{at}") for at in range(fields.MOST_FIELDS + 1))), PdfFault.FIELD_UNUSABLE),
    ],
)
def test_a_form_that_cannot_be_asked_on_a_page_is_refused(pdf: bytes, fault: PdfFault) -> None:
    assert fault_of(pdf) is fault


def test_a_form_whose_fields_end_nowhere_is_followed_only_so_far() -> None:
    def circle(pdf: pikepdf.Pdf) -> None:
        field = pdf.Root.AcroForm.Fields[0]
        del field["/FT"]
        field.Parent = field

    assert fault_of(form(text_field, change=circle)) is PdfFault.FIELD_UNUSABLE


def test_a_file_with_an_owners_password_only_is_refused_too() -> None:
    output = BytesIO()
    with pikepdf.open(BytesIO(form(text_field))) as pdf:
        pdf.save(output, encryption=pikepdf.Encryption(owner="a", user=""))
    assert fault_of(output.getvalue()) is PdfFault.ENCRYPTED
