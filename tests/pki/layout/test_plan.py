"""Where the fields of an official document go: measured on the page, and on pictures that two renderers make of it."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pikepdf
import pypdfium2
import pytest

from app.demo.official_letter import Letter, render
from pki.layout.blanks import date_blank, number_blank
from pki.layout.free_place import along_the_foot, free_place
from pki.layout.plan import Signer, attachment_place, plan_attachment, plan_fields
from pki.layout.signature_block import (
    find_signature_block,
    is_plausible_seal,
    overlap_of,
    signature_place,
)
from pki.layout.slots import SlotText, date_in
from pki.layout.words import Line, Word, as_shown, lines_of
from pki.pades.fields import CODE, DATE, NUMBER, SEAL, FieldKind, FieldSpec, Lock, create_fields
from pki.pades.geometry import page_geometries

HEAD = "Trần Thị Hạnh"


def letter(*, signer: str = HEAD, symbol: str = "TTr-SKHCN", paragraphs: int = 1) -> bytes:
    return render(
        Letter(
            above="UBND THÀNH PHỐ SÔNG BIẾC",
            agency="SỞ KHOA HỌC VÀ CÔNG NGHỆ",
            symbol=symbol,
            place="Sông Biếc",
            kind="TỜ TRÌNH",
            subject="Về kinh phí",
            paragraphs=["Thực hiện kế hoạch của Thành phố. " * 8] * paragraphs,
            post="GIÁM ĐỐC",
            signer=signer,
            recipients=["Như trên", "Lưu: VT"],
        )
    )


def turned(pdf: bytes, *, rotation: int = 0, offset: int = 0, user_unit: float = 1) -> bytes:
    """Return the letter as a reader sees it, on a page that is turned, begins elsewhere, or has another unit."""
    with pikepdf.open(BytesIO(pdf)) as opened, pikepdf.new() as made:
        _, _, width, height = (float(one) / user_unit for one in opened.pages[0].mediabox.as_list())
        across, upwards = (height, width) if rotation in (90, 270) else (width, height)
        page = made.add_blank_page(page_size=(across, upwards))
        form = made.copy_foreign(opened.pages[0].as_form_xobject())
        matrix = {
            90: f"0 1 -1 0 {across} 0",
            180: f"-1 0 0 -1 {across} {upwards}",
            270: f"0 -1 1 0 0 {upwards}",
        }.get(rotation, "1 0 0 1 0 0")
        drawn = f"q 1 0 0 1 {offset} {offset} cm {matrix} cm {1 / user_unit} 0 0 {1 / user_unit} 0 0 cm /L Do Q"
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(L=form))
        page.obj.Contents = made.make_stream(drawn.encode())
        page.obj.MediaBox = pikepdf.Array([offset, offset, across + offset, upwards + offset])
        page.obj.Rotate, page.obj.UserUnit = rotation, user_unit
        output = BytesIO()
        made.save(output, min_version="1.7")
        return output.getvalue()


def plan(pdf: bytes, *, initials: int = 0, heads: tuple[str, ...] = (HEAD,)) -> dict[str, FieldSpec]:
    specs = plan_fields(
        BytesIO(pdf),
        page_geometries(pdf),
        heads=[Signer(f"ky_lanhdao_{number}", name) for number, name in enumerate(heads, 1)],
        initials=[f"ky_nhay_{number}" for number in range(1, initials + 1)],
        seal_diameter_mm=36,
    )
    return {spec.name: spec for spec in specs}


def attached(pdf: bytes) -> list[FieldSpec]:
    return plan_attachment(BytesIO(pdf), page_geometries(pdf))


def inked(*boxes: tuple[float, float, float, float], rotation: int = 0) -> bytes:
    """Return an A4 page with black boxes, in points from the lower left."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595.28, 841.89))
        drawn = "\n".join(f"{left} {bottom} {width} {height} re f" for left, bottom, width, height in boxes)
        page.obj.Contents, page.obj.Rotate = pdf.make_stream(drawn.encode()), rotation
        output = BytesIO()
        pdf.save(output)
        return output.getvalue()


@pytest.mark.parametrize("rotation", [0, 90])
def test_an_attachment_has_the_place_of_its_seal_at_the_top_right_as_it_is_shown(rotation: int) -> None:
    pdf = inked(rotation=rotation)
    (spec,) = attached(pdf)
    assert (spec.name, spec.kind, spec.lock) == (SEAL, FieldKind.SIGNATURE, Lock.ALL)
    (geometry,) = page_geometries(pdf)
    left, bottom, right, top = as_shown(spec.placement.rectangle, geometry)
    width, height = geometry.shown_size_mm
    assert (width - right, height - top, right - left, top - bottom) == pytest.approx((15, 8, 70, 17), abs=0.01)


def covered(*boxes: tuple[float, float, float, float]) -> bytes:
    """Return an A4 page that is grey wherever none of the boxes lies (millimetres: left, bottom, width, height)."""
    with pikepdf.new() as made:
        page = made.add_blank_page(page_size=(595.28, 841.89))
        operators = ["0.5 g 0 0 596 842 re f 1 g"]
        operators += [" ".join(f"{one * 72 / 25.4:.2f}" for one in box) + " re f" for box in boxes]
        page.obj.Contents = made.make_stream("\n".join(operators).encode())
        output = BytesIO()
        made.save(output)
        return output.getvalue()


@pytest.mark.parametrize(
    ("free", "lines", "found"),
    [
        # Room for the whole box, for two lines in the top margin, for two lines at the foot, and for nothing.
        ((100.0, 270.0, 110.0, 27.0), 4, (125, 272, 195, 289)),
        ((100.0, 280.0, 110.0, 12.0), 2, (125, 280.53, 195, 289)),
        ((0.0, 3.0, 210.0, 10.5), 2, (125, 4, 195, 12.47)),
        ((0.0, 3.0, 210.0, 10.5), 4, None),
        ((0.0, 140.0, 210.0, 40.0), 2, None),
    ],
)
def test_the_words_of_a_seal_find_a_free_strip_as_low_as_they_are(
    free: tuple[float, float, float, float], lines: int, found: tuple[float, ...] | None
) -> None:
    pdf = covered(free)
    place = attachment_place(BytesIO(pdf), page_geometries(pdf)[0], lines=lines)
    assert place == (pytest.approx(found, abs=0.05) if found is not None else None)


def test_the_seal_of_an_attachment_moves_aside_for_what_stands_there() -> None:
    (spec,) = attached(inked((500, 800, 90, 20)))
    assert spec.placement.rectangle[2] < 500
    (spec,) = attached(inked((0, 770, 595, 70)))
    assert spec.placement.rectangle[3] < 200


def test_a_page_that_is_full_has_no_place_for_the_seal() -> None:
    assert attached(inked((0, 0, 595, 841))) == []


def test_a_head_who_is_not_known_yet_leaves_the_others_their_places() -> None:
    specs = plan_fields(
        BytesIO(letter()),
        page_geometries(letter()),
        heads=[Signer("ky_lanhdao_1", HEAD), Signer("ky_lanhdao_2", None)],
        initials=[],
        seal_diameter_mm=36,
    )
    heads = {spec.name: spec for spec in specs if spec.name.startswith("ky_lanhdao")}
    assert list(heads) == ["ky_lanhdao_1"]
    assert heads["ky_lanhdao_1"].leaves == ("ky_lanhdao_2",)


def millimetres(rectangle: tuple[float, ...]) -> list[float]:
    return [one * 25.4 / 72 for one in rectangle]


def test_the_signature_is_centred_on_the_name_and_between_the_lines() -> None:
    pdf = letter()
    block = find_signature_block(BytesIO(pdf), page_geometries(pdf), HEAD)
    assert block is not None
    left, bottom, right, top = signature_place(block)
    assert (right - left, top - bottom) == pytest.approx((40, 20))
    # The letter sets its signer 150 mm from the left edge; letters have side bearings.
    assert (left + right) / 2 == pytest.approx(150, abs=0.5)
    assert top < block.above[1]
    assert bottom > block.name[3]
    assert top + bottom == pytest.approx(block.above[1] + block.name[3])


def test_the_seal_at_true_size_covers_a_third() -> None:
    fields = plan(letter())
    signature, seal = (millimetres(fields[name].placement.rectangle) for name in ("ky_lanhdao_1", SEAL))
    assert seal[2] - seal[0] == pytest.approx(36, abs=0.05)
    assert seal[3] - seal[1] == pytest.approx(36, abs=0.05)
    assert overlap_of(tuple(seal), tuple(signature)) == pytest.approx(1 / 3, abs=0.01)  # type: ignore[arg-type]
    assert seal[1] + seal[3] == pytest.approx(signature[1] + signature[3], abs=0.1)


def test_a_head_leaves_open_what_comes_at_issue_and_the_seal_closes_all() -> None:
    fields = plan(letter(), initials=2)
    assert fields["ky_lanhdao_1"].lock is Lock.ALL_BUT_ISSUE
    assert fields[SEAL].lock is Lock.ALL
    assert {NUMBER, DATE, CODE, "ky_nhay_1", "ky_nhay_2"} < fields.keys()


@pytest.mark.parametrize(
    ("rotation", "offset", "user_unit"),
    [(0, 100, 1), (90, 0, 1), (180, 0, 1), (270, 40, 1), (0, 0, 2), (90, 30, 0.5)],
)
def test_the_fields_stand_where_the_reader_sees_the_lines(rotation: int, offset: int, user_unit: float) -> None:
    straight, other = letter(), turned(letter(), rotation=rotation, offset=offset, user_unit=user_unit)
    words = [
        {word.text: word.box for line in lines_of(BytesIO(pdf), 1, page_geometries(pdf)[0]) for word in line.words}
        for pdf in (straight, other)
    ]
    assert words[0].keys() == words[1].keys()
    for text, box in words[0].items():
        assert words[1][text] == pytest.approx(box, abs=0.3), text
    assert plan(other, initials=1).keys() == plan(straight, initials=1).keys()
    assert create_fields(BytesIO(other), list(plan(other).values()))


def test_a_signer_who_is_not_named_gets_no_place() -> None:
    fields = plan(letter(), heads=("Người Khác",), initials=1)
    assert not {"ky_lanhdao_1", SEAL, "ky_nhay_1"} & fields.keys()
    assert NUMBER in fields


def test_a_name_without_room_above_is_no_block() -> None:
    pdf = letter(signer="Như trên")
    assert find_signature_block(BytesIO(pdf), page_geometries(pdf), "Lưu: VT") is None
    assert find_signature_block(BytesIO(pdf), page_geometries(pdf), "UBND THÀNH PHỐ SÔNG BIẾC") is None
    assert find_signature_block(BytesIO(pdf), page_geometries(pdf), "") is None


def test_a_page_without_text_has_no_lines() -> None:
    with pikepdf.new() as made:
        made.add_blank_page()
        output = BytesIO()
        made.save(output)
    pdf = output.getvalue()
    assert lines_of(BytesIO(pdf), 1, page_geometries(pdf)[0]) == []
    assert plan(pdf).keys() == {CODE}


def test_where_nothing_is_free_there_is_no_code_and_no_initial() -> None:
    with pikepdf.open(BytesIO(letter())) as opened:
        opened.pages[0].contents_add(b"0.9 g 0 0 595 842 re f", prepend=True)
        output = BytesIO()
        opened.save(output)
    assert not {CODE, "ky_nhay_1"} & plan(output.getvalue(), initials=1).keys()


def test_the_second_head_has_a_place_and_the_document_one_seal() -> None:
    fields = plan(letter(), heads=(HEAD, HEAD))
    assert {"ky_lanhdao_1", "ky_lanhdao_2", SEAL} <= fields.keys()


def test_the_number_goes_between_its_word_and_the_symbol() -> None:
    pdf = letter()
    lines = lines_of(BytesIO(pdf), 1, page_geometries(pdf)[0])
    blank = number_blank(lines, 297)
    words = {word.text: word.box for line in lines for word in line.words}
    assert blank is not None
    assert not blank.takes_symbol
    assert words["Số:"][2] < blank.box[0] < blank.box[2] < words["/TTr-SKHCN"][0]


def line(*words: tuple[str, float, float]) -> Line:
    """Words with their left and right edges, on one line in the head of a page."""
    return Line(tuple(Word(text, (left, 250.0, right, 254.0)) for text, left, right in words))


def test_a_printed_number_or_date_is_left_alone() -> None:
    assert number_blank([line(("Số:", 40, 46), ("12/UBND-VP", 47, 70))], 297) is None
    assert number_blank([line(("Số:", 40, 46), ("/UBND-VP", 47, 70))], 297) is None
    written = line(("ngày", 130, 138), ("23", 139, 143), ("tháng", 144, 154), ("11", 155, 159), ("năm", 160, 167))
    assert date_blank([written], 297) is None
    assert date_blank([line(("ngày", 130, 138), ("tháng", 139, 149), ("năm", 158, 165))], 297) is None


def test_dots_in_a_blank_are_no_text() -> None:
    dotted = line(("ngày", 130, 138), ("……", 139, 144), ("tháng", 148, 158), ("...", 159, 162), ("năm", 167, 174))
    blank = date_blank([dotted], 297)
    assert blank is not None
    assert (blank.day, blank.month) == ((138, 148), (158, 167))


def test_without_a_symbol_behind_it_the_blank_takes_both() -> None:
    blank = number_blank([line(("Số:", 40, 46), ("Sông", 120, 130))], 297)
    assert blank is not None
    assert blank.takes_symbol
    assert blank.box[2] - blank.box[0] == pytest.approx(45)


def test_words_in_the_lower_half_are_no_head_of_a_document() -> None:
    lines = lines_of(BytesIO(letter()), 1, page_geometries(letter())[0])
    assert number_blank(lines, 1000) is None
    assert date_blank(lines, 1000) is None


def test_day_and_month_are_drawn_into_their_blanks() -> None:
    pdf = letter()
    lines = lines_of(BytesIO(pdf), 1, page_geometries(pdf)[0])
    blank = date_blank(lines, 297)
    assert blank is not None
    mark = date_in(blank, date(2026, 2, 3))
    assert mark.texts == ("03", "02")
    assert date_in(blank, date(2026, 11, 23)).texts == ("23", "11")
    drawn = mark.render(width=80, height=20)
    with pypdfium2.PdfDocument(drawn) as document:
        text = document[0].get_textpage()
        assert text.get_text_range().split() == ["03", "02"]
        left, right = (text.get_charbox(number)[0] for number in (0, text.count_chars() - 1))
    assert 0 < left < 80 * mark.slots[0][1]
    assert 80 * mark.slots[1][0] < right < 80


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_slots_turn_with_the_page(rotation: int) -> None:
    size = (20, 80) if rotation in (90, 270) else (80, 20)
    drawn = SlotText(("23", "11"), ((0.0, 0.3), (0.7, 1.0))).render(width=size[0], height=size[1], rotation=rotation)
    with pypdfium2.PdfDocument(drawn) as document:
        document[0].set_rotation(rotation)
        picture = document[0].render(scale=4, grayscale=True).to_pil()
    assert picture.width > picture.height
    third = picture.width // 3
    ink = [picture.crop((at, 0, at + third, picture.height)).getextrema()[0] for at in (0, third, 2 * third)]
    assert ink[0] < 128
    assert ink[1] > 200
    assert ink[2] < 128


def test_a_place_is_free_only_where_nothing_is_drawn() -> None:
    pdf, (geometry,) = BytesIO(letter()), page_geometries(letter())
    taken, outside, empty = (30.0, 240.0, 190.0, 280.0), (200.0, 5.0, 215.0, 20.0), (60.0, 20.0, 80.0, 40.0)
    assert free_place(pdf, 1, geometry, [taken, (-5.0, 5.0, 20.0, 20.0), outside, empty]) == empty
    assert free_place(pdf, 1, geometry, [taken]) is None


def test_the_foot_is_searched_from_either_side() -> None:
    from_left, from_right = (list(along_the_foot(210, (24, 24), from_left=side)) for side in (True, False))
    assert from_left[0] == (15, 6, 39, 30)
    assert from_right[0] == (171, 6, 195, 30)
    assert all(box[0] >= 15 and box[2] <= 195 for box in from_left)


def test_initials_do_not_meet_one_another() -> None:
    fields = plan(letter(), initials=4)
    boxes = [spec.placement.rectangle for name, spec in fields.items() if name.startswith("ky_nhay")]
    assert len(boxes) >= 3
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_a_seal_has_a_plausible_size() -> None:
    assert is_plausible_seal(36)
    assert not is_plausible_seal(20)


def test_a_seal_that_would_leave_the_page_gets_no_field() -> None:
    pdf = letter()
    specs = plan_fields(
        BytesIO(pdf), page_geometries(pdf), heads=[Signer("ky_lanhdao_1", HEAD)], initials=[], seal_diameter_mm=400
    )
    assert SEAL not in {spec.name for spec in specs}


def test_a_gap_that_is_low_makes_a_smaller_signature() -> None:
    pdf = letter()
    block = find_signature_block(BytesIO(pdf), page_geometries(pdf), HEAD)
    assert block is not None
    left, bottom, right, top = signature_place(block, (80.0, 80.0))
    assert top - bottom == pytest.approx(right - left)
    assert top - bottom < block.above[1] - block.name[3]


def test_a_blank_for_the_number_that_would_leave_the_page_gets_no_field() -> None:
    with pikepdf.new() as made:
        page = made.add_blank_page(page_size=(595, 842))
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.obj.Contents = made.make_stream(b"BT /F1 13 Tf 540 780 Td (So:) Tj ET")
        output = BytesIO()
        made.save(output)
    assert NUMBER not in plan(output.getvalue())
