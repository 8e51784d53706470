"""Initials at the end of the text and, for who looked after the form, at the end of the recipients: measured."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import pikepdf
import pytest

from app.demo.official_letter import Letter, render
from pki.layout.initials import after_recipients, after_text
from pki.layout.plan import Signer, plan_fields
from pki.layout.signature_block import find_signature_block
from pki.layout.words import Line, lines_of
from pki.pades.geometry import page_geometries
from pki.pades.placement import Rectangle

HEAD = "Trần Thị Hạnh"
SHORT = ("Sở báo cáo để Thành phố xem xét, quyết định./.",)
# Its second line ends with the last word, near the right margin.
FULL_WIDTH = [
    (
        "Sở Khoa học và Công nghệ đề nghị các phòng rà soát, báo cáo kết quả thực hiện kế hoạch của năm trước khi "
        "trình Uỷ ban nhân dân Thành phố xem xét, quyết định vào cuối"
    )
]


def letter(paragraphs: Sequence[str] = SHORT, recipients: Sequence[str] = ("Như trên", "Lưu: VT, KHTC")) -> bytes:
    return render(
        Letter(
            above="UBND THÀNH PHỐ SÔNG BIẾC",
            agency="SỞ KHOA HỌC VÀ CÔNG NGHỆ",
            symbol="TTr-SKHCN",
            place="Sông Biếc",
            kind="TỜ TRÌNH",
            subject="Về kinh phí",
            paragraphs=["Kính gửi Uỷ ban nhân dân Thành phố.", *paragraphs],
            post="GIÁM ĐỐC",
            signer=HEAD,
            recipients=recipients,
        )
    )


def boxes(pdf: bytes, count: int) -> dict[str, tuple[int, Rectangle]]:
    """Return page and millimetres of each field of initials."""
    specs = plan_fields(
        BytesIO(pdf),
        page_geometries(pdf),
        heads=[Signer("ky_lanhdao_1", HEAD)],
        initials=[f"ky_nhay_{number}" for number in range(1, count + 1)],
        seal_diameter_mm=36,
    )
    found = {}
    for spec in specs:
        if spec.name.startswith("ky_nhay"):
            left, bottom, right, top = (one * 25.4 / 72 for one in spec.placement.rectangle)
            found[spec.name] = (spec.placement.page, (left, bottom, right, top))
    return found


def line_with(pdf: bytes, text: str, page: int = 1) -> Line:
    lines = lines_of(BytesIO(pdf), page, page_geometries(pdf)[page - 1])
    return next(line for line in lines if any(text in word.text for word in line.words))


def test_initials_stand_right_behind_the_last_line_of_the_text() -> None:
    pdf = letter()
    ((page, box),) = boxes(pdf, 1).values()
    last = line_with(pdf, "./.").box
    assert page == 1
    assert box[0] - last[2] == pytest.approx(2.0, abs=0.1)
    assert box[3] == pytest.approx(last[3], abs=0.1)
    assert (box[2] - box[0], box[3] - box[1]) == pytest.approx((22, 9), abs=0.1)


def test_behind_a_line_that_fills_the_width_they_stand_below_its_end() -> None:
    pdf = letter(FULL_WIDTH)
    (_, box) = boxes(pdf, 1)["ky_nhay_1"]
    last = line_with(pdf, "cuối").box
    assert last[2] + 2 + 22 > 195
    assert (box[2], box[3]) == pytest.approx((min(last[2], 195), last[1] - 1), abs=0.1)


def test_the_last_of_several_stands_behind_the_recipients_and_the_others_behind_the_text() -> None:
    pdf = letter()
    found = boxes(pdf, 3)
    text, list_end = line_with(pdf, "./.").box, line_with(pdf, "KHTC").words
    archive = next(word for word in list_end if "KHTC" in word.text).box
    for name, after in (("ky_nhay_1", 2.0), ("ky_nhay_2", 26.0)):
        assert found[name][1][0] - text[2] == pytest.approx(after, abs=0.1)
        assert found[name][1][3] == pytest.approx(text[3], abs=0.1)
    assert found["ky_nhay_3"][1][0] - archive[2] == pytest.approx(2.0, abs=0.3)
    assert found["ky_nhay_3"][1][3] == pytest.approx(archive[3], abs=0.6)


def test_without_a_list_of_recipients_all_stand_behind_the_text() -> None:
    with pikepdf.open(BytesIO(letter(recipients=()))) as opened:
        content = opened.pages[0].Contents.read_bytes().split(b"\n")
        # The heading of the list is the last line that is drawn in bold.
        bold = [at for at, line in enumerate(content) if line.startswith(b"BT /Bold")]
        del content[bold[-1]]
        opened.pages[0].Contents = opened.make_stream(b"\n".join(content))
        output = BytesIO()
        opened.save(output)
    pdf = output.getvalue()
    text = line_with(pdf, "./.").box
    found = boxes(pdf, 2)
    assert [round(box[0] - text[2]) for _, box in found.values()] == [2, 26]


def test_initials_cover_nothing_and_meet_neither_one_another_nor_the_seal() -> None:
    pdf = letter()
    found = [box for _, box in boxes(pdf, 5).values()]
    words = [word.box for line in lines_of(BytesIO(pdf), 1, page_geometries(pdf)[0]) for word in line.words]
    assert len(found) == 5
    for at, one in enumerate(found):
        for other in [*found[at + 1 :], *words]:
            across = min(one[2], other[2]) - max(one[0], other[0])
            upwards = min(one[3], other[3]) - max(one[1], other[1])
            assert across <= 0.05 or upwards <= 0.05


def test_where_the_block_begins_a_page_the_text_ends_on_the_page_before() -> None:
    block_page = only_the_block(letter())
    with pikepdf.open(BytesIO(letter())) as first, pikepdf.open(BytesIO(block_page)) as second:
        first.pages.append(second.pages[0])
        output = BytesIO()
        first.save(output)
    pdf = output.getvalue()
    pages = page_geometries(pdf)
    block = find_signature_block(BytesIO(pdf), pages, HEAD)
    assert block is not None
    assert block.page == 2
    assert {page for page, _ in after_text(BytesIO(pdf), pages, block)} == {1}
    alone = page_geometries(block_page)
    block = find_signature_block(BytesIO(block_page), alone, HEAD)
    assert block is not None
    assert not list(after_text(BytesIO(block_page), alone, block))
    assert list(after_recipients(BytesIO(block_page), alone, block))


def only_the_block(pdf: bytes) -> bytes:
    """Return the page without what stands above post and recipients."""
    limit = line_with(pdf, "GIÁM").box[3] * 72 / 25.4 + 2
    with pikepdf.open(BytesIO(pdf)) as opened:
        kept = []
        for line in opened.pages[0].Contents.read_bytes().split(b"\n"):
            parts = line.split()
            if parts[:1] == [b"BT"] and float(parts[5]) < limit:
                kept.append(line)
        opened.pages[0].Contents = opened.make_stream(b"\n".join(kept))
        output = BytesIO()
        opened.save(output)
        return output.getvalue()


def test_lines_that_introduce_the_post_are_no_text() -> None:
    pdf = letter()
    with pikepdf.open(BytesIO(pdf)) as opened:
        content = opened.pages[0].Contents.read_bytes().split(b"\n")
        post = next(line for line in content if line.startswith(b"BT /Bold") and abs(height(line) - post_at(pdf)) < 1)
        parts = post.split()
        parts[5] = f"{float(parts[5]) + 17:.2f}".encode()
        opened.pages[0].Contents = opened.make_stream(b"\n".join([*content, b" ".join(parts)]))
        output = BytesIO()
        opened.save(output)
    two_lines = output.getvalue()
    assert boxes(two_lines, 1)["ky_nhay_1"][1] == pytest.approx(boxes(pdf, 1)["ky_nhay_1"][1], abs=0.1)


def height(operator: bytes) -> float:
    return float(operator.split()[5])


def post_at(pdf: bytes) -> float:
    return line_with(pdf, "GIÁM").words[-1].box[1] * 72 / 25.4
