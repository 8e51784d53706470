"""The code on a visitor's badge: digits that the desk reads as the visitor leaves; no gate opens to it."""

from __future__ import annotations

import base64

from pki.passes import qr


def picture(digits: str) -> str:
    """Return the code as the address of a picture that stands in the page itself."""
    png = qr.render_png(digits, qr.Level.PAPER, scale=6)
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
