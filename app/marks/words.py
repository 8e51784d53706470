"""Why a picture is not taken, and what to do, in words for the person who sent it; its states;
and what a ruler over the paper shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import format_decimal
from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence
from app.marks.models import PictureState
from pki.layout.cleaning import PictureFault
from pki.layout.rules import Length, Measure

FAULTS: Final[Mapping[PictureFault, tuple[Sentence, Sentence]]] = {
    PictureFault.NOT_A_PICTURE: (
        _l("The file is not a PNG or JPEG picture, or it is damaged."),
        _l("Save the picture as PNG or JPEG and choose it again."),
    ),
    PictureFault.TOO_LARGE: (
        _l("The picture is over 5 MB or has more than 40 million points."),
        _l("Save it smaller and choose it again."),
    ),
    PictureFault.NO_INK: (
        _l("There is nothing to be seen in the picture."),
        _l("Sign or stamp on white paper, in good light, and take a new picture."),
    ),
    PictureFault.ONLY_INK: (
        _l("The picture is filled with colour; no paper can be told from ink."),
        _l("Sign or stamp on white paper, in good light, and take a new picture."),
    ),
    PictureFault.NOT_BLUE: (
        _l("The signature is not blue."),
        _l("Sign with a blue pen: the rule for official documents asks for it."),
    ),
    PictureFault.NOT_RED: (
        _l("The seal is not red."),
        _l("Scan the seal in colour: the rule for official documents asks for red."),
    ),
    PictureFault.NOT_ROUND: (
        _l("The seal is not round in the picture."),
        _l("Hold the camera straight above the paper, or scan it, so that the seal is not pulled out of shape."),
    ),
    PictureFault.TOO_COARSE: (
        _l("The picture is too coarse: at its size on paper it has fewer than 300 points an inch."),
        _l("Scan at 300 dpi or more, or take the picture from nearer."),
    ),
    PictureFault.SIZE_IMPLAUSIBLE: (
        _l("A seal measures between 30 and 42 mm across."),
        _l("Measure the seal on paper, from edge to edge, and give its diameter in millimetres."),
    ),
}

STATES: Final[Mapping[PictureState, Sentence]] = {
    PictureState.PROPOSED: _l("Not yet accepted"),
    PictureState.IN_USE: _l("In use"),
    PictureState.REPLACED: _l("Replaced"),
    PictureState.WITHDRAWN: _l("No longer used"),
    PictureState.DISCARDED: _l("Discarded"),
}

LENGTHS: Final[Mapping[Length, Sentence]] = {
    Length.TO_POST: _l("%(mm)s mm below the line of the post"),
    Length.TO_NAME: _l("%(mm)s mm above the name"),
    Length.OFF_CENTRE: _l("%(mm)s mm off the middle of the name"),
    Length.COVERED: _l("The seal will cover %(mm)s mm of the signature: about a third"),
    Length.DIAMETER: _l("The seal measures %(mm)s mm across"),
}


def measured(one: Measure) -> str:
    """Say what a line of the ruler measures."""
    return str(LENGTHS[one.length]) % {"mm": format_decimal(one.mm, "0.0")}
