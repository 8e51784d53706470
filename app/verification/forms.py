"""The one field of the check: a file. And the text of its report, on the way to becoming a PDF."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField
from wtforms.validators import InputRequired


class CheckForm(FlaskForm):
    file = FileField(
        _l("PDF file"),
        description=_l("One PDF of up to 25 MB. It is checked and then forgotten: nothing is kept."),
        validators=[FileRequired(_l("Choose a PDF file."))],
    )


class PaperForm(FlaskForm):
    text = HiddenField(validators=[InputRequired()])
