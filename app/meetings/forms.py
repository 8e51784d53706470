"""Forms of meetings and guests. Times are entered and shown in the city's zone."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, DateField, RadioField, SelectField, StringField, TextAreaField, TimeField
from wtforms.validators import InputRequired, Length

from app.core.i18n import CITY_ZONE
from app.meetings import companions
from app.meetings.models import Reentry, Remind, Reply
from pki.passes.lease import Policy


class MeetingForm(FlaskForm):
    title = StringField(
        _l("What the meeting is about"), validators=[InputRequired(_l("Enter a title.")), Length(max=160)]
    )
    agency = SelectField(_l("In the name of"), validators=[InputRequired(_l("Choose an agency."))])
    room = SelectField(_l("Room"), validators=[InputRequired(_l("Choose a room."))])
    day = DateField(_l("Day"), validators=[InputRequired(_l("Enter the day, such as 23/11/2026."))])
    starts = TimeField(_l("Begins at"), validators=[InputRequired(_l("Enter when it begins, such as 08:00."))])
    ends = TimeField(_l("Ends at"), validators=[InputRequired(_l("Enter when it ends, such as 10:30."))])
    host = StringField(_l("Host"), validators=[InputRequired(_l("Enter who hosts the meeting.")), Length(max=120)])
    policy = RadioField(
        _l("When a gate has no network"),
        choices=[
            (Policy.STRICT, _l("Nobody enters twice: a guest whom the gate may not let in by itself goes to the desk")),
            (Policy.LENIENT, _l("Nobody waits: the gate lets in, and who entered twice is reported afterwards")),
        ],
        default=Policy.STRICT,
    )
    rotating = BooleanField(
        _l("The code changes every half minute"),
        description=_l(
            "A picture of it, or a letter passed on, opens no gate. Guests need a smartphone, or go to the desk."
        ),
    )
    reentry = RadioField(
        _l("Somebody who has left"),
        choices=[
            (Reentry.NONE, _l("Does not come in again")),
            (Reentry.DURING, _l("May come in again while the meeting lasts")),
            (Reentry.FREE, _l("May come in again as long as the invitation is valid")),
        ],
        default=Reentry.NONE,
    )

    reminders = RadioField(
        _l("Remind guests by e-mail"),
        choices=[
            (Remind.NONE.value, _l("Not at all")),
            (Remind.DAY.value, _l("A day before")),
            (Remind.HOURS.value, _l("Two hours before")),
            ((Remind.DAY | Remind.HOURS).value, _l("A day and two hours before")),
        ],
        coerce=int,
        default=Remind.DAY.value,
    )

    def starts_at(self) -> datetime:
        return datetime.combine(self.day.data, self.starts.data, CITY_ZONE)

    def ends_at(self) -> datetime:
        return datetime.combine(self.day.data, self.ends.data, CITY_ZONE)


class AgendaForm(FlaskForm):
    points = TextAreaField(_l("Points"), validators=[Length(max=20_000)])


class GuestForm(FlaskForm):
    name = StringField(_l("Full name"), validators=[InputRequired(_l("Enter the guest’s name.")), Length(max=120)])
    email = StringField(_l("E-mail"), validators=[InputRequired(_l("Enter the guest’s e-mail.")), Length(max=254)])
    organisation = StringField(_l("Organisation (optional)"), validators=[Length(max=120)])
    title = StringField(_l("Post or form of address (optional)"), validators=[Length(max=80)])
    seat = StringField(_l("Seat (optional)"), validators=[Length(max=40)])
    needs = StringField(_l("Help at the door (optional)"), validators=[Length(max=120)])


class CompanionForm(FlaskForm):
    kind = RadioField(
        _l("Who is it?"),
        choices=[(kind, words) for kind, words in companions.WORDS.items()],
        validators=[InputRequired(_l("Choose whether it is a companion, a driver or an interpreter."))],
    )
    name = StringField(_l("Full name"), validators=[InputRequired(_l("Enter the guest’s name.")), Length(max=120)])
    email = StringField(_l("E-mail (optional)"), validators=[Length(max=254)])
    needs = StringField(_l("Help at the door (optional)"), validators=[Length(max=120)])


class GuestFileForm(FlaskForm):
    file = FileField(_l("File of guests"), validators=[FileRequired(_l("Choose a file."))])


class AnswerForm(FlaskForm):
    answer = RadioField(
        _l("Do you come?"),
        choices=[(Reply.YES, _l("Yes, I come")), (Reply.MAYBE, _l("Perhaps")), (Reply.NO, _l("No, I cannot come"))],
        validators=[InputRequired(_l("Choose whether you come."))],
    )
    note = StringField(_l("A word to the organiser (optional)"), validators=[Length(max=300)])


class PortraitForm(FlaskForm):
    portrait = FileField(_l("Portrait"), validators=[FileRequired(_l("Choose a picture."))])


class ActForm(FlaskForm):
    """Only the form token: for acts that need no input."""
