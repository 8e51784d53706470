"""Forms of the gate."""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric import ec
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Regexp

from app.core.errors import Invalid
from pki import csr
from pki.errors import CsrRejected
from pki.keys import Curve


class DeviceForm(FlaskForm):
    label = StringField(
        _l("Name of the tablet"),
        validators=[InputRequired(_l("Enter a name, such as the one on its sticker.")), Length(max=60)],
    )
    checkpoint = SelectField(_l("Where it stands"), validators=[InputRequired(_l("Choose a checkpoint."))])


class EnrolForm(FlaskForm):
    code = StringField(
        _l("One-time code"),
        filters=[lambda value: (value or "").replace(" ", "")],
        validators=[
            InputRequired(_l("Enter the code.")),
            Regexp(r"[0-9]{8}\Z", message=_l("The code has eight digits.")),
        ],
    )
    # A PKCS#10 request in base64, made by the page; without script there is none, and the tablet scans online only.
    request = HiddenField(validators=[Length(max=4096)])

    def public_key(self) -> bytes | None:
        """Return the key that the tablet proved, in DER. Raises Invalid if the request is none or for another code."""
        if not self.request.data:
            return None
        try:
            content = base64.b64decode(self.request.data, validate=True)
            made = csr.parse_with_challenge(content, self.code.data)
        except (binascii.Error, CsrRejected) as error:
            raise Invalid(
                _l("The key of this tablet could not be used."), _l("Reload the page and try again.")
            ) from error
        is_p256 = isinstance(made.public_key, ec.EllipticCurvePublicKey) and made.public_key.curve.name == Curve.P256
        return made.spki_der if is_p256 else None


class ActForm(FlaskForm):
    """Only the form token: for acts that need no input."""
