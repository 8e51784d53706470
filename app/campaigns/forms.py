"""Forms of campaigns and of the page behind an invitation."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from app.campaigns import words
from app.campaigns.models import Campaign, Mode
from pki.profiles import ProfileName


class CampaignForm(FlaskForm):
    title = StringField(_l("What the campaign is called"), validators=[InputRequired(_l("Enter a title.")), Length(max=120)])  # fmt: skip  # noqa: E501
    mode = RadioField(_l("How people get their certificate"), choices=list(words.MODES.items()), default=Mode.INVITE)
    profile = RadioField(_l("Kind of certificate"), choices=list(words.PROFILES.items()), default=ProfileName.CITIZEN_SIGNING)  # fmt: skip  # noqa: E501
    agency = SelectField(_l("For"), validators=[InputRequired(_l("Choose an agency."))])
    invitation_days = IntegerField(
        _l("Days for which a link is good"), default=30, validators=[InputRequired(), NumberRange(1, 90)]
    )
    letters_only = BooleanField(_l("Print a letter for everybody, send no e-mail"))
    file = FileField(_l("File of people (CSV or XLSX)"), validators=[FileRequired(_l("Choose a file."))])


class CorrectedFileForm(FlaskForm):
    file = FileField(_l("Corrected file (CSV or XLSX)"), validators=[FileRequired(_l("Choose a file."))])


class StopForm(FlaskForm):
    """Stopping cannot be undone, so the title is typed."""

    confirm = StringField(_l("Type the title of the campaign"), validators=[InputRequired()])

    def __init__(self, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._title = campaign.title

    def validate_confirm(self, field: StringField) -> None:
        if (field.data or "").strip() != self._title:
            raise ValidationError(str(_l("This is not the title of the campaign.")))


class QuotaForm(FlaskForm):
    quota_per_day = IntegerField(_l("At most a day (optional)"), validators=[Optional(), NumberRange(min=1)])


class DigitsForm(FlaskForm):
    digits = StringField(
        _l("Last four digits of your citizen number"),
        validators=[
            InputRequired(_l("Enter four digits.")),
            Regexp(r"^\s*\d{4}\s*$", message=_l("Enter four digits.")),
        ],
    )


class ActForm(FlaskForm):
    """Only the form token: for acts that need no input."""
