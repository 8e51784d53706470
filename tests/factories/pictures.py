"""Pictures of signatures and seals as people send them: on paper, under a lamp, or transparent already."""

from __future__ import annotations

import math
from io import BytesIO

from PIL import Image, ImageChops, ImageDraw

BLUE = (24, 62, 150)
RED = (206, 32, 38)
BLACK = (30, 30, 30)


def png(picture: Image.Image) -> bytes:
    output = BytesIO()
    picture.save(output, "PNG")
    return output.getvalue()


def jpeg(picture: Image.Image) -> bytes:
    output = BytesIO()
    picture.convert("RGB").save(output, "JPEG", quality=90)
    return output.getvalue()


def strokes(width: int = 1200, height: int = 700, ink: tuple[int, int, int] = BLUE) -> Image.Image:
    """A hand that swings from left to right, on a transparent ground; the ink is 1,000 of 1,200 pixels wide."""
    picture = Image.new("RGBA", (width, height), (*ink, 0))
    draw = ImageDraw.Draw(picture)
    points = [
        (
            width * (1 / 12 + 10 / 12 * step / 400),
            height / 2 + height / 4 * math.sin(step / 17) * math.cos(step / 90),
        )
        for step in range(401)
    ]
    draw.line(points, fill=(*ink, 255), width=max(2, width // 100), joint="curve")
    return picture


def stamp(size: int = 800, ink: tuple[int, int, int] = RED) -> Image.Image:
    """A ring with a smaller ring and a bar in it, of `size` pixels, with a margin of a tenth around it."""
    margin = size // 10
    picture = Image.new("RGBA", (size + 2 * margin, size + 2 * margin), (*ink, 0))
    draw = ImageDraw.Draw(picture)
    for inset in (0, size // 8):
        draw.ellipse(
            (margin + inset, margin + inset, margin + size - 1 - inset, margin + size - 1 - inset),
            outline=(*ink, 255),
            width=max(2, size // 40),
        )
    draw.rectangle(
        (margin + size // 3, margin + size * 9 // 20, margin + size * 2 // 3, margin + size * 11 // 20), (*ink, 255)
    )
    return picture


def on_paper(drawn: Image.Image, *, lamp: bool = True) -> Image.Image:
    """The same on cream paper, brighter on one side when it stands under a lamp."""
    paper = Image.new("RGB", drawn.size, (250, 248, 240))
    if lamp:
        shade = (
            Image.linear_gradient("L")
            .rotate(90)
            .resize(drawn.size)
            .point([180 + one * 75 // 255 for one in range(256)])
        )
        paper = ImageChops.multiply(paper, Image.merge("RGB", (shade, shade, shade)))
    paper.paste(drawn, mask=drawn.getchannel("A"))
    return paper
