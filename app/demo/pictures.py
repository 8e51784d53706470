"""Signatures and seals of the demonstration, drawn by code: nobody's hand, no real seal, and marked as a sample."""

from __future__ import annotations

import math
import random
from datetime import datetime
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.core.permissions import Permission, house
from app.demo.people import PEOPLE
from app.marks import service as marks
from app.marks.models import MarkPicture
from app.marks.service import Owner
from app.registry.models import Agency
from pki.pades.lettering import FONTS

SEAL_MM: Final = 36.0
_BLUE: Final = (22, 58, 140, 255)
_RED: Final = (200, 30, 36, 255)
_CLEAR: Final = (255, 255, 255, 0)
_SEAL: Final = 1000
_SAMPLE: Final = "MẪU"


def create(session: Session, *, now: datetime) -> None:
    """Give every official a signature and every agency a seal unless there is a picture already."""
    if session.scalar(select(MarkPicture.id).limit(1)) is not None:
        return
    for one in PEOPLE:
        account = accounts.find_account(session, one.login)
        if account is None or not accounts.actor_of(account).may(Permission.SIGN_DOCUMENTS):
            continue
        actor = accounts.actor_of(account)
        made = marks.propose(session, actor, marks.own(actor), _png(signature(one.given_name)), now=now)
        marks.accept(session, actor, made, now=now)
    clerk = accounts.find_account(session, "thu")
    if clerk is None:
        raise LookupError("the demonstration has no clerk")
    for agency in session.scalars(select(Agency).where(Agency.id == clerk.grants[0].agency_id)):
        owner = Owner(agency_id=agency.id)
        drawn = _png(seal(agency.name))
        made = marks.propose(session, accounts.actor_of(clerk), owner, drawn, diameter_mm=SEAL_MM, now=now)
        marks.accept(session, house("demonstration"), made, now=now)


def signature(name: str) -> Image.Image:
    """Return strokes that differ from name to name, 1,200 by 600 points."""
    chance = random.Random(name)  # noqa: S311  a drawing, no secret
    picture = Image.new("RGBA", (1200, 600), _CLEAR)
    draw = ImageDraw.Draw(picture)
    turns, slant = chance.uniform(5, 9), chance.uniform(30, 90)
    heights = [chance.uniform(0.25, 1.0) for _ in range(12)]
    points = []
    for step in range(601):
        part = step / 600
        before, rest = divmod(part * 10, 1)
        high = (heights[int(before)] * (1 - rest) + heights[int(before) + 1] * rest) * (1 - 0.55 * part)
        wave = math.sin(part * turns * 2 * math.pi)
        points.append((120 + 860 * part + slant * wave, 330 - 190 * high * wave + 40 * math.sin(part * 5)))
    draw.line(points, fill=_BLUE, width=13, joint="curve")
    end = points[-1]
    draw.line([end, (end[0] - 420, end[1] + 130), (1120, 440)], fill=_BLUE, width=10, joint="curve")
    return picture


def seal(name: str) -> Image.Image:
    """Return two rings, the name between them, and “MẪU” in the middle: 1,000 points across."""
    picture = Image.new("RGBA", (_SEAL, _SEAL), _CLEAR)
    draw = ImageDraw.Draw(picture)
    for inset, width in ((0, 22), (36, 8), (230, 8)):
        draw.ellipse((inset, inset, _SEAL - 1 - inset, _SEAL - 1 - inset), outline=_RED, width=width)
    middle = ImageFont.truetype(FONTS / "Tinos-Bold.ttf", 190)
    draw.text((_SEAL / 2, _SEAL / 2), _SAMPLE, fill=_RED, font=middle, anchor="mm")
    _around(picture, name.upper())
    return picture


def _around(picture: Image.Image, text: str) -> None:
    """Write along the upper arc between the rings, each letter upright to the centre."""
    size = min(110, 2600 // max(12, len(text)))
    font = ImageFont.truetype(FONTS / "Tinos-Bold.ttf", size)
    radius = 366 - size * 0.35
    widths = [font.getlength(letter) for letter in text]
    angle = -sum(widths) / 2 / radius
    for letter, width in zip(text, widths, strict=True):
        at = angle + width / 2 / radius
        one = Image.new("RGBA", (_SEAL, _SEAL), _CLEAR)
        drawn = ImageDraw.Draw(one)
        drawn.text((_SEAL / 2, _SEAL / 2 - radius), letter, fill=_RED, font=font, anchor="ms")
        turned = one.rotate(-math.degrees(at), resample=Image.Resampling.BICUBIC)
        picture.alpha_composite(turned)
        angle += width / radius


def _png(picture: Image.Image) -> bytes:
    output = BytesIO()
    picture.save(output, "PNG")
    return output.getvalue()
