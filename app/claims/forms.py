"""What a person chooses about a document's code."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField
from wtforms.validators import InputRequired

from pki.document_claim import DocumentClass


class ClassForm(FlaskForm):
    document_class = RadioField(
        _l("What may whoever scans the code learn?"),
        choices=[
            (
                str(int(DocumentClass.PUBLIC)),
                _l("Everything: number, date, title, agency, signer, and the file to download"),
            ),
            (
                str(int(DocumentClass.RESTRICTED)),
                _l("Number, date and agency, and whether the document is in force"),
            ),
            (str(int(DocumentClass.HIDDEN)), _l("Only whether the code is genuine")),
        ],
        validators=[InputRequired(_l("Choose what may be learnt."))],
    )
