"""The forms of the archive: until which day to renew, and a day to ask about."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField
from wtforms.validators import InputRequired


class RunForm(FlaskForm):
    before = DateField(
        _l("Renew everything that is due before"),
        description=_l("Every night the archive renews by itself what is due. Choose a later day to do it ahead."),
        validators=[InputRequired(_l("Choose a day."))],
    )


class DayForm(FlaskForm):
    """A question, so it stands in the address and needs no token."""

    class Meta:
        csrf = False

    on = DateField(_l("Will it still verify on this day?"), validators=[InputRequired(_l("Choose a day."))])
