"""What WTForms itself says about a field, in our words and languages: it brings no Vietnamese of its own."""

from __future__ import annotations

from typing import Final

from flask import Flask, request
from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence

SENTENCES: Final[dict[str, Sentence]] = {
    "This field is required.": _l("Fill this in."),
    "Not a valid choice.": _l("Choose one of the answers."),
    "Not a valid integer value.": _l("Enter a whole number."),
    "Not a valid decimal value.": _l("Enter a number."),
    "Not a valid float value.": _l("Enter a number."),
    "Not a valid date value.": _l("Enter a date, such as 22/11/2026."),
    "Not a valid time value.": _l("Enter a time, such as 14:05."),
    "Not a valid datetime value.": _l("Enter a date and a time."),
    "Invalid email address.": _l("Enter an e-mail address, such as lan@example.com."),
    "Invalid input.": _l("Write it as the hint says."),
    # WTForms fills in the numbers afterwards, so the placeholders are its own.
    "Number must be at least %(min)s.": _l("The number must be at least %(min)s."),
    "Number must be at most %(max)s.": _l("The number must be at most %(max)s."),
    "Number must be between %(min)s and %(max)s.": _l("The number must be from %(min)s to %(max)s."),
    "Field must be at least %(min)d characters long.": _l("Write at least %(min)d characters."),
    "Field cannot be longer than %(max)d characters.": _l("Write at most %(max)d characters."),
    "Field must be between %(min)d and %(max)d characters long.": _l("Write from %(min)d to %(max)d characters."),
}


class FormWords:
    """Stands where Flask-WTF would put the catalogue of WTForms; the method names are its."""

    def ugettext(self, sentence: str) -> str:
        return str(SENTENCES.get(sentence, sentence))

    def ungettext(self, singular: str, plural: str, count: int) -> str:
        # Ours read the same for one and for many.
        return str(SENTENCES.get(plural, singular if count == 1 else plural))


def init_form_words(app: Flask) -> None:
    """Answer every form of `app` in these words."""
    words = FormWords()

    def use_our_words() -> None:
        # Flask-WTF looks here before it loads a catalogue of WTForms (flask_wtf/i18n.py).
        request.wtforms_translations = words  # type: ignore[attr-defined]

    app.before_request(use_our_words)
