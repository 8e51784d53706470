"""What people enter: the answers to a form's own questions, and the few fields of its agency."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, Field, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from app.citizen_forms.service import LONGEST_NOTE
from pki.forms.fields import FieldKind, FormField
from pki.forms.filling import TICKED

_TOO_LONG: Final = _l("This answer is too long for the paper. Write it shorter.")
_UNREADABLE: Final = _l("This answer holds a character that cannot be printed. Write it with letters and figures.")


class AnswerForm(FlaskForm):
    """The questions of one form, in its order; `field_of` gives the entry for a question."""

    @classmethod
    def asking(cls, questions: Sequence[FormField], answers: Mapping[str, str] | None = None) -> AnswerForm:
        """Return the form of these questions, with earlier answers in it unless something was sent."""

        # One class for each request: WTForms composes forms by attributes of a class.
        class Asked(cls):  # type: ignore[valid-type, misc]  # a base that is a variable
            pass

        for at, question in enumerate(questions):
            setattr(Asked, f"q{at}", _entry(question))
        known = answers or {}
        before = {
            f"q{at}": known.get(one.name) == TICKED if one.kind is FieldKind.CHECKBOX else known.get(one.name, "")
            for at, one in enumerate(questions)
        }
        made: AnswerForm = Asked(data=before)
        made.questions = tuple(questions)
        return made

    questions: tuple[FormField, ...] = ()

    def entries(self) -> list[Field]:
        return [self[f"q{at}"] for at in range(len(self.questions))]

    def answers(self) -> dict[str, str]:
        """Return what was entered by the names of the PDF; what was left empty is not in it."""
        found = {}
        for question, entry in zip(self.questions, self.entries(), strict=True):
            if question.kind is FieldKind.CHECKBOX:
                value = TICKED if entry.data else ""
            else:
                value = unicodedata.normalize("NFC", entry.data or "").strip()
            if value:
                found[question.name] = value
        return found

    def refuse(self, too_long: Sequence[str], unreadable: Sequence[str]) -> None:
        """Put a sentence at each entry that the paper cannot hold."""
        for question, entry in zip(self.questions, self.entries(), strict=True):
            if question.name in too_long:
                entry.errors = [_TOO_LONG]
            elif question.name in unreadable:
                entry.errors = [_UNREADABLE]


class PublishForm(FlaskForm):
    title = StringField(
        _l("Name of the form"),
        description=_l("As it stands on the form."),
        validators=[
            DataRequired(_l("Give the form a name.")),
            Length(max=200, message=_l("A name has at most 200 characters.")),
        ],
    )
    purpose = StringField(
        _l("What it is for"),
        description=_l("One sentence that tells people whether this is the form they need."),
        validators=[
            DataRequired(_l("Say what the form is for.")),
            Length(max=300, message=_l("Say it with at most 300 characters.")),
        ],
    )
    file = FileField(
        _l("Fillable PDF"),
        description=_l("Up to 10 MB, not signed. Each field needs a tooltip: it is the question that people read."),
        validators=[FileRequired(_l("Choose a PDF file."))],
    )


class NoteForm(FlaskForm):
    note = TextAreaField(
        _l("Your message to the citizen"),
        validators=[
            DataRequired(_l("Write a message: the citizen reads it.")),
            Length(max=LONGEST_NOTE, message=_l("A message has at most 1,000 characters.")),
        ],
    )


class ActForm(FlaskForm):
    """A press of a button."""


def _entry(question: FormField) -> Field:
    # The question stands in the sentence: the list at the top of the page says which ones are missing.
    missing = _l("Answer this: %(question)s", question=question.label)
    required = [InputRequired(missing)] if question.required else []
    match question.kind:
        case FieldKind.CHECKBOX:
            return BooleanField(question.label, validators=required)
        case FieldKind.RADIO:
            choices = [SelectChoice(one.value, one.label) for one in question.options]
            return RadioField(question.label, choices=choices, validators=required, validate_choice=question.required)
        case FieldKind.CHOICE:
            choices = [SelectChoice("", ""), *(SelectChoice(one.value, one.label) for one in question.options)]
            return SelectField(question.label, choices=choices, validators=required)
        case FieldKind.LINES:
            return TextAreaField(
                question.label, validators=[*required, Length(max=question.longest, message=_TOO_LONG)]
            )
        case FieldKind.TEXT:
            return StringField(question.label, validators=[*required, Length(max=question.longest, message=_TOO_LONG)])
