"""Forms of the desk."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectField, StringField
from wtforms.validators import UUID, InputRequired, Length, NumberRange, Regexp

from app.reception.models import VisitState
from app.reception.words import REASONS

_NAME = 120


class ActForm(FlaskForm):
    """Only the form token: for acts that need no input."""


class ByHandForm(FlaskForm):
    # Made with the page, so that pressing twice counts once.
    entry = HiddenField(validators=[UUID()])
    reason = RadioField(
        _l("Why by hand?"),
        choices=list(REASONS.items()),
        validators=[InputRequired(_l("Choose why this person is let in by hand."))],
    )


class VisitForm(FlaskForm):
    visit = HiddenField(validators=[UUID()])
    # The citizen number of a card that was read: hashed at once, never shown again.
    number = HiddenField(validators=[Length(max=12)])
    name = StringField(_l("Full name"), validators=[InputRequired(_l("Enter the visitor’s name.")), Length(max=_NAME)])
    organisation = StringField(_l("Organisation (optional)"), validators=[Length(max=_NAME)])
    purpose = StringField(
        _l("Purpose of the visit"),
        validators=[InputRequired(_l("Enter what the visit is about.")), Length(max=_NAME)],
    )


class AnswerForm(FlaskForm):
    answer = RadioField(
        _l("Your answer"),
        choices=[
            (VisitState.APPROVED.value, _l("Please let them in")),
            (VisitState.LATER.value, _l("Please ask them to come later")),
            (VisitState.REFUSED.value, _l("I cannot receive them")),
        ],
        validators=[InputRequired(_l("Choose an answer."))],
    )
    note = StringField(_l("A word to the desk (optional)"), validators=[Length(max=_NAME)])


_ZONE = NumberRange(0, 31, _l("A zone has a number from 0 to 31."))
_NAMED = [InputRequired(_l("Enter a name.")), Length(max=_NAME)]


class BuildingForm(FlaskForm):
    code = StringField(
        _l("Code"),
        description=_l("Short, such as TTHC. It stands in passes and cannot be changed."),
        validators=[
            InputRequired(_l("Enter a code.")),
            Regexp(r"^[A-Za-z0-9.-]{1,16}$", message=_l("Letters and digits, 16 at most.")),
        ],
    )
    name = StringField(_l("Name of the building"), validators=_NAMED)
    address = StringField(_l("Address"), validators=[InputRequired(_l("Enter the address.")), Length(max=_NAME)])
    keeper = StringField(
        _l("Code of the agency that keeps it"),
        description=_l("Its guards and its desk see who is inside."),
        validators=[InputRequired(_l("Enter the code of an agency.")), Length(max=_NAME)],
    )


class KeeperForm(FlaskForm):
    keeper = StringField(
        _l("Code of the agency that keeps it"),
        description=_l("Its guards and its desk see who is inside."),
        validators=[InputRequired(_l("Enter the code of an agency.")), Length(max=_NAME)],
    )


class RoomForm(FlaskForm):
    room = StringField(_l("Name of the room"), validators=_NAMED)


class ZoneForm(FlaskForm):
    number = IntegerField(_l("Number of the zone"), validators=[InputRequired(_l("Enter a number.")), _ZONE])
    zone_name = StringField(_l("Name of the zone"), validators=_NAMED)


class GateForm(FlaskForm):
    gate = StringField(_l("Name of the gate"), validators=_NAMED)
    gate_zone = IntegerField(
        _l("Number of the zone that it opens"),
        description=_l("0 is the entrance of the building."),
        validators=[InputRequired(_l("Enter a number.")), _ZONE],
    )


class WatchForm(FlaskForm):
    entry = HiddenField(validators=[UUID()])
    name = StringField(_l("Full name"), validators=_NAMED)
    number = StringField(_l("Citizen number (optional)"), validators=[Length(max=20)])
    building = SelectField(_l("Where"))
    reason = StringField(_l("Reason"), validators=[InputRequired(_l("Enter the reason.")), Length(max=_NAME)])
    until = DateField(_l("Until"), validators=[InputRequired(_l("Enter the day, such as 23/11/2026."))])
