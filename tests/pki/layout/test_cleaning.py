"""Pictures of signatures and seals: paper is taken away, colour, resolution and size are judged."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from pki.errors import PictureRefused
from pki.layout.cleaning import LARGEST_FILE, PictureFault, PictureKind, clean
from tests.factories import pictures
from tests.factories.pictures import BLACK, BLUE, RED, jpeg, on_paper, png, stamp, strokes


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.mark.parametrize("encode", [png, jpeg])
@pytest.mark.parametrize("lamp", [True, False])
def test_paper_is_taken_away_and_the_ink_stays_where_it_was(encode: object, lamp: bool) -> None:
    assert callable(encode)
    made = clean(encode(on_paper(strokes(), lamp=lamp)), PictureKind.SIGNATURE)
    picture = opened(made.png)
    alpha = picture.getchannel("A")
    clear = alpha.histogram()[0] / (picture.width * picture.height)
    assert (picture.format, picture.mode, made.paper_removed) == ("PNG", "RGBA", True)
    assert clear > 0.6
    # All the ink, and nothing but it: compared with what was drawn.
    drawn = strokes().getchannel("A")
    box = drawn.getbbox()
    assert box is not None
    wanted = drawn.crop(box).resize(picture.size)
    same = sum(
        (one > 128) == (other > 128) for one, other in zip(wanted.tobytes(), alpha.tobytes(), strict=True)
    ) / len(wanted.tobytes())
    assert same > 0.97


def test_edges_have_the_colour_of_the_ink_and_not_of_the_paper() -> None:
    picture = opened(clean(jpeg(on_paper(strokes())), PictureKind.SIGNATURE).png)
    faint = [pixel for pixel in picture.get_flattened_data() if 20 < pixel[3] < 150]
    assert faint
    assert sum(pixel[2] > pixel[0] + 30 for pixel in faint) / len(faint) > 0.95


def test_a_transparent_picture_is_only_cut_to_its_ink() -> None:
    made = clean(png(strokes()), PictureKind.SIGNATURE)
    assert not made.paper_removed
    assert made.width_mm == pytest.approx(40.0, abs=0.1)
    assert 0 < made.height_mm <= 20.0
    assert made.coloured == pytest.approx(1.0, abs=0.01)
    width, height = opened(made.png).size
    assert width / height == pytest.approx(made.width_mm / made.height_mm, rel=0.01)


def test_a_seal_has_the_size_that_was_registered_for_it() -> None:
    made = clean(jpeg(on_paper(stamp())), PictureKind.SEAL, diameter_mm=36.0)
    assert made.width_mm == pytest.approx(36.0, abs=0.3)
    assert made.height_mm == pytest.approx(36.0, abs=0.3)
    assert made.dpi == pytest.approx(800 / 36 * 25.4, abs=5)
    # No finer than paper needs: a document carries it for decades.
    assert max(opened(made.png).size) == pytest.approx(36 / 25.4 * 400, abs=2)


@pytest.mark.parametrize(
    ("content", "kind", "fault"),
    [
        (b"no picture", PictureKind.SIGNATURE, PictureFault.NOT_A_PICTURE),
        (png(strokes())[:2000], PictureKind.SIGNATURE, PictureFault.NOT_A_PICTURE),
        (bytes(LARGEST_FILE + 1), PictureKind.SIGNATURE, PictureFault.TOO_LARGE),
        (png(Image.new("L", (8000, 5001))), PictureKind.SIGNATURE, PictureFault.TOO_LARGE),
        (png(Image.new("RGB", (900, 400), "white")), PictureKind.SIGNATURE, PictureFault.NO_INK),
        (png(Image.new("RGBA", (900, 400), BLUE)), PictureKind.SIGNATURE, PictureFault.NO_INK),
        (png(strokes(ink=BLACK)), PictureKind.SIGNATURE, PictureFault.NOT_BLUE),
        (jpeg(on_paper(strokes(ink=RED))), PictureKind.SIGNATURE, PictureFault.NOT_BLUE),
        (png(strokes(width=400, height=240)), PictureKind.SIGNATURE, PictureFault.TOO_COARSE),
        (png(stamp(ink=BLUE)), PictureKind.SEAL, PictureFault.NOT_RED),
        (png(stamp(size=380)), PictureKind.SEAL, PictureFault.TOO_COARSE),
        (png(stamp().resize((1000, 900))), PictureKind.SEAL, PictureFault.NOT_ROUND),
    ],
)
def test_a_picture_that_breaks_a_rule_is_refused_with_the_rule(
    content: bytes, kind: PictureKind, fault: PictureFault
) -> None:
    with pytest.raises(PictureRefused) as refused:
        clean(content, kind, diameter_mm=36.0 if kind is PictureKind.SEAL else None)
    assert refused.value.fault is fault


def test_a_solid_block_is_no_signature() -> None:
    block = Image.new("RGBA", (900, 600), (*BLUE, 0))
    block.paste((*BLUE, 255), (100, 100, 800, 500))
    with pytest.raises(PictureRefused) as refused:
        clean(png(block), PictureKind.SIGNATURE)
    assert refused.value.fault is PictureFault.ONLY_INK


def test_a_bomb_is_not_unpacked() -> None:
    # 400 million pixels in a few kilobytes.
    with pytest.raises(PictureRefused) as refused:
        clean(png(Image.new("1", (20_000, 20_000))), PictureKind.SIGNATURE)
    assert refused.value.fault is PictureFault.TOO_LARGE


@pytest.mark.parametrize("diameter", [None, 29.9, 42.1])
def test_a_seal_of_an_implausible_size_is_refused(diameter: float | None) -> None:
    with pytest.raises(PictureRefused) as refused:
        clean(png(stamp()), PictureKind.SEAL, diameter_mm=diameter)
    assert refused.value.fault is PictureFault.SIZE_IMPLAUSIBLE


def test_the_plausible_sizes_include_their_ends() -> None:
    for diameter in (30.0, 42.0):
        assert clean(png(stamp()), PictureKind.SEAL, diameter_mm=diameter).width_mm == pytest.approx(diameter)


def test_a_telephone_held_upright_is_believed() -> None:
    lying = on_paper(strokes())
    output = BytesIO()
    exif = Image.Exif()
    # Orientation 6: to be turned by a quarter clockwise.
    exif[0x0112] = 6
    lying.rotate(90, expand=True).save(output, "JPEG", exif=exif.tobytes())
    made = clean(output.getvalue(), PictureKind.SIGNATURE)
    assert made.width_mm > made.height_mm


def test_what_was_sent_is_kept_for_comparison_and_small() -> None:
    before = opened(clean(jpeg(on_paper(pictures.strokes(2600, 1500))), PictureKind.SIGNATURE).before_png)
    assert max(before.size) == 700
