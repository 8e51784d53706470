"""Forms of the certificates."""

from __future__ import annotations

from datetime import UTC, datetime

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, Field, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from app.certificates.models import Certificate, CertificateState
from app.certificates.words import REASONS
from app.core.i18n import CITY_ZONE
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
    invalidity_date = DateTimeLocalField(
        _l("Since when may somebody else have had the key? (if you know)"),
        description=_l("Stands in the revocation list. Signatures from that time on prove nothing any more."),
        validators=[Optional()],
    )
    confirmation = StringField(
        _l("Type the name on the certificate"),
        description=_l("A revocation cannot be undone. Typing the name makes sure that it is the right one."),
        validators=[InputRequired(_l("Type the name on the certificate."))],
    )

    def __init__(self, certificate: Certificate) -> None:
        super().__init__()
        self._certificate = certificate
        # A hold is an act of its own: it can be undone. What is revoked can only be found to be worse.
        reasons = [one for one in allowed_reasons(RevokedBy.ADMINISTRATOR) if one != RevocationReason.CERTIFICATE_HOLD]
        if certificate.state == CertificateState.REVOKED:
            reasons = [RevocationReason.KEY_COMPROMISE]
        self.reason.choices = [(int(one), str(REASONS[one])) for one in reasons]

    @property
    def since(self) -> datetime | None:
        """The invalidity date in UTC; the page speaks of the city's time."""
        typed = self.invalidity_date.data
        return typed.replace(tzinfo=CITY_ZONE).astimezone(UTC) if isinstance(typed, datetime) else None

    def validate_confirmation(self, field: Field) -> None:
        """WTForms calls this by its name."""
        if fold(field.data or "") != fold(self._certificate.label):
            raise ValidationError(_l("This is not the name on the certificate."))
