"""Portraits that guests give: opened with limits, stripped of everything but the picture, made small, kept, deleted."""

from __future__ import annotations

import io
import struct
import threading
from typing import Final

from flask_babel import lazy_gettext as _l
from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Invalid, TooLarge
from app.core.storage import Storage
from app.meetings.models import Guest

MAXIMUM_BYTES: Final = 8 * 1024 * 1024
# Unpacked, such a picture takes about 100 MB.
MAXIMUM_PIXELS: Final = 24_000_000
SMALLEST_SIDE: Final = 200
SIZE: Final = (360, 480)
# For the gates' roster, which carries thousands of them.
THUMBNAIL: Final = (120, 160)
THUMBNAIL_BYTES: Final = 1_500
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
# Few at a time, so that many large pictures do not take the memory of the whole process.
_slots: Final = threading.BoundedSemaphore(2)


def prepare(content: bytes) -> bytes:
    """Return a WebP of 360 by 480 pixels without any data about camera or place.

    Raises TooLarge over 8 MB or 24 million pixels, Invalid for anything that is not a JPEG, PNG or WebP picture, and
    for one that is too small to know a face by.
    """
    if len(content) > MAXIMUM_BYTES:
        raise TooLarge(_l("The picture is over 8 MB."), _l("Choose a smaller one, or take it with lower quality."))
    with _slots:
        return _small(_upright(content))


def thumbnail(portrait: bytes) -> bytes:
    """Return what `prepare` made, as a WebP of 120 by 160 pixels and at most 1,500 octets."""
    with Image.open(io.BytesIO(portrait), formats=["WEBP"]) as picture:
        small = picture.resize(THUMBNAIL, Image.Resampling.LANCZOS)
    for quality in range(40, 0, -5):
        buffer = io.BytesIO()
        small.save(buffer, "WEBP", quality=quality, method=4)
        if buffer.tell() <= THUMBNAIL_BYTES:
            break
    return buffer.getvalue()


def give(session: Session, storage: Storage, guest: Guest, picture: bytes | None) -> None:
    """Give `guest` another portrait, or none. The one before is deleted for good unless another guest has the same."""
    session.refresh(guest, with_for_update={"of": Guest})
    before, guest.portrait_sha256 = guest.portrait_sha256, storage.put(picture) if picture else None
    guest.thumbnail = thumbnail(picture) if picture else None
    session.flush()
    if before is not None and session.scalar(select(Guest.id).where(Guest.portrait_sha256 == before).limit(1)) is None:
        # Before the commit: if that fails, a portrait is gone that nobody wanted; the other way one would stay.
        storage.remove(before)


def _upright(content: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(content), formats=_FORMATS)
        # The head of the file says how large it is; nothing is unpacked before that is checked.
        if picture.width * picture.height > MAXIMUM_PIXELS:
            raise TooLarge(_l("The picture has too many pixels."), _l("Choose a smaller one."))
        picture.draft("RGB", SIZE)
        return ImageOps.exif_transpose(picture).convert("RGB")
    except Image.DecompressionBombError as error:
        raise TooLarge(_l("The picture has too many pixels."), _l("Choose a smaller one.")) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error) as error:
        raise Invalid(_l("This is not a picture that can be opened."), _l("Choose a JPEG or PNG picture.")) from error


def _small(upright: Image.Image) -> bytes:
    if min(upright.size) < SMALLEST_SIDE:
        raise Invalid(_l("The picture is too small."), _l("Choose one of at least 200 by 200 pixels."))
    buffer = io.BytesIO()
    # Faces sit in the upper part of a picture.
    ImageOps.fit(upright, SIZE, Image.Resampling.LANCZOS, centering=(0.5, 0.35)).save(buffer, "WEBP", quality=70)
    return buffer.getvalue()
