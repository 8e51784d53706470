"""Forms of signing in, of the password, and of access tokens."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, RadioField, SelectMultipleField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from app.accounts.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH


class SignInForm(FlaskForm):
    login = StringField(_l("Sign-in name"), validators=[InputRequired(_l("Enter your sign-in name.")), Length(max=100)])
    password = PasswordField(
        _l("Password"), validators=[InputRequired(_l("Enter your password.")), Length(max=MAXIMUM_LENGTH)]
    )


class PasswordForm(FlaskForm):
    current = PasswordField(
        _l("Your password now"), validators=[InputRequired(_l("Enter your password.")), Length(max=MAXIMUM_LENGTH)]
    )
    new = PasswordField(
        _l("New password"),
        description=_l("At least 15 characters. A few words that only you put together are easy to remember."),
        validators=[
            InputRequired(_l("Enter a new password.")),
            Length(min=MINIMUM_LENGTH, max=MAXIMUM_LENGTH, message=_l("Use from 15 to 256 characters.")),
        ],
    )
    again = PasswordField(
        _l("New password once more"),
        validators=[EqualTo("new", _l("The two new passwords are not the same."))],
    )


class TokenForm(FlaskForm):
    name = StringField(
        _l("What will use it"),
        description=_l("The name of the system, so that you know later what you would stop by ending the token."),
        validators=[
            InputRequired(_l("Give the token a name.")),
            Length(max=80, message=_l("Give the token a name of at most 80 characters.")),
        ],
    )
    # Its choices are the permissions that the person holds.
    scopes = SelectMultipleField(
        _l("What it may do"),
        description=_l("Choose only what the system needs. It never may more than you may yourself."),
        validators=[InputRequired(_l("Choose at least one."))],
    )
    days = RadioField(
        _l("How long it is valid"),
        choices=[(7, _l("7 days")), (30, _l("30 days")), (90, _l("90 days")), (365, _l("a year"))],
        coerce=int,
        default=90,
    )


class EndTokenForm(FlaskForm):
    """Only the form token."""
