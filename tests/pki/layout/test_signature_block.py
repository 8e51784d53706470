"""The block of a signer, found on real pages: introduced by TM., KT. or TL., in two columns, in any spelling."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import pikepdf
import pytest

from pki.layout.signature_block import SignatureBlock, find_signature_block, signature_place
from pki.pades.geometry import page_geometries
from pki.pades.lettering import face, font_object, subset_of

HEAD = "Nguyễn Thị Hoà"
SIGNER, OTHER = 150.0, 70.0


@dataclass(frozen=True)
class Text:
    """A line of text around `middle`, `y` millimetres below the upper edge, drawn in as many spans as there are."""

    spans: Sequence[str]
    middle: float
    y: float


def at(text: str, y: float, middle: float = SIGNER) -> Text:
    return Text([text], middle, y)


def paper(*texts: Text, pages: int = 1) -> bytes:
    """Draw the texts on the last of the pages; a mark that is a character of its own over the letter before it."""
    shown = face("Bold")
    letters = "".join("".join(text.spans) for text in texts)
    data, glyph_ids = subset_of(shown, "".join(MARKS.get(one, one) for one in letters))
    with pikepdf.new() as pdf:
        for _ in range(pages):
            page = pdf.add_blank_page(page_size=(595.28, 841.89))
        font = font_object(pdf, shown, data, glyph_ids)
        font.ToUnicode = pdf.make_stream(read_as_marks(font.ToUnicode.read_bytes(), letters))
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
        page.obj.Contents = pdf.make_stream("\n".join(drawn(texts, glyph_ids)).encode())
        output = BytesIO()
        pdf.save(output)
        return output.getvalue()


# What stands in for marks, which the font has only together with their letters.
MARKS = {"\u0300": "`", "\u0301": "´", "\u0302": "^", "\u0303": "~", "\u0323": "¸", "\u031b": "¨"}


def read_as_marks(to_unicode: bytes, letters: str) -> bytes:
    for mark, stand_in in MARKS.items():
        if mark in letters:
            to_unicode = to_unicode.replace(f"<{ord(stand_in):04X}>".encode(), f"<{ord(mark):04X}>".encode())
    return to_unicode


def drawn(texts: Sequence[Text], glyph_ids: dict[str, int]) -> Iterator[str]:
    shown = face("Bold")
    for text in texts:
        joined = "".join(text.spans)
        left = text.middle * 72 / 25.4 - shown.width("".join(one for one in joined if one not in MARKS), 13) / 2
        before = 0.0
        pieces = [one for span in text.spans for one in (list(span) if set(span) & set(MARKS) else [span])]
        for span in pieces:
            codes = "".join(f"{glyph_ids[shown.glyphs[ord(MARKS.get(one, one))]]:04X}" for one in span)
            back = 0.9 * before if span in MARKS else 0.0
            yield f"BT /F 13 Tf {left - back:.2f} {(297 - text.y) * 72 / 25.4:.2f} Td <{codes}> Tj ET"
            if span not in MARKS:
                before = shown.width(span, 13)
                left += before


def find(pdf: bytes, signer: str = HEAD) -> SignatureBlock | None:
    return find_signature_block(BytesIO(pdf), page_geometries(pdf), signer)


def middle_of(block: SignatureBlock | None) -> float:
    assert block is not None
    return (block.name[0] + block.name[2]) / 2


@pytest.mark.parametrize(
    "lines",
    [
        ("GIÁM ĐỐC",),
        ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"),
        ("KT. GIÁM ĐỐC", "PHÓ GIÁM ĐỐC"),
        ("TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"),
        ("TL. GIÁM ĐỐC", "CHÁNH VĂN PHÒNG"),
        ("TUQ. GIÁM ĐỐC", "TRƯỞNG PHÒNG"),
        ("Q. GIÁM ĐỐC",),
    ],
)
def test_the_room_begins_below_the_post_whatever_line_introduces_it(lines: tuple[str, ...]) -> None:
    post = 200.0
    above = [at(line, post - 6 * (len(lines) - 1 - number)) for number, line in enumerate(lines)]
    block = find(paper(*above, at(HEAD, 236)))
    assert block is not None
    assert middle_of(block) == pytest.approx(SIGNER, abs=0.5)
    # The lowest line's ink stands on its base line.
    assert block.above[1] == pytest.approx(297 - post, abs=1.5)


@pytest.mark.parametrize(
    "written",
    [
        "NGUYỄN THỊ HOÀ",
        "Nguyễn Thị Hòa",
        unicodedata.normalize("NFD", "Nguyễn Thị Hoà"),
        unicodedata.normalize("NFD", "NGUYỄN THỊ HÒA"),
        "(Nguyễn Thị Hoà)",
    ],
)
def test_a_name_is_found_however_it_is_spelled(written: str) -> None:
    pdf = paper(at("GIÁM ĐỐC", 200), at(written, 236))
    for signer in (HEAD, unicodedata.normalize("NFD", HEAD), "nguyễn  thị hòa"):
        assert middle_of(find(pdf, signer)) == pytest.approx(SIGNER, abs=0.6)


@pytest.mark.parametrize("title", ["TS. ", "PGS. TS. ", "PGS.TS. ", "ThS. ", "Đại tá ", "BSCKII. ", "GS. TSKH. "])
def test_a_title_before_the_name_belongs_to_its_line(title: str) -> None:
    block = find(paper(at("HIỆU TRƯỞNG", 200), at(title + HEAD, 236)))
    assert middle_of(block) == pytest.approx(SIGNER, abs=0.6)


@pytest.mark.parametrize("before", ["Ông ", "Người soạn: ", "Trần "])
def test_other_words_before_the_name_make_it_no_signers_line(before: str) -> None:
    assert find(paper(at("GIÁM ĐỐC", 200), at(before + HEAD, 236))) is None


@pytest.mark.parametrize("spans", [["Ngu", "yễn T", "hị Ho", "à"], ["N", "guyễn", " ", "Thị", " Hoà"], list(HEAD)])
def test_a_name_in_odd_spans_is_one_name(spans: list[str]) -> None:
    assert find(paper(at("GIÁM ĐỐC", 200), Text(spans, SIGNER, 236))) is not None


def test_letters_that_are_set_apart_are_one_name() -> None:
    assert find(paper(at("GIÁM ĐỐC", 200), at(" ".join("NGUYỄN").replace("  ", " ") + " THỊ HOÀ", 236))) is not None


def test_two_signers_side_by_side_have_a_block_each() -> None:
    pdf = paper(
        at("KT. CHỦ TỊCH", 194, OTHER),
        at("PHÓ CHỦ TỊCH", 200, OTHER),
        at("GIÁM ĐỐC", 200),
        at("Lê Văn Khánh", 236, OTHER),
        at(HEAD, 236),
    )
    one, other = find(pdf, "Lê Văn Khánh"), find(pdf)
    assert (middle_of(one), middle_of(other)) == pytest.approx((OTHER, SIGNER), abs=0.5)
    assert one is not None
    assert other is not None
    assert signature_place(one)[2] < signature_place(other)[0]


def test_a_post_beside_does_not_narrow_the_room_of_the_other_column() -> None:
    pdf = paper(at("GIÁM ĐỐC", 190), at("NGƯỜI LẬP", 215, OTHER), at(HEAD, 236), at("Lê Văn Khánh", 250, OTHER))
    block = find(pdf)
    assert block is not None
    assert block.above[1] == pytest.approx(297 - 190, abs=1.5)


def test_of_several_lines_with_the_name_the_last_one_with_room_above_counts() -> None:
    twice = (at("GIÁM ĐỐC", 60), at(HEAD, 95), at("Điều 2. Giao bà", 110, 60), at("GIÁM ĐỐC", 200), at(HEAD, 236))
    block = find(paper(*twice, at("- Bà", 245, 50), at(HEAD, 250, 50)))
    assert block is not None
    assert block.name[3] < 297 - 230
    assert middle_of(block) == pytest.approx(SIGNER, abs=0.5)


def test_a_name_in_a_sentence_is_no_block() -> None:
    assert find(paper(at("GIÁM ĐỐC", 200), at(f"Giao {HEAD} thực hiện", 236))) is None


def test_the_last_page_is_looked_at_first_and_a_signer_without_a_name_has_no_block() -> None:
    pdf = paper(at("GIÁM ĐỐC", 200), at(HEAD, 236), pages=3)
    block = find(pdf)
    assert block is not None
    assert block.page == 3
    assert find(pdf, " ") is None
    assert find(pdf, "...") is None


def test_a_name_that_another_one_ends_with_is_not_taken_for_it() -> None:
    assert find(paper(at("GIÁM ĐỐC", 200), at("Nguyễn Thị Hoà", 236)), "Thị Hoà") is None
    assert find(paper(at("GIÁM ĐỐC", 200), at("Nguyễn Thị Hoá", 236))) is None
