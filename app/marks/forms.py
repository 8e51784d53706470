"""What a person fills in about a picture."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import DecimalField
from wtforms.validators import InputRequired, NumberRange

from pki.layout.cleaning import LARGEST_SEAL_MM, SMALLEST_SEAL_MM


class PictureForm(FlaskForm):
    file = FileField(
        _l("Picture"),
        description=_l("PNG or JPEG, up to 5 MB. The paper is taken away; you see the result before it is used."),
        validators=[FileRequired(_l("Choose a picture."))],
    )


class SealForm(PictureForm):
    diameter_mm = DecimalField(
        _l("Diameter in millimetres"),
        description=_l("Measured on the registered seal, from edge to edge."),
        places=1,
        validators=[
            InputRequired(_l("Give the diameter of the seal.")),
            NumberRange(SMALLEST_SEAL_MM, LARGEST_SEAL_MM, _l("A seal measures between 30 and 42 mm across.")),
        ],
    )


class ActForm(FlaskForm):
    """A press of a button."""
