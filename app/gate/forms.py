"""Forms of the gate."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length, Regexp


class DeviceForm(FlaskForm):
    label = StringField(
        _l("Name of the tablet"),
        validators=[InputRequired(_l("Enter a name, such as the one on its sticker.")), Length(max=60)],
    )
    checkpoint = SelectField(_l("Where it stands"), validators=[InputRequired(_l("Choose a checkpoint."))])


class EnrolForm(FlaskForm):
    code = StringField(
        _l("One-time code"),
        filters=[lambda value: (value or "").replace(" ", "")],
        validators=[
            InputRequired(_l("Enter the code.")),
            Regexp(r"[0-9]{8}\Z", message=_l("The code has eight digits.")),
        ],
    )


class ActForm(FlaskForm):
    """Only the form token: for acts that need no input."""
