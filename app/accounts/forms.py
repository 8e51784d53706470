"""Forms of signing in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
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
