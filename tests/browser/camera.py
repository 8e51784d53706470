"""A film for Chromium's fake camera: a code held up, then taken away, over and over (Y4M, grey)."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from pki.passes import qr

WIDTH, HEIGHT = 1280, 720
GREY = 90


def film(path: Path, digits: str) -> Path:
    """Write two seconds with the code and half a second without; the browser plays it in a loop."""
    blank = Image.new("L", (WIDTH, HEIGHT), GREY)
    held = blank.copy()
    rows = qr.matrix(digits, qr.Level.SCREEN)
    code = Image.new("L", (len(rows), len(rows)), 255)
    code.putdata([0 if module else 255 for row in rows for module in row])
    # Somewhat turned and off the centre, as a hand holds a phone.
    side = 480
    turned = code.resize((side, side), Image.Resampling.NEAREST).rotate(
        6, Image.Resampling.BICUBIC, expand=True, fillcolor=GREY
    )
    held.paste(turned, ((WIDTH - turned.width) // 2 + 40, (HEIGHT - turned.height) // 2 - 20))
    colours = bytes([128]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode())
        for frame in [held] * 20 + [blank] * 5:
            file.write(b"FRAME\n" + frame.tobytes() + colours)
    return path
