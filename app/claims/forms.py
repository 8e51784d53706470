"""What a person chooses about a document's code."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from pki.document_claim import DocumentClass

_CLASSES: Final = {
    DocumentClass.PUBLIC: _l("Everything: number, date, title, agency, signer, and the file to download"),
    DocumentClass.RESTRICTED: _l("Number, date and agency, and whether the document is in force"),
    DocumentClass.HIDDEN: _l("Only whether the code is genuine"),
}


class ClassForm(FlaskForm):
    document_class = RadioField(
        _l("What may whoever scans the code learn?"),
        choices=[SelectChoice(str(int(one)), words) for one, words in _CLASSES.items()],
        validators=[InputRequired(_l("Choose what may be learnt."))],
    )
