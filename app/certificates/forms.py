"""Forms of the certificates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from wtforms import DateTimeLocalField, Field, FileField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from app.certificates.life_models import BulkKind, Decision
from app.certificates.models import Certificate, CertificateState
from app.certificates.words import REASONS
from app.core.errors import Invalid
from app.core.i18n import CITY_ZONE
from app.registry.search import fold
from pki.revocation import RevocationReason, RevokedBy, allowed_reasons

# A hundred thousand serial numbers with a name beside each.
LARGEST_LIST: Final = 10_000_000


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
        return in_utc(self.invalidity_date.data)

    def validate_confirmation(self, field: Field) -> None:
        """WTForms calls this by its name."""
        if fold(field.data or "") != fold(self._certificate.label):
            raise ValidationError(_l("This is not the name on the certificate."))


class BulkForm(FlaskForm):
    """A list of certificates and what is to be done with them. From a search, the list is that of the search."""

    kind = RadioField(
        _l("What is to be done?"),
        choices=[
            (BulkKind.REVOKE, _l("Revoke for good")),
            (BulkKind.SUSPEND, _l("Suspend for the time being")),
            (BulkKind.RELEASE, _l("Release what is suspended")),
        ],
        validators=[InputRequired(_l("Choose what is to be done."))],
    )
    # Asked for a revocation alone, so that `validate_reason` looks at it and not the field itself.
    reason = RadioField(_l("Why is it revoked?"), coerce=int, validate_choice=False)
    invalidity_date = DateTimeLocalField(
        _l("Since when may somebody else have had the key? (if you know)"),
        description=_l("Stands in the revocation list. Signatures from that time on prove nothing any more."),
        validators=[Optional()],
    )
    serials = TextAreaField(
        _l("Serial numbers, one a line"),
        description=_l("Hexadecimal, with or without colons. Of a table, the first column counts."),
    )
    file = FileField(_l("Or a file with them (CSV or text)"), validators=[Optional()])

    def __init__(self, *, from_search: bool) -> None:
        super().__init__()
        self._from_search = from_search
        reasons = [one for one in allowed_reasons(RevokedBy.ADMINISTRATOR) if one != RevocationReason.CERTIFICATE_HOLD]
        self.reason.choices = [(int(one), REASONS[one]) for one in reasons]

    @property
    def since(self) -> datetime | None:
        """The invalidity date in UTC."""
        return in_utc(self.invalidity_date.data)

    @property
    def text(self) -> str:
        """The list as it was typed or uploaded. Raises Invalid if the file is not text."""
        uploaded = self.file.data
        if not isinstance(uploaded, FileStorage) or not uploaded.filename:
            return str(self.serials.data or "")
        try:
            return uploaded.stream.read(LARGEST_LIST + 1).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid(_l("The file is not text."), _l("Save the table as CSV and choose it again.")) from error

    def validate_reason(self, field: Field) -> None:
        """WTForms calls this by its name."""
        if self.kind.data == BulkKind.REVOKE and field.data not in dict(self.reason.choices):
            raise ValidationError(_l("Choose a reason."))

    def validate_serials(self, field: Field) -> None:
        """WTForms calls this by its name."""
        uploaded = self.file.data
        if not self._from_search and not (field.data or "").strip() and not getattr(uploaded, "filename", ""):
            raise ValidationError(_l("Give the serial numbers, or choose a file."))


def in_utc(typed: object) -> datetime | None:
    """Return a day and time of the city, as a page gives it, in UTC."""
    return typed.replace(tzinfo=CITY_ZONE).astimezone(UTC) if isinstance(typed, datetime) else None


class ProposalForm(FlaskForm):
    decision = RadioField(choices=[(one, one) for one in Decision], validators=[InputRequired()])
