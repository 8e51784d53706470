"""Forms of the desk."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, StringField
from wtforms.validators import UUID, InputRequired, Length

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
