"""Why a picture is not taken, and what to do, in words for the person who sent it; its states;
what a ruler over the paper shows, and which rules of Decree 30/2020 a paper breaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import format_decimal
from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence
from app.marks.models import PictureState
from pki.layout.cleaning import PictureFault
from pki.layout.rules import Length, Measure, Rule
from pki.layout.survey import Finding

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


# What is broken, with what was measured and what Decree 30/2020 allows, and what to do about it.
BREACHES: Final[Mapping[Rule, tuple[Sentence, Sentence]]] = {
    Rule.SIGNATURE_ACROSS: (
        _l("On page %(page)s the signature of %(whose)s is not centred on the name: it is %(off)s mm off."),
        _l("Up to 3 mm are allowed. Move the signature, or the name below it."),
    ),
    Rule.SIGNATURE_ALONG: (
        _l("On page %(page)s the signature of %(whose)s is not midway between post and name: it is %(off)s mm off."),
        _l("Up to 3 mm are allowed. Move the signature up or down."),
    ),
    Rule.SIGNATURE_TOUCHES_LINE: (
        _l("On page %(page)s the signature of %(whose)s reaches %(off)s mm over the line of the post or the name."),
        _l("Leave 25 to 35 mm between post and name, or make the signature smaller."),
    ),
    Rule.SEAL_OVERLAP: (
        _l(
            "On page %(page)s the seal covers %(measured)s mm of the signature of %(whose)s; "
            "%(least)s to %(most)s mm are asked for, about a third."
        ),
        _l("Make the place of the seal anew: replace the paper by a new version without fields."),
    ),
    Rule.SEAL_LEVEL: (
        _l("On page %(page)s the seal stands %(off)s mm too high or too low beside the signature of %(whose)s."),
        _l("The middle of the seal is at the height of the signature's, 3 mm at most above or below it."),
    ),
    Rule.SEAL_SIZE: (
        _l("On page %(page)s the seal would measure %(measured)s mm across; the registered one has %(true)s mm."),
        _l("A seal is stamped in its true size. Replace the paper by a new version, so that its place is made anew."),
    ),
    Rule.OUTSIDE_PAGE: (
        _l("On page %(page)s the signature or the seal of %(whose)s would stand %(off)s mm outside the page."),
        _l("Move post and name further into the page and upload the paper again."),
    ),
    Rule.BLOCK_MISSING: (
        _l("The block of the signer was not found: post, 25 to 35 mm of room, and below it the full name “%(whose)s”."),
        _l("Write the name as it stands in the register. Otherwise the signer chooses the place by hand."),
    ),
    Rule.NUMBER_MISSING: (
        _l("There is no empty place for the number after “Số:” on the first page."),
        _l("Leave at least 3 mm between “Số:” and the symbol. Otherwise the number does not stand on the paper."),
    ),
    Rule.DATE_MISSING: (
        _l("There are no empty places for day and month on the first page: “ngày … tháng … năm …”."),
        _l("Leave at least 3 mm for each. Otherwise the date of issue does not stand on the paper."),
    ),
    Rule.PAGE_WIDTH: (
        _l("Page %(page)s is %(measured)s mm wide; official documents are on A4, 210 mm wide."),
        _l("Set the paper to A4 in your word processor and save it as PDF again."),
    ),
    Rule.PAGE_HEIGHT: (
        _l("Page %(page)s is %(measured)s mm high; official documents are on A4, 297 mm high."),
        _l("Set the paper to A4 in your word processor and save it as PDF again."),
    ),
    Rule.MARGIN_LEFT: (
        _l("On page %(page)s the left margin is %(measured)s mm; it is %(least)s to %(most)s mm."),
        _l("Set the margins in your word processor and save it as PDF again."),
    ),
    Rule.MARGIN_RIGHT: (
        _l("On page %(page)s the right margin is %(measured)s mm; it is %(least)s to %(most)s mm."),
        _l("Set the margins in your word processor and save it as PDF again."),
    ),
    Rule.MARGIN_TOP: (
        _l("On page %(page)s the top margin is %(measured)s mm; it is %(least)s to %(most)s mm."),
        _l("Set the margins in your word processor and save it as PDF again."),
    ),
    Rule.MARGIN_BOTTOM: (
        _l("On page %(page)s the bottom margin is %(measured)s mm; it is %(least)s to %(most)s mm."),
        _l("Set the margins in your word processor and save it as PDF again."),
    ),
    Rule.NO_FREE_STRIP: (
        _l("Page %(page)s of the attachment has no free strip for number, symbol and time of sealing."),
        _l("Leave 9 mm empty at the top or the foot of its first page, 70 mm wide, and upload it again."),
    ),
}


def breach(one: Finding) -> tuple[str, str]:
    """Say which rule a paper breaks, with the figures, and what to do."""
    what, next_step = BREACHES[one.rule]
    measured, least, most = one.measured_mm or 0.0, one.least_mm or 0.0, one.most_mm or 0.0
    figures = {
        "page": one.page,
        "whose": one.whose,
        "measured": format_decimal(measured, "0.0"),
        "least": format_decimal(least, "0.0"),
        "most": format_decimal(most, "0.0"),
        # From where it belongs: the middle for a place, the nearest that is allowed for an edge.
        "off": format_decimal(_off(one.rule, measured, least, most), "0.0"),
        "true": format_decimal((least + most) / 2, "0.0"),
    }
    return str(what) % figures, str(next_step)


def _off(rule: Rule, measured: float, least: float, most: float) -> float:
    if rule in (Rule.SIGNATURE_ACROSS, Rule.SIGNATURE_ALONG, Rule.SEAL_LEVEL):
        return abs(measured - (least + most) / 2)
    return max(least - measured, measured - most)
