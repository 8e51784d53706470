"""Portraits that guests give: opened with limits, stripped of everything but the picture, and made small."""

from __future__ import annotations

import io
import warnings
from typing import Final

from flask_babel import lazy_gettext as _l
from PIL import Image, ImageOps, UnidentifiedImageError

from app.core.errors import Invalid, TooLarge

MAXIMUM_BYTES: Final = 8 * 1024 * 1024
MAXIMUM_PIXELS: Final = 40_000_000
SMALLEST_SIDE: Final = 200
SIZE: Final = (360, 480)
_FORMATS: Final = ("JPEG", "PNG", "WEBP")


def prepare(content: bytes) -> bytes:
    """Return a WebP of 360 by 480 pixels without any data about camera or place.

    Raises TooLarge over 8 MB or 40 million pixels, Invalid for anything that is not a JPEG, PNG or WebP picture, and
    for one that is too small to know a face by.
    """
    if len(content) > MAXIMUM_BYTES:
        raise TooLarge(_l("The picture is over 8 MB."), _l("Choose a smaller one, or take it with lower quality."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=_FORMATS)
            # The head of the file says how large it is; nothing is unpacked before that is checked.
            if picture.width * picture.height > MAXIMUM_PIXELS:
                raise TooLarge(_l("The picture has too many pixels."), _l("Choose a smaller one."))
            picture.draft("RGB", SIZE)
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        raise Invalid(_l("This is not a picture that can be opened."), _l("Choose a JPEG or PNG picture.")) from error
    if min(upright.size) < SMALLEST_SIDE:
        raise Invalid(_l("The picture is too small."), _l("Choose one of at least 200 by 200 pixels."))
    buffer = io.BytesIO()
    # Faces sit in the upper part of a picture.
    ImageOps.fit(upright, SIZE, Image.Resampling.LANCZOS, centering=(0.5, 0.35)).save(buffer, "WEBP", quality=70)
    return buffer.getvalue()
