"""Fields that are all there before anybody signs: made, signed into, filled in, and closed by who signed."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import x509 as asn1_x509
from pikepdf import Array, Dictionary, Name
from PIL import ImageChops
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, append_signature_field
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext

from pki.errors import PdfRefused
from pki.pades import fields
from pki.pades.faults import PdfFault
from pki.pades.fields import FieldKind, FieldSpec, FieldValue, Lock, create_fields, fields_of, fill_texts, rights_of
from pki.pades.geometry import page_geometries
from pki.pades.open_fields import open_fields, places_of
from pki.pades.placement import Corner, Placement, place
from pki.pades.plain_text import PlainText
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.pki.pades.test_mark import ink, pictured

HEAD = "ky_lanhdao_1"
INITIALS = "ky_nhay_1"
NUMBER = FieldValue("12/QĐ-SKHCN", PlainText(("12/QĐ-SKHCN",)))
DATE = FieldValue("ngày 05 tháng 11 năm 2026", PlainText(("ngày 05 tháng 11 năm 2026",)))
SPECS = (
    FieldSpec(INITIALS, FieldKind.SIGNATURE, Placement(1, (60, 300, 160, 340))),
    FieldSpec(HEAD, FieldKind.SIGNATURE, Placement(1, (350, 200, 460, 260)), Lock.ALL_BUT_ISSUE),
    FieldSpec(fields.SEAL, FieldKind.SIGNATURE, Placement(1, (285, 180, 385, 280)), Lock.ALL),
    FieldSpec(fields.NUMBER, FieldKind.TEXT, Placement(1, (80, 780, 220, 800))),
    FieldSpec(fields.DATE, FieldKind.TEXT, Placement(1, (300, 760, 520, 780))),
    FieldSpec(fields.CODE, FieldKind.TEXT, Placement(1, (60, 60, 150, 150))),
)


def with_fields(pdf: bytes | None = None, specs: tuple[FieldSpec, ...] = SPECS) -> bytes:
    base = pdf or pdfs.plain()
    return base + create_fields(BytesIO(base), specs)


def filled(pdf: bytes, values: dict[str, FieldValue]) -> bytes:
    return pdf + fill_texts(BytesIO(pdf), values)


def headed() -> bytes:
    """Return a paper with initials and the head's signature."""
    initialled = pdfs.signed(with_fields(), leaf=pdfs.signer("initials"), field_name=INITIALS, mark=pdfs.MARK)
    return pdfs.signed(initialled, field_name=HEAD, mark=pdfs.MARK)


def issued() -> bytes:
    """Return the same with number and date, and the seal."""
    return pdfs.signed(
        filled(headed(), {fields.NUMBER: NUMBER, fields.DATE: DATE}), field_name=fields.SEAL, mark=pdfs.MARK
    )


def fault_of(act: Callable[[], object]) -> PdfFault:
    with pytest.raises(PdfRefused) as caught:
        act()
    return PdfFault(caught.value.fault)


def test_all_fields_are_there_before_the_first_signature_with_name_place_and_lock() -> None:
    with pikepdf.open(BytesIO(with_fields())) as pdf:
        found = {str(one.T): one for one in pdf.Root.AcroForm.Fields}
        assert list(found) == [spec.name for spec in SPECS]
        assert {name for name, one in found.items() if str(one.FT) == "/Sig"} == {INITIALS, HEAD, fields.SEAL}
        assert [float(side) for side in found[HEAD].Rect] == [350, 200, 460, 260]
        assert "/Lock" not in found[INITIALS]
        lock = found[HEAD].Lock
        assert (str(lock.Action), int(lock.P)) == ("/Exclude", 2)
        assert sorted(str(name) for name in lock.Fields) == sorted((fields.SEAL, *fields.FILLED_AT_ISSUE))
        assert str(found[fields.SEAL].Lock.Action) == "/All"
        assert "/NeedAppearances" not in pdf.Root.AcroForm
        assert len(pdf.pages[0].Annots) == len(SPECS)


def test_new_fields_show_nothing(tmp_path: Path) -> None:
    base = pdfs.plain()
    before, after = pictured(base, tmp_path), pictured(with_fields(base), tmp_path)
    assert ImageChops.difference(before, after).getbbox() is None


def test_the_file_only_grows_by_what_is_appended() -> None:
    base = pdfs.plain()
    made = with_fields(base)
    assert made.startswith(base)
    assert len(filled(made, {fields.NUMBER: NUMBER})) > len(made)


def test_a_document_from_initials_to_seal_is_valid_at_every_signature_for_another_program() -> None:
    reader = PdfFileReader(BytesIO(issued()))
    roots = [asn1_x509.Certificate.load(factory.root().certificate_der)]
    signatures = list(reader.embedded_regular_signatures)
    assert [one.field_name for one in signatures] == [INITIALS, HEAD, fields.SEAL]
    for one in signatures:
        context = ValidationContext(trust_roots=roots, moment=factory.NOW, allow_fetching=False)
        status = validate_pdf_signature(one, context)
        assert status.intact
        assert status.valid
        assert status.docmdp_ok, one.field_name
        assert status.modification_level is not ModificationLevel.OTHER
    assert signatures[1].fieldmdp is not None
    assert signatures[1].docmdp_level is MDPPerm.FILL_FORMS
    assert signatures[2].fieldmdp is not None


def test_what_the_head_closed_cannot_be_signed_or_filled_any_more() -> None:
    other = FieldSpec("so_khac", FieldKind.TEXT, Placement(1, (80, 700, 220, 720)))
    started = with_fields(specs=(*SPECS, other))
    signed = pdfs.signed(started, field_name=HEAD)
    assert fault_of(lambda: pdfs.prepared(signed, field_name=INITIALS)) is PdfFault.LOCKED
    assert fault_of(lambda: pdfs.prepared(signed)) is PdfFault.LOCKED
    assert fault_of(lambda: fill_texts(BytesIO(signed), {"so_khac": NUMBER})) is PdfFault.LOCKED
    assert pdfs.prepared(signed, field_name=fields.SEAL).field_name == fields.SEAL
    assert filled(started, {"so_khac": NUMBER}).startswith(started)


def test_after_the_seal_nothing_is_open() -> None:
    started = with_fields()
    assert open_fields(BytesIO(started)) == {spec.name for spec in SPECS}
    assert open_fields(BytesIO(headed())) == {fields.SEAL, *fields.FILLED_AT_ISSUE}
    assert open_fields(BytesIO(issued())) == frozenset()
    assert fault_of(lambda: fill_texts(BytesIO(issued()), {fields.CODE: NUMBER})) is PdfFault.LOCKED


def test_two_heads_and_a_seal_sign_a_paper_on_which_no_field_was_made() -> None:
    other = "ky_lanhdao_2"
    pdf = pdfs.signed(
        field_name=HEAD, lock=Lock.ALL_BUT_ISSUE, leaves=[other], mark=pdfs.MARK, placement=pdfs.FIRST_PLACE
    )
    assert fault_of(lambda: pdfs.prepared(pdf, field_name="ky_nhay_1")) is PdfFault.LOCKED
    pdf = pdfs.signed(
        pdf,
        leaf=pdfs.signer("second"),
        field_name=other,
        lock=Lock.ALL_BUT_ISSUE,
        leaves=[HEAD],
        mark=pdfs.MARK,
        placement=pdfs.SECOND_PLACE,
    )
    above = Placement(1, (300.0, 300.0, 400.0, 400.0))
    pdf = pdfs.signed(pdf, field_name=fields.SEAL, lock=Lock.ALL, mark=pdfs.MARK, placement=above)
    for one in statuses(pdf):
        assert one.bottom_line


def test_a_lock_says_nothing_of_the_document_while_a_signature_has_no_field_yet() -> None:
    whole = rights_of(Lock.ALL_BUT_ISSUE, leaves=["ky_lanhdao_2"], there=[fields.SEAL, "ky_lanhdao_2"])
    partly = rights_of(Lock.ALL_BUT_ISSUE, leaves=["ky_lanhdao_2"], there=[fields.SEAL])
    assert whole is not None
    assert partly is not None
    assert (whole.changes, partly.changes) == (MDPPerm.FILL_FORMS, None)
    assert whole.specification.fields == [fields.SEAL, *fields.FILLED_AT_ISSUE, "ky_lanhdao_2"]


def test_texts_that_are_filled_with_the_seal_stay_unchanged_for_another_program_when_proofs_follow() -> None:
    values = {fields.NUMBER: NUMBER, fields.DATE: DATE}
    together = pdfs.signed(headed(), field_name=fields.SEAL, mark=pdfs.MARK, values=values)
    assert together.count(b"%%EOF") == issued().count(b"%%EOF") - 1
    later = pdfs.with_proofs(together)
    assert all(one.bottom_line for one in statuses(later))
    assert fault_of(lambda: pdfs.prepared(issued(), values=values)) is PdfFault.LOCKED


def statuses(pdf: bytes) -> list[PdfSignatureStatus]:
    """Return what pyHanko says of each signature, by its own rules for what may be changed."""
    roots = [asn1_x509.Certificate.load(factory.root().certificate_der)]
    context = ValidationContext(trust_roots=roots, moment=factory.NOW, allow_fetching=False)
    return [validate_pdf_signature(one, context) for one in PdfFileReader(BytesIO(pdf)).embedded_regular_signatures]


def test_a_lock_may_come_with_a_field_that_is_made_when_it_is_signed() -> None:
    signed = pdfs.signed(lock=Lock.ALL)
    assert fault_of(lambda: pdfs.prepared(signed)) is PdfFault.LOCKED
    assert pdfs.prepared(pdfs.signed(lock=Lock.NOTHING)).field_name == "signature_2"


def test_a_signature_that_allows_no_changes_closes_every_field() -> None:
    assert fault_of(lambda: pdfs.prepared(pdfs.closed_by_another_program())) is PdfFault.LOCKED


def test_a_certification_that_lets_forms_be_filled_closes_no_field() -> None:
    assert pdfs.prepared(pdfs.certified(MDPPerm.FILL_FORMS)).field_name == "signature_1"


@pytest.mark.parametrize("name", [HEAD, "so_ky"])
def test_a_name_that_is_there_or_begins_another_is_refused(name: str) -> None:
    started = with_fields()
    spec = FieldSpec(name, FieldKind.TEXT, Placement(1, (10, 10, 50, 50)))
    assert fault_of(lambda: create_fields(BytesIO(started), [spec])) is PdfFault.FIELD_TAKEN


def test_fields_are_not_added_to_a_signed_document() -> None:
    assert fault_of(lambda: create_fields(BytesIO(pdfs.signed()), SPECS)) is PdfFault.ALREADY_SIGNED


@pytest.mark.parametrize("place_of", [Placement(2, (10, 10, 50, 50)), Placement(1, (580, 10, 650, 50))])
def test_a_field_off_the_page_is_refused(place_of: Placement) -> None:
    spec = FieldSpec(fields.NUMBER, FieldKind.TEXT, place_of)
    assert fault_of(lambda: create_fields(BytesIO(pdfs.plain()), [spec])) is PdfFault.MARK_OUTSIDE_PAGE


@pytest.mark.parametrize("name", ["nothing_there", HEAD, fields.NUMBER])
def test_only_an_empty_text_field_of_ours_is_filled(name: str) -> None:
    once = filled(with_fields(), {fields.NUMBER: NUMBER})
    assert fault_of(lambda: fill_texts(BytesIO(once), {name: NUMBER})) is PdfFault.FIELD_TAKEN


def test_a_field_of_another_kind_is_not_signed() -> None:
    assert fault_of(lambda: pdfs.prepared(with_fields(), field_name=fields.NUMBER)) is PdfFault.FIELD_TAKEN


def test_vietnamese_that_was_filled_in_is_drawn_and_can_be_read_back(tmp_path: Path) -> None:
    started = with_fields()
    done = filled(started, {fields.NUMBER: NUMBER, fields.DATE: DATE})
    box = ink(
        ImageChops.difference(
            pictured(started, tmp_path, resolution=72), pictured(done, tmp_path, resolution=72)
        ).point(lambda value: 255 - value)
    )
    assert box is not None
    assert (box[0] >= 79, box[2] <= 521, box[1] >= 842 - 801, box[3] <= 842 - 759) == (True,) * 4
    with pikepdf.open(BytesIO(done)) as pdf:
        values = {str(one.T): str(one.V) for one in pdf.Root.AcroForm.Fields if "/V" in one}
    assert values == {fields.NUMBER: NUMBER.text, fields.DATE: DATE.text}


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("user_unit", [1, 2])
def test_marks_and_texts_in_fields_stand_upright_on_turned_pages_with_boxes_and_units_of_their_own(
    tmp_path: Path, rotation: int, user_unit: int
) -> None:
    with pikepdf.open(BytesIO(pdfs.plain("", rotation=rotation, box=(100, 50, 495, 642)))) as pdf:
        if user_unit > 1:
            pdf.pages[0].obj.UserUnit = user_unit
        base = pdfs.saved(pdf)
    at = place(page_geometries(base), page=1, corner=Corner.TOP_LEFT, x_mm=10, y_mm=15, width_mm=60, height_mm=10)
    started = with_fields(base, (FieldSpec(fields.NUMBER, FieldKind.TEXT, at),))
    done = filled(started, {fields.NUMBER: FieldValue("H", PlainText(("HHHHHHHHHHHHHHHHHH",), size_pt=24))})
    picture = pictured(done, tmp_path, resolution=127)
    box = ink(picture)
    assert box is not None
    # Poppler of Debian 12 draws a page with units of its own at the size it would have without.
    dots = picture.width / page_geometries(base)[0].shown_size_mm[0]
    left, top, right, bottom = (side / dots for side in box)
    assert (left >= 9, right <= 71, top >= 14, bottom <= 26) == (True,) * 4
    assert right - left > 3 * (bottom - top)


def test_pages_of_other_sizes_are_measured_each_by_itself() -> None:
    with pikepdf.open(BytesIO(pdfs.plain(pages=2))) as pdf:
        pdf.pages[1].obj.MediaBox = Array([0, 0, 1191, 842])
        base = pdfs.saved(pdf)
    wide = Placement(2, (1000.0, 10.0, 1100.0, 60.0))
    assert with_fields(base, (FieldSpec(fields.NUMBER, FieldKind.TEXT, wide),)).startswith(base)
    spec = FieldSpec(fields.NUMBER, FieldKind.TEXT, Placement(1, wide.rectangle))
    assert fault_of(lambda: create_fields(BytesIO(base), [spec])) is PdfFault.MARK_OUTSIDE_PAGE


def test_a_field_whose_widget_stands_apart_is_found_and_signed_into() -> None:
    def change(writer: object) -> None:
        append_signature_field(
            writer, SigFieldSpec("apart", box=(50, 50, 200, 100), combine_annotation=False, on_page=0)
        )

    signed = pdfs.signed(pdfs.updated(pdfs.plain(), change), field_name="apart", mark=pdfs.MARK)
    with pikepdf.open(BytesIO(signed)) as pdf:
        field = pdf.Root.AcroForm.Fields[0]
        assert "/AP" in field.Kids[0]
        assert "/V" in field


def test_an_invisible_field_is_signed_without_a_mark() -> None:
    def change(writer: object) -> None:
        append_signature_field(writer, SigFieldSpec("hidden"))

    signed = pdfs.signed(pdfs.updated(pdfs.plain(), change), field_name="hidden", mark=pdfs.MARK)
    with pikepdf.open(BytesIO(signed)) as pdf:
        assert "/AP" not in pdf.Root.AcroForm.Fields[0]


def _form(*entries: Dictionary, direct: bool = False) -> bytes:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        rows = [entry if direct else pdf.make_indirect(entry) for entry in entries]
        pdf.Root.AcroForm = Dictionary(Fields=Array(rows))
        return pdfs.saved(pdf)


def test_names_are_whole_and_what_has_none_is_left_out() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        child = pdf.make_indirect(Dictionary(T="child"))
        parent = pdf.make_indirect(Dictionary(T="parent", FT=Name.Sig, Kids=Array([child])))
        bare = pdf.make_indirect(Dictionary(FT=Name.Tx))
        pdf.Root.AcroForm = Dictionary(Fields=Array([parent, bare]))
        content = pdfs.saved(pdf)
    (found,) = fields_of(PdfFileReader(BytesIO(content)))
    assert (found.name, found.is_signature, found.is_filled, found.place) == ("parent.child", True, False, None)


def test_text_fields_go_into_a_form_that_is_there() -> None:
    started = with_fields(_form(Dictionary(T="theirs", FT=Name.Tx)), SPECS[3:4])
    assert open_fields(BytesIO(started)) == {"theirs", fields.NUMBER}
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        pdf.Root.AcroForm = Dictionary(DR=Dictionary())
        empty = pdfs.saved(pdf)
    assert open_fields(BytesIO(with_fields(empty, SPECS[3:4]))) == {fields.NUMBER}


def test_a_field_that_is_no_object_of_its_own_is_damage() -> None:
    broken = _form(Dictionary(T="direct", FT=Name.Tx), direct=True)
    assert fault_of(lambda: create_fields(BytesIO(broken), SPECS)) is PdfFault.DAMAGED


def test_a_tree_of_fields_that_comes_back_to_itself_is_damage() -> None:
    endless = pdfs.with_endless_fields(with_fields())
    assert fault_of(lambda: create_fields(BytesIO(endless), SPECS)) is PdfFault.DAMAGED


def test_a_field_is_seen_on_its_page_and_one_that_is_not_there_on_none() -> None:
    assert places_of(BytesIO(with_fields()))[HEAD].page == 1
    assert "ky_lanhdao_9" not in places_of(BytesIO(with_fields()))
