"""Forms of signing in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from app.accounts.passwords import MAXIMUM_LENGTH


class SignInForm(FlaskForm):
    login = StringField(_l("Sign-in name"), validators=[InputRequired(_l("Enter your sign-in name.")), Length(max=100)])
    password = PasswordField(
        _l("Password"), validators=[InputRequired(_l("Enter your password.")), Length(max=MAXIMUM_LENGTH)]
    )
