"""Every rule of Decree 30 that a paper can break, each on a page that breaks it and on one that just does not."""

from __future__ import annotations

from io import BytesIO

import pikepdf
import pytest

from app.demo.official_letter import Letter, render
from pki.layout.plan import Signer
from pki.layout.rules import Rule
from pki.layout.survey import Finding, survey, survey_attachment
from pki.pades.fields import SEAL, FieldKind, FieldSpec, create_fields
from pki.pades.geometry import page_geometries
from pki.pades.open_fields import places_of
from pki.pades.placement import Corner, place

HEAD = "Trần Thị Hạnh"
FIELD = "ky_lanhdao_1"


def letter(*, signer: str = HEAD) -> bytes:
    return render(
        Letter(
            above="UBND THÀNH PHỐ SÔNG BIẾC",
            agency="SỞ KHOA HỌC VÀ CÔNG NGHỆ",
            symbol="TTr-SKHCN",
            place="Sông Biếc",
            kind="TỜ TRÌNH",
            subject="Về kinh phí",
            paragraphs=["Thực hiện kế hoạch của Thành phố. " * 8],
            post="GIÁM ĐỐC",
            signer=signer,
            recipients=["Như trên", "Lưu: VT"],
        )
    )


def shifted(pdf: bytes, x_mm: float = 0.0, y_mm: float = 0.0, *, size: tuple[float, float] = (210.0, 297.0)) -> bytes:
    """Return the page with all that stands on it moved, on paper of that size."""
    with pikepdf.open(BytesIO(pdf)) as opened, pikepdf.new() as made:
        page = made.add_blank_page(page_size=(size[0] * 72 / 25.4, size[1] * 72 / 25.4))
        form = made.copy_foreign(opened.pages[0].as_form_xobject())
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(L=form))
        moved = f"q 1 0 0 1 {x_mm * 72 / 25.4:.3f} {y_mm * 72 / 25.4:.3f} cm /L Do Q"
        page.obj.Contents = made.make_stream(moved.encode())
        output = BytesIO()
        made.save(output)
        return output.getvalue()


def look(pdf: bytes, *heads: str, diameter_mm: float = 36.0) -> list[Finding]:
    return survey(
        BytesIO(pdf),
        page_geometries(pdf),
        heads=[Signer(f"ky_lanhdao_{number}", name) for number, name in enumerate(heads or (HEAD,), 1)],
        seal_diameter_mm=diameter_mm,
        places=places_of(BytesIO(pdf)),
    )


def broken(pdf: bytes, *heads: str, diameter_mm: float = 36.0) -> set[Rule]:
    return {one.rule for one in look(pdf, *heads, diameter_mm=diameter_mm)}


def with_places(signature: tuple[float, float, float, float], seal: tuple[float, float, float, float]) -> bytes:
    """Return the letter with a head's place and a seal's: left, bottom, width, height in millimetres."""
    pdf = letter()
    specs = [
        FieldSpec(
            name,
            FieldKind.SIGNATURE,
            place(
                page_geometries(pdf),
                page=1,
                corner=Corner.BOTTOM_LEFT,
                x_mm=box[0],
                y_mm=box[1],
                width_mm=box[2],
                height_mm=box[3],
            ),
        )
        for name, box in ((FIELD, signature), (SEAL, seal))
    ]
    return pdf + create_fields(BytesIO(pdf), specs)


def test_a_letter_as_the_decree_lays_it_out_breaks_nothing() -> None:
    assert look(letter()) == []


def test_a_name_that_is_not_on_the_paper_is_said_with_the_name() -> None:
    missing = [one for one in look(letter(), "Nguyễn Văn Khác") if one.rule is Rule.BLOCK_MISSING]
    assert [(one.page, one.whose) for one in missing] == [(1, "Nguyễn Văn Khác")]


def test_a_head_whose_name_nobody_knows_yet_has_no_block() -> None:
    pdf = letter()
    heads = [Signer(FIELD, None)]
    found = survey(BytesIO(pdf), page_geometries(pdf), heads=heads, seal_diameter_mm=36, places={})
    assert [one.rule for one in found] == [Rule.BLOCK_MISSING]


@pytest.mark.parametrize(
    ("x", "y", "rule"),
    [
        (-2.0, 0.0, Rule.MARGIN_LEFT),
        (8.0, 0.0, Rule.MARGIN_RIGHT),
        (0.0, 6.0, Rule.MARGIN_TOP),
    ],
)
def test_text_in_a_margin_is_measured(x: float, y: float, rule: Rule) -> None:
    (finding,) = [one for one in look(shifted(letter(), x, y)) if one.rule in (rule,)]
    assert finding.measured_mm is not None
    assert finding.least_mm is not None
    assert finding.measured_mm < finding.least_mm


def test_text_near_the_foot_is_in_the_margin() -> None:
    (finding,) = [one for one in look(shifted(letter(), 0.0, -130.0)) if one.rule is Rule.MARGIN_BOTTOM]
    assert finding.measured_mm is not None
    assert 0 < finding.measured_mm < 20


def test_paper_of_another_size_is_said_with_its_size() -> None:
    found = {one.rule: one.measured_mm for one in look(shifted(letter(), size=(216.0, 279.0)))}
    assert found[Rule.PAGE_WIDTH] == pytest.approx(216, abs=0.1)
    assert found[Rule.PAGE_HEIGHT] == pytest.approx(279, abs=0.1)


def test_a_number_that_is_printed_already_leaves_no_place_for_one() -> None:
    assert {Rule.NUMBER_MISSING, Rule.DATE_MISSING} <= broken(shifted(letter(), 0.0, -150.0))


def test_a_seal_in_a_place_too_small_for_it_would_not_have_its_true_size() -> None:
    fits, narrow = (
        with_places((130, 127, 40, 20), (107.3, 119, 36, 36)),
        with_places((130, 127, 40, 20), (110, 120, 33.4, 33.4)),
    )
    assert Rule.SEAL_SIZE not in broken(fits)
    sizes = [one for one in look(narrow) if one.rule is Rule.SEAL_SIZE]
    assert sizes[0].measured_mm == pytest.approx(33.4, abs=0.05)


def test_a_seal_beside_the_signature_is_refused_by_its_overlap() -> None:
    assert Rule.SEAL_OVERLAP in broken(with_places((130, 127, 40, 20), (90, 119, 36, 36)))


def test_a_signature_away_from_its_name_is_measured_across_and_along() -> None:
    found = broken(with_places((150, 100, 40, 20), (127.3, 92, 36, 36)))
    assert {Rule.SIGNATURE_ACROSS, Rule.SIGNATURE_ALONG, Rule.SIGNATURE_TOUCHES_LINE} & found


def test_the_seal_stands_over_the_first_heads_signature_alone() -> None:
    # The same block for two heads: only the first is measured against the seal.
    wide = with_places((130, 127, 40, 20), (90, 119, 36, 36))
    assert [one.rule for one in look(wide, HEAD, HEAD)].count(Rule.SEAL_OVERLAP) == 1


def test_a_signature_on_another_page_than_its_name_was_put_there_on_purpose() -> None:
    pdf = numbered_second_page()
    made = place(page_geometries(pdf), page=1, corner=Corner.BOTTOM_LEFT, x_mm=10, y_mm=10, width_mm=40, height_mm=20)
    assert broken(pdf + create_fields(BytesIO(pdf), [FieldSpec(FIELD, FieldKind.SIGNATURE, made)])) == set()


def test_a_paper_with_places_but_none_for_the_seal_is_not_measured_for_one() -> None:
    pdf = letter()
    made = place(page_geometries(pdf), page=1, corner=Corner.BOTTOM_LEFT, x_mm=10, y_mm=10, width_mm=10, height_mm=10)
    # A seal that large would leave the page if it were to stand here.
    assert broken(pdf + create_fields(BytesIO(pdf), [FieldSpec("khac", FieldKind.SIGNATURE, made)])) == set()


def test_a_page_without_text_has_no_margins() -> None:
    with pikepdf.new() as empty:
        empty.add_blank_page(page_size=(595.28, 841.89))
        output = BytesIO()
        empty.save(output)
    found = {one.rule for one in look(output.getvalue())}
    assert found == {Rule.BLOCK_MISSING, Rule.NUMBER_MISSING, Rule.DATE_MISSING}


def test_a_page_number_in_the_top_margin_of_a_later_page_is_no_breach() -> None:
    pdf = numbered_second_page()
    assert broken(pdf) == set()


def numbered_second_page() -> bytes:
    """Put a page with only a number in its top margin and one line of text before the letter's own page."""
    with pikepdf.open(BytesIO(letter())) as opened:
        first = pikepdf.open(BytesIO(letter()))
        opened.pages.insert(0, first.pages[0])
        page = opened.pages[1]
        page.obj.Resources.Font["/H"] = opened.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        )
        page.contents_add(opened.make_stream(b"BT /H 13 Tf 295 805 Td (2) Tj ET"))
        output = BytesIO()
        opened.save(output)
        first.close()
        return output.getvalue()


def test_an_attachment_full_of_text_has_no_strip_and_one_with_a_place_needs_none() -> None:
    pdf = letter()
    pages = page_geometries(pdf)
    assert survey_attachment(BytesIO(pdf), pages, {}) == []
    with pikepdf.open(BytesIO(pdf)) as opened:
        page = opened.pages[0]
        page.contents_add(opened.make_stream(b"0.5 g 0 0 596 842 re f"), prepend=True)
        output = BytesIO()
        opened.save(output)
    assert [one.rule for one in survey_attachment(output, pages, {})] == [Rule.NO_FREE_STRIP]
    assert (
        survey_attachment(output, pages, places_of(BytesIO(with_places((130, 127, 40, 20), (90, 119, 36, 36))))) == []
    )
