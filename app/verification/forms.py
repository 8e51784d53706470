"""The one field of the check, and of the report under seal: a file."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired


class CheckForm(FlaskForm):
    file = FileField(
        _l("PDF file"),
        description=_l("One PDF of up to 100 MB. It is checked and then forgotten: nothing is kept."),
        validators=[FileRequired(_l("Choose a PDF file."))],
    )


class ReportForm(FlaskForm):
    paper = FileField(
        _l("The same PDF file"),
        description=_l("We kept nothing of it, so choose it once more."),
        validators=[FileRequired(_l("Choose a PDF file."))],
    )
