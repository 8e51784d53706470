"""What a person fills in about a paper."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from app.documents.service import LONGEST_TITLE


class UploadForm(FlaskForm):
    title = StringField(
        _l("Title"),
        description=_l("What the document is about, as it should stand in lists."),
        validators=[
            DataRequired(_l("Give the document a title.")),
            Length(max=LONGEST_TITLE, message=_l("A title has at most 200 characters.")),
        ],
    )
    file = FileField(
        _l("PDF file"),
        description=_l("One PDF of up to 100 MB and 2,000 pages, without a password."),
        validators=[FileRequired(_l("Choose a PDF file."))],
    )
    keep_fields = BooleanField(
        _l("Keep the fields of a form"),
        description=_l("Only if somebody is to fill them in after the first signature. Otherwise they become text."),
    )


class AskForm(FlaskForm):
    person_id = RadioField(_l("Who should sign"), validators=[InputRequired(_l("Choose a person."))])
