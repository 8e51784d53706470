"""Forms of routes. Each act carries the version of the route that its page showed."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import HiddenInput

from app.routes import words
from app.routes.models import Act

PERSON: Final = "person"
POST: Final = "post"
_ACTS: Final = [(act.value, words.ACTS[act]) for act in Act]


class ActForm(FlaskForm):
    """Only the form token: for acts that change no running route."""


class VersionForm(FlaskForm):
    """An act on a route as it was shown."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired()])


class NoteForm(VersionForm):
    note = TextAreaField(_l("Note (optional)"), validators=[Length(max=1000)])


class ReasonForm(VersionForm):
    reason = TextAreaField(
        _l("Why do you send it back?"),
        description=_l("The drafter reads this and changes the document."),
        validators=[InputRequired(_l("Say why, so that the drafter knows what to change.")), Length(max=1000)],
    )


class WithdrawForm(VersionForm):
    reason = TextAreaField(_l("Why do you withdraw it? (optional)"), validators=[Length(max=1000)])


class NewRouteForm(FlaskForm):
    document = SelectField(_l("Main document"), validators=[InputRequired(_l("Choose a document."))])
    template = SelectField(
        _l("Template"),
        description=_l("Its steps and recipients are copied; you can change them."),
        validators=[Optional()],
    )


class StepForm(FlaskForm):
    who = RadioField(_l("Who"), validators=[InputRequired(_l("Choose somebody of the list."))])
    act = RadioField(_l("What they do"), choices=_ACTS, validators=[InputRequired(_l("Choose what they do."))])
    means = RadioField(
        _l("This step means"),
        choices=[(PERSON, _l("this person")), (POST, _l("whoever holds this post when the turn comes"))],
        default=PERSON,
    )
    beside = BooleanField(_l("At the same time as the step before"))
    days = IntegerField(
        _l("Working days to act (optional)"),
        description=_l("They count from the day on which the turn comes."),
        validators=[Optional(), NumberRange(min=1, max=60)],
    )


class AgencyForm(FlaskForm):
    agency = RadioField(_l("Agency"), validators=[InputRequired(_l("Choose an agency."))])


class AddressForm(FlaskForm):
    name = StringField(_l("Name of the recipient"), validators=[InputRequired(_l("Enter a name.")), Length(max=160)])
    email = StringField(
        _l("E-mail"),
        validators=[InputRequired(_l("Enter an e-mail address, such as lan@example.com.")), Length(max=254)],
    )


class AttachForm(FlaskForm):
    document = SelectField(_l("Attachment"), validators=[InputRequired(_l("Choose a document."))])


class NameForm(FlaskForm):
    name = StringField(_l("Name of the template"), validators=[InputRequired(_l("Enter a name.")), Length(max=200)])


class DelegationForm(FlaskForm):
    deputy = RadioField(_l("Who acts instead"), validators=[InputRequired(_l("Choose somebody of the list."))])
    acts = SelectMultipleField(
        _l("What is handed over"), choices=_ACTS, validators=[InputRequired(_l("Choose what is handed over."))]
    )
    first = DateField(_l("First day"), validators=[InputRequired(_l("Enter the day, such as 23/11/2026."))])
    last = DateField(_l("Last day"), validators=[InputRequired(_l("Enter the day, such as 23/11/2026."))])
    reason = StringField(
        _l("Reason"),
        description=_l("It is shown on the route, such as “business trip”."),
        validators=[InputRequired(_l("Say why, such as a journey or leave.")), Length(max=200)],
    )


class AssignForm(FlaskForm):
    person = SelectField(_l("Assign to"), validators=[InputRequired(_l("Choose somebody of the list."))])
