"""What a form says about a field: our words, in the reader's language, never those of the library."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale
from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, StringField
from wtforms.validators import Length, NumberRange

from app.core.i18n import init_i18n


class SampleForm(FlaskForm):
    guests = IntegerField("guests", validators=[NumberRange(max=9)])
    day = DateField("day")
    title = StringField("title", validators=[Length(max=3)])


@pytest.fixture
def app() -> Flask:
    app = Flask("forms")
    app.config.update(SECRET_KEY="x" * 32, WTF_CSRF_ENABLED=False)
    init_i18n(app)
    return app


def said(app: Flask, language: str, sent: dict[str, str]) -> dict[str, list[str]]:
    with app.test_request_context(method="POST", data=sent), force_locale(language):
        app.preprocess_request()
        form = SampleForm()
        form.validate()
        return {name: [str(error) for error in errors] for name, errors in form.errors.items()}


def test_a_field_that_cannot_be_read_is_answered_in_vietnamese(app: Flask) -> None:
    errors = said(app, "vi", {"guests": "ba", "day": "mai", "title": "abcd"})
    assert errors["guests"][0] == "Hãy nhập một số nguyên."
    assert errors["day"] == ["Hãy nhập ngày, ví dụ 22/11/2026."]
    assert errors["title"] == ["Hãy viết nhiều nhất 3 ký tự."]


def test_the_same_fields_are_answered_in_english(app: Flask) -> None:
    errors = said(app, "en", {"guests": "10", "day": "", "title": "abcd"})
    assert errors["guests"] == ["The number must be at most 9."]
    assert errors["title"] == ["Write at most 3 characters."]
