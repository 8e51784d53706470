"""What may be written into a document after it was signed: number, date and code, once, where they were foreseen."""

from __future__ import annotations

from io import BytesIO

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from pki.pades import fields
from pki.pades.fields import FieldKind, FieldSpec
from pki.pades.placement import Placement
from pki.pades.report import Reason, Verdict
from tests.factories import pdfs
from tests.pki.pades.test_fields import DATE, HEAD, NUMBER, SPECS, filled, headed, issued, with_fields
from tests.pki.pades.test_verify import check

NO = generic.TextStringObject("99/QĐ-SKHCN")
OTHER = FieldSpec("ghi_chu", FieldKind.TEXT, Placement(1, (80, 700, 220, 720)))


def with_entry(pdf: bytes, name: str, key: str, value: generic.PdfObject) -> bytes:
    """Return the file with an update that sets one entry of a field."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        entries = (one.get_object() for one in writer.root["/AcroForm"]["/Fields"])
        field = next(one for one in entries if one["/T"] == name)
        field[key] = value
        writer.update_container(field)

    return pdfs.updated(pdf, change)


def sealed(pdf: bytes, **details: object) -> bytes:
    return pdfs.signed(pdf, leaf=pdfs.signer("seal"), **details)


def reasons(pdf: bytes) -> list[Reason]:
    return [one.reason for one in check(pdf).signatures]


def test_number_and_date_at_issue_leave_every_signature_valid() -> None:
    report = check(issued())
    assert (report.verdict, report.reason) == (Verdict.VALID, Reason.OK)
    assert len(report.signatures) == 3


def test_what_was_filled_in_stays_as_it_is() -> None:
    assert reasons(with_entry(issued(), fields.NUMBER, "/V", NO))[2] is Reason.CHANGED_AFTER_SIGNING
    again = sealed(with_entry(filled(pdfs.signed(with_fields()), {fields.NUMBER: NUMBER}), fields.NUMBER, "/V", NO))
    assert check(again).verdict is Verdict.VALID
    after = sealed(filled(pdfs.signed(with_fields()), {fields.NUMBER: NUMBER}))
    assert reasons(sealed(with_entry(after, fields.NUMBER, "/V", NO)))[1] is Reason.CHANGED_AFTER_SIGNING


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("/Rect", generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))),
        ("/F", generic.NumberObject(0)),
        ("/Ff", generic.NumberObject(0)),
        ("/DA", generic.TextStringObject("/Helv 40 Tf 1 0 0 rg")),
        ("/AA", generic.DictionaryObject()),
    ],
)
def test_a_foreseen_field_is_filled_and_nothing_else_about_it_changes(key: str, value: generic.PdfObject) -> None:
    moved = sealed(with_entry(headed(), fields.NUMBER, key, value), field_name=fields.SEAL)
    assert reasons(moved)[1] is Reason.CHANGED_AFTER_SIGNING


def test_no_other_field_is_filled_after_a_signature() -> None:
    signed = pdfs.signed(with_fields(specs=(*SPECS, OTHER)))
    assert reasons(sealed(filled(signed, {OTHER.name: DATE})))[0] is Reason.CHANGED_AFTER_SIGNING


def test_what_the_signature_itself_closed_is_not_filled() -> None:
    signed = pdfs.signed(with_fields(specs=(SPECS[1],)), field_name=HEAD)
    assert check(signed).verdict is Verdict.VALID
    closed = pdfs.signed(with_fields(), field_name=fields.SEAL)
    forced = with_entry(closed, fields.NUMBER, "/V", NO)
    assert reasons(forced) == [Reason.CHANGED_AFTER_SIGNING]


def test_a_field_of_a_foreseen_name_that_came_later_is_no_foreseen_field() -> None:
    signed = pdfs.signed(with_fields(specs=(SPECS[1],)), field_name=HEAD)

    def change(writer: IncrementalPdfFileWriter) -> None:
        added = writer.add_object(
            generic.DictionaryObject(
                {
                    generic.pdf_name("/FT"): generic.pdf_name("/Tx"),
                    generic.pdf_name("/T"): generic.TextStringObject(fields.NUMBER),
                    generic.pdf_name("/V"): NO,
                }
            )
        )
        form_fields = writer.root["/AcroForm"]["/Fields"]
        form_fields.append(added)
        writer.update_container(form_fields)

    assert reasons(pdfs.updated(signed, change)) == [Reason.CHANGED_AFTER_SIGNING]


def test_an_appearance_is_not_swapped_under_the_same_value() -> None:
    done = issued()
    with pikepdf.open(BytesIO(done)) as pdf:
        (field,) = (one for one in pdf.Root.AcroForm.Fields if str(one.T) == fields.NUMBER)
        number, generation = field.AP.N.objgen

    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.get_object(generic.Reference(number, generation, writer))
        form._data = b"BT /F1 12 Tf (99) Tj ET"
        form._encoded_data = None
        writer.update_container(form)

    assert reasons(pdfs.updated(done, change))[-1:] == [Reason.CHANGED_AFTER_SIGNING]
