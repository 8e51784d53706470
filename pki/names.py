"""Subjects as types: people, agencies, authorities and services, each with the attributes that its certificates carry.

Names are put into NFC and refused when they hold what a reader cannot see (control and bidirectional characters).
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from pki import der
from pki.errors import ProfileViolation

COUNTRY: Final = "VN"
# In characters. RFC 5280, appendix A, says 64 for most; for surname and given name it would allow 32768.
_BOUNDS: Final = {
    NameOID.COMMON_NAME: 64,
    NameOID.SURNAME: 64,
    NameOID.GIVEN_NAME: 64,
    NameOID.SERIAL_NUMBER: 64,
    NameOID.ORGANIZATION_NAME: 64,
    NameOID.ORGANIZATION_IDENTIFIER: 64,
    NameOID.TITLE: 64,
}

# An attribute and its text; None where the subject has none.
Part = tuple[x509.ObjectIdentifier, str | None]


@dataclass(frozen=True)
class PersonName:
    """A citizen or an official; the last three are for officials (EN 319 412-2, 4.2.4)."""

    common_name: str
    surname: str
    given_name: str
    # Opaque, `XX:VN-…` (EN 319 412-1, 5.1.3); never the national number.
    identifier: str
    organization: str | None = None
    organization_identifier: str | None = None
    title: str | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The attributes after the country, in their order."""
        return (
            (NameOID.ORGANIZATION_NAME, self.organization),
            (NameOID.ORGANIZATION_IDENTIFIER, self.organization_identifier),
            (NameOID.TITLE, self.title),
            (NameOID.SURNAME, self.surname),
            (NameOID.GIVEN_NAME, self.given_name),
            (NameOID.SERIAL_NUMBER, self.identifier),
            (NameOID.COMMON_NAME, self.common_name),
        )

    def to_x509(self) -> x509.Name:
        """Return the distinguished name. Raises ProfileViolation."""
        return _name(self.parts)


@dataclass(frozen=True)
class AgencyName:
    """An agency, for its seal and its pass signer (EN 319 412-3, 4.2.1)."""

    common_name: str
    organization: str
    organization_identifier: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """The attributes after the country, in their order."""
        return (
            (NameOID.ORGANIZATION_NAME, self.organization),
            (NameOID.ORGANIZATION_IDENTIFIER, self.organization_identifier),
            (NameOID.COMMON_NAME, self.common_name),
        )

    def to_x509(self) -> x509.Name:
        """Return the distinguished name. Raises ProfileViolation."""
        return _name(self.parts)


@dataclass(frozen=True)
class ServiceName:
    """An authority, a responder, a timestamp unit: something of the organization that runs this house."""

    common_name: str
    organization: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """The attributes after the country, in their order."""
        return ((NameOID.ORGANIZATION_NAME, self.organization), (NameOID.COMMON_NAME, self.common_name))

    def to_x509(self) -> x509.Name:
        """Return the distinguished name. Raises ProfileViolation."""
        return _name(self.parts)


SubjectName = PersonName | AgencyName | ServiceName


def new_opaque_identifier() -> str:
    """Return a fresh identifier for a person: 80 random bits that say nothing about whom they name."""
    return f"XX:VN-{secrets.token_hex(10).upper()}"


def clean(text: str, *, longest: int) -> str:
    """Return `text` in NFC. Raises ProfileViolation if it is empty, too long, padded, or holds unseen characters."""
    normal = unicodedata.normalize("NFC", text)
    if not normal or normal != normal.strip() or len(normal) > longest:
        raise ProfileViolation(f"a name of {len(normal)} characters: it must have 1 to {longest}, with no space around")
    # Also refuses every space but the plain one: a no-break space makes two names that look the same.
    if not normal.isprintable():
        raise ProfileViolation("a name holds a character that cannot be seen")
    return normal


def encode_name(subject: SubjectName) -> bytes:
    """Return the distinguished name in DER, as `to_x509` would be encoded. Raises ProfileViolation."""
    attributes = [_encode_attribute(oid, text) for oid, text in subject.parts if text is not None]
    return der.sequence(_COUNTRY_DER, *attributes)


def _name(parts: tuple[Part, ...]) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, COUNTRY)]
    # The library would count octets where the bounds are of characters (RFC 5280, appendix A.1): a common name of 45
    # Vietnamese letters would be too long for it.
    attributes += [
        x509.NameAttribute(oid, clean(text, longest=_BOUNDS[oid]), _validate=False)
        for oid, text in parts
        if text is not None
    ]
    return x509.Name(attributes)


# Agencies, titles, surnames and given names stand in thousands of certificates each.
@lru_cache(maxsize=4096)
def _encode_attribute(oid: x509.ObjectIdentifier, text: str) -> bytes:
    # UTF8String, but for serialNumber, which RFC 5280, appendix A, wants as PrintableString.
    tag = der.PRINTABLE_STRING if oid == NameOID.SERIAL_NUMBER else der.UTF8_STRING
    return der.encode(
        der.SET, der.sequence(_OIDS_DER[oid], der.encode(tag, clean(text, longest=_BOUNDS[oid]).encode()))
    )


_OIDS_DER: Final = {oid: der.oid(oid.dotted_string) for oid in _BOUNDS}
_COUNTRY_DER: Final = der.encode(
    der.SET,
    der.sequence(der.oid(NameOID.COUNTRY_NAME.dotted_string), der.encode(der.PRINTABLE_STRING, COUNTRY.encode())),
)
