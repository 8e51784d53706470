"""Fonts cut down by hand, read by a library that is not ours."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from pki.pades import lettering
from pki.pades.truetype import TrueType

FONTS = Path(lettering.__file__).parent / "fonts"
TEXT = "Ủy ban nhân dân phường Đồng Xuân, ký ngày 22/11/2026: ẵ ỡ Ự ệ"


@pytest.fixture(params=["Regular", "Bold"])
def data(request: pytest.FixtureRequest) -> bytes:
    return (FONTS / f"Tinos-{request.param}.ttf").read_bytes()


def outline(font: TTFont, name: str) -> list[tuple[str, object]]:
    glyphs = font.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    return list(pen.value)


def test_each_glyph_keeps_its_outline_and_its_width(data: bytes) -> None:
    whole = TTFont(BytesIO(data))
    wanted = {whole.getGlyphID(whole.getBestCmap()[ord(letter)]) for letter in TEXT}
    made, numbers = TrueType(data).subset(wanted)
    part = TTFont(BytesIO(made), checkChecksums=2)
    assert wanted <= numbers.keys()
    for old, new in numbers.items():
        was, now = whole.getGlyphName(old), part.getGlyphName(new)
        assert outline(part, now) == outline(whole, was)
        assert part["hmtx"][now] == whole["hmtx"][was]


def test_components_of_letters_come_with_them_and_nothing_else(data: bytes) -> None:
    whole = TTFont(BytesIO(data))
    composite = next(name for name in whole.getGlyphOrder() if whole["glyf"][name].isComposite())
    made, numbers = TrueType(data).subset([whole.getGlyphID(composite)])
    components = {one.glyphName for one in whole["glyf"][composite].components}
    assert components <= {whole.getGlyphName(old) for old in numbers}
    assert TTFont(BytesIO(made))["maxp"].numGlyphs == len(numbers) < 10


def test_a_line_of_text_takes_a_few_kilobytes(data: bytes) -> None:
    whole = TTFont(BytesIO(data))
    made, _ = TrueType(data).subset(whole.getGlyphID(whole.getBestCmap()[ord(letter)]) for letter in TEXT)
    assert len(made) < 8_000


def made_font(*, points: int) -> bytes:
    """Return a font whose glyphs are made of others, scaled in each way, and whose last glyphs share one width."""
    transformations = {"half": (0.5, 0, 0, 0.5), "flat": (1, 0, 0, 0.5), "turned": (0, 1, -1, 0)}
    builder = FontBuilder(1000, isTTF=True)
    names = [".notdef", "a", *transformations]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): name for letter, name in zip("abcd", names[1:], strict=True)})
    glyphs = {}
    for name in names:
        pen = TTGlyphPen({"a": None})
        if name in transformations:
            pen.addComponent("a", (*transformations[name], 300, 400))
        elif name == "a":
            pen.moveTo((0, 0))
            for number in range(points):
                pen.lineTo((number * 311 % 700, number * 437 % 900))
            pen.closePath()
        glyphs[name] = pen.glyph()
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(names, (500, 0)))
    builder.setupHorizontalHeader()
    builder.setupOS2()
    builder.setupPost()
    output = BytesIO()
    builder.save(output)
    return output.getvalue()


@pytest.mark.parametrize("points", [10, 36_000])
def test_glyphs_made_of_scaled_ones_and_shared_widths_are_kept(points: int) -> None:
    data = made_font(points=points)
    whole = TTFont(BytesIO(data))
    assert whole["hhea"].numberOfHMetrics < len(whole.getGlyphOrder())
    assert whole["head"].indexToLocFormat == (1 if points > 10_000 else 0)
    made, numbers = TrueType(data).subset([2, 3, 4])
    assert sorted(numbers) == [0, 1, 2, 3, 4]
    part = TTFont(BytesIO(made), checkChecksums=2)
    for old, new in numbers.items():
        was, now = whole.getGlyphName(old), part.getGlyphName(new)
        assert outline(part, now) == outline(whole, was)
        assert part["hmtx"][now] == whole["hmtx"][was]
