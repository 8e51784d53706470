"""Forms of the certificates."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from app.certificates.words import REASONS
from app.registry.search import fold
from pki.revocation import RevocationReason, RevokedBy, allowed_reasons


class ActForm(FlaskForm):
    """Only the form token: for acts that need no input."""


class RefusalForm(FlaskForm):
    note = TextAreaField(
        _l("Why is it refused?"),
        description=_l("The person reads this sentence. Say what they can do now."),
        validators=[
            InputRequired(_l("Give a reason.")),
            Length(min=10, max=500, message=_l("Write a sentence of 10 to 500 characters.")),
        ],
    )


class RevocationForm(FlaskForm):
    reason = RadioField(_l("Why is it revoked?"), coerce=int, validators=[InputRequired(_l("Choose a reason."))])
    confirmation = StringField(
        _l("Type the name on the certificate"),
        description=_l("A revocation cannot be undone. Typing the name makes sure that it is the right one."),
        validators=[InputRequired(_l("Type the name on the certificate."))],
    )

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label = label
        # A hold is an act of its own: it can be undone.
        reasons = [one for one in allowed_reasons(RevokedBy.ADMINISTRATOR) if one != RevocationReason.CERTIFICATE_HOLD]
        self.reason.choices = [(int(one), str(REASONS[one])) for one in reasons]

    def validate_confirmation(self, field: Field) -> None:
        """WTForms calls this by its name."""
        if fold(field.data or "") != fold(self._label):
            raise ValidationError(_l("This is not the name on the certificate."))
