"""Forms of issuing and of the books."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import HiddenInput

from app.accounts.passwords import MAXIMUM_LENGTH
from app.records import words
from app.records.copies import LONGEST_PURPOSE, LONGEST_REASON
from app.records.kinds import ISSUED_KINDS, LONGEST_SYMBOL
from app.records.registers import LONGEST_EXPLANATION, LONGEST_SUBJECT
from pki.pades.placement import Corner

_KINDS: Final = [(kind.value, words.KINDS[kind]) for kind in ISSUED_KINDS]
_CORNERS: Final = [
    (Corner.BOTTOM_LEFT.value, _l("bottom left")),
    (Corner.BOTTOM_RIGHT.value, _l("bottom right")),
    (Corner.TOP_LEFT.value, _l("top left")),
    (Corner.TOP_RIGHT.value, _l("top right")),
]
_CHOOSE_KIND: Final = _l("Choose the kind of document.")


class IssueForm(FlaskForm):
    """Everything that the clerk agrees to with the password; the day is the one that the page showed."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired()])
    kind = HiddenField(validators=[InputRequired(_CHOOSE_KIND)])
    issued_on = DateField(widget=HiddenInput(), validators=[InputRequired()])
    symbol = StringField(
        _l("Symbol behind the number"),
        description=_l("The number itself is given by the book at the moment of issue."),
        validators=[
            InputRequired(_l("Enter the symbol, such as QĐ-SKHCN.")),
            Length(max=LONGEST_SYMBOL, message=_l("A symbol has at most 40 characters.")),
        ],
    )
    page = IntegerField(
        _l("Page of the seal"),
        description=_l("Leave it empty for the last page."),
        validators=[Optional(), NumberRange(min=1, max=5000, message=_l("The first page is 1."))],
    )
    corner = RadioField(_l("Corner of the page"), choices=_CORNERS, default=Corner.BOTTOM_LEFT.value)
    password = PasswordField(
        _l("Your password"),
        description=_l("It confirms exactly what stands on this page, once, within five minutes."),
        validators=[InputRequired(_l("Enter your password.")), Length(max=MAXIMUM_LENGTH)],
    )


class ReserveForm(FlaskForm):
    kind = SelectField(_l("Kind of document"), choices=_KINDS, validators=[InputRequired(_CHOOSE_KIND)])
    subject = StringField(
        _l("What is the number kept for?"),
        description=_l("The subject of the paper document, without what is confidential."),
        validators=[
            InputRequired(_l("Say what the number is kept for, in up to 500 characters.")),
            Length(max=LONGEST_SUBJECT),
        ],
    )
    recipients = StringField(_l("Recipients (optional)"), validators=[Length(max=LONGEST_SUBJECT)])


class ExplainForm(FlaskForm):
    explanation = TextAreaField(
        _l("Why is the number given up?"),
        description=_l("It stands in the book for good, with your name and the time."),
        validators=[
            InputRequired(_l("Explain why the number is given up, in up to 1,000 characters.")),
            Length(max=LONGEST_EXPLANATION),
        ],
    )


class SymbolForm(FlaskForm):
    kind = SelectField(_l("Kind of document"), choices=_KINDS, validators=[InputRequired(_CHOOSE_KIND)])
    symbol = StringField(
        _l("Symbol behind the number"),
        description=_l("For example QĐ-SKHCN, or SKHCN-VP for a letter."),
        validators=[InputRequired(_l("Enter the symbol, such as QĐ-SKHCN.")), Length(max=LONGEST_SYMBOL)],
    )


class AskCopyForm(FlaskForm):
    """What kind of certified copy, of which pages, and what for."""

    form = RadioField(_l("Form of the copy"), validators=[InputRequired(_l("Choose the form of the copy."))])
    pages = StringField(
        _l("Pages of the extract"),
        description=_l("Only for an extract. For example: 1, 3-5."),
        validators=[Length(max=200, message=_l("Write them like this: 1, 3-5."))],
    )
    purpose = StringField(
        _l("What is the copy for?"),
        description=_l("The clerk reads it, and it stands in the book of copies."),
        validators=[
            InputRequired(_l("Say what the copy is for, in up to 300 characters.")),
            Length(max=LONGEST_PURPOSE, message=_l("Say what the copy is for, in up to 300 characters.")),
        ],
    )


class SealCopyForm(FlaskForm):
    """The clerk's password, for exactly this copy under the seal that the page showed."""

    seal = HiddenField(validators=[InputRequired()])
    password = PasswordField(
        _l("Your password"),
        description=_l("It confirms exactly what stands on this page, once, within five minutes."),
        validators=[InputRequired(_l("Enter your password.")), Length(max=MAXIMUM_LENGTH)],
    )


class DeclineCopyForm(FlaskForm):
    reason = TextAreaField(
        _l("Why is the copy not made?"),
        description=_l("Whoever asked for it reads this."),
        validators=[
            InputRequired(_l("Say why the copy is not made, in up to 500 characters.")),
            Length(max=LONGEST_REASON, message=_l("Say why the copy is not made, in up to 500 characters.")),
        ],
    )
