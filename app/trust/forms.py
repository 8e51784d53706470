"""Forms of roots and hosts."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.trust import words
from app.trust.models import Kind
from app.trust.service import LONGEST_REASON

_REASON = [InputRequired(_l("Write the reason.")), Length(max=LONGEST_REASON)]


class ImportForm(FlaskForm):
    file = FileField(
        _l("File of the root"),
        description=_l(
            "PEM, DER or P7B, as the organisation publishes it; up to 512 kB. Never a file with a private key."
        ),
        validators=[FileRequired(_l("Choose the file of the root."))],
    )
    kind = RadioField(
        _l("Whose root is it?"),
        choices=[(kind.value, words.KINDS[kind]) for kind in Kind],
        description=_l("It decides what a check calls the signatures below it, not whether they are valid."),
        validators=[InputRequired(_l("Choose whose root it is."))],
    )
    reason = TextAreaField(
        _l("Reason"),
        description=_l(
            "For example the agreement or the rule by which the city accepts it, and where the file is from."
        ),
        validators=_REASON,
    )


class HostForm(FlaskForm):
    host = StringField(
        _l("Server"),
        description=_l("As it stands in the certificates, such as crl.example.vn: without http:// and without a path."),
        validators=[InputRequired(_l("Write the host.")), Length(max=253)],
    )
    port = IntegerField(
        _l("Port"),
        description=_l("Leave it empty for the usual ones: 80 for http, 443 for https."),
        validators=[Optional(), NumberRange(min=1, max=65535)],
    )
    may_be_private = BooleanField(
        _l("It lies in the city's own network"),
        description=_l(
            "Only then may its name lead to a private address. Leave it off for everything in the internet."
        ),
    )
    reason = TextAreaField(_l("Reason"), validators=_REASON)


class RemovalForm(FlaskForm):
    reason = TextAreaField(_l("Reason"), validators=_REASON)
