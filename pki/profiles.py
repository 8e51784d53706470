"""Certificate profiles: for each kind of certificate its key, its life, its uses and its extensions, as data.

Source: RFC 5280, RFC 6960, RFC 3161, RFC 9336, EN 319 412-1 to -3. A change of a profile raises its version; the
digest of the profile is kept with every certificate made under it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import Final

from pki import oids
from pki.keys import Curve
from pki.names import AgencyName, PersonName, ServiceName, SubjectName


class ProfileName(StrEnum):
    """The kinds of certificate of the house."""

    ROOT = "root"
    ISSUING_CITIZENS = "issuing_citizens"
    ISSUING_OFFICIALS = "issuing_officials"
    ISSUING_SEALS = "issuing_seals"
    ISSUING_SERVICES = "issuing_services"
    TSA_AUTHORITY = "tsa_authority"
    CITIZEN_SIGNING = "citizen_signing"
    OFFICIAL_SIGNING = "official_signing"
    AGENCY_SEAL = "agency_seal"
    REPORT_SEAL = "report_seal"
    OCSP_RESPONDER = "ocsp_responder"
    TSA_UNIT = "tsa_unit"
    PASS_SIGNER = "pass_signer"  # noqa: S105  the word of the house for a guest's token
    TRUST_LIST_SIGNER = "trust_list_signer"
    DEVICE = "device"


class KeyUse(StrEnum):
    """Bits of KeyUsage that our profiles use (RFC 5280, 4.2.1.3), by their name in the `cryptography` library."""

    DIGITAL_SIGNATURE = "digital_signature"
    # nonRepudiation, renamed in X.509: the holder means the content.
    CONTENT_COMMITMENT = "content_commitment"
    KEY_CERT_SIGN = "key_cert_sign"
    CRL_SIGN = "crl_sign"


@dataclass(frozen=True)
class Profile:
    """What a certificate of one kind looks like."""

    name: ProfileName
    version: int
    subject: type[SubjectName]
    curve: Curve
    # From notBefore to notAfter, both included.
    validity: timedelta
    key_usage: frozenset[KeyUse]
    # Who may issue it; itself for the root.
    issued_by: frozenset[ProfileName]
    is_authority: bool = False
    path_length: int | None = None
    extended_key_usage: tuple[str, ...] = ()
    extended_key_usage_critical: bool = False
    policy: str | None = None
    # Identifier of the meaning of serialNumber or organizationIdentifier (EN 319 412-1, 5.1).
    semantics: str | None = None
    has_crl: bool = True
    has_ocsp: bool = True
    ocsp_no_check: bool = False
    # How long the key signs; verification goes on until notAfter (RFC 3280, 4.2.1.4).
    private_key_usage: timedelta | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical form of every field, in lower-case hex."""
        fields = asdict(self) | {"subject": self.subject.__name__}
        text = json.dumps(fields, default=_canonical, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


_YEAR: Final = timedelta(days=365)
_AUTHORITY: Final = frozenset({KeyUse.KEY_CERT_SIGN, KeyUse.CRL_SIGN})
_DOCUMENTS: Final = (oids.EKU_DOCUMENT_SIGNING, oids.EKU_MS_DOCUMENT_SIGNING, oids.EKU_EMAIL_PROTECTION)
_ROOT: Final = frozenset({ProfileName.ROOT})
_SERVICES: Final = frozenset({ProfileName.ISSUING_SERVICES})
_ISSUING: Final = frozenset(
    {
        ProfileName.ISSUING_CITIZENS,
        ProfileName.ISSUING_OFFICIALS,
        ProfileName.ISSUING_SEALS,
        ProfileName.ISSUING_SERVICES,
        ProfileName.TSA_AUTHORITY,
    }
)


def _issuing(name: ProfileName, policy: str, *, years: int = 10) -> Profile:
    return Profile(
        name=name,
        version=1,
        subject=ServiceName,
        curve=Curve.P384,
        validity=years * _YEAR,
        key_usage=_AUTHORITY,
        issued_by=_ROOT,
        is_authority=True,
        path_length=0,
        policy=policy,
    )


def _signing(name: ProfileName, issuer: ProfileName, policy: str, *, days: int) -> Profile:
    return Profile(
        name=name,
        version=1,
        subject=PersonName,
        curve=Curve.P256,
        validity=timedelta(days=days),
        # Nothing else: the key must not also log in somewhere (EN 319 412-2, 4.3.2, type A).
        key_usage=frozenset({KeyUse.CONTENT_COMMITMENT}),
        issued_by=frozenset({issuer}),
        extended_key_usage=_DOCUMENTS,
        policy=policy,
        semantics=oids.SEMANTICS_NATURAL,
    )


def _seal(name: ProfileName, *, years: int) -> Profile:
    return Profile(
        name=name,
        version=1,
        subject=AgencyName,
        curve=Curve.P256,
        validity=years * _YEAR,
        key_usage=frozenset({KeyUse.CONTENT_COMMITMENT}),
        issued_by=frozenset({ProfileName.ISSUING_SEALS}),
        extended_key_usage=_DOCUMENTS,
        policy=oids.POLICY_SEAL,
        semantics=oids.SEMANTICS_LEGAL,
    )


def _service(name: ProfileName, subject: type[SubjectName], eku: str, *, days: int) -> Profile:
    return Profile(
        name=name,
        version=1,
        subject=subject,
        curve=Curve.P256,
        validity=timedelta(days=days),
        key_usage=frozenset({KeyUse.DIGITAL_SIGNATURE}),
        issued_by=_SERVICES,
        extended_key_usage=(eku,),
        policy=oids.POLICY_SERVICE,
    )


_ALL: Final = (
    Profile(
        name=ProfileName.ROOT,
        version=1,
        subject=ServiceName,
        curve=Curve.P384,
        validity=20 * _YEAR,
        key_usage=_AUTHORITY,
        issued_by=_ROOT,
        is_authority=True,
        has_crl=False,
        has_ocsp=False,
    ),
    _issuing(ProfileName.ISSUING_CITIZENS, oids.POLICY_CITIZEN),
    _issuing(ProfileName.ISSUING_OFFICIALS, oids.POLICY_OFFICIAL),
    _issuing(ProfileName.ISSUING_SEALS, oids.POLICY_SEAL),
    _issuing(ProfileName.ISSUING_SERVICES, oids.POLICY_SERVICE),
    # Its own branch with a longer life: a timestamp must outlive the certificate it proves something about.
    _issuing(ProfileName.TSA_AUTHORITY, oids.POLICY_TIMESTAMP, years=18),
    # A key in a browser: short, because it is lost easily and renewed in a minute.
    _signing(ProfileName.CITIZEN_SIGNING, ProfileName.ISSUING_CITIZENS, oids.POLICY_CITIZEN, days=90),
    _signing(ProfileName.OFFICIAL_SIGNING, ProfileName.ISSUING_OFFICIALS, oids.POLICY_OFFICIAL, days=90),
    _seal(ProfileName.AGENCY_SEAL, years=3),
    # Seals reports of checks, which no person orders: never the seal of an agency, which a clerk alone puts on.
    _seal(ProfileName.REPORT_SEAL, years=1),
    Profile(
        name=ProfileName.OCSP_RESPONDER,
        version=1,
        subject=ServiceName,
        curve=Curve.P256,
        validity=timedelta(days=45),
        key_usage=frozenset({KeyUse.DIGITAL_SIGNATURE}),
        issued_by=_ISSUING | _ROOT,
        extended_key_usage=(oids.EKU_OCSP_SIGNING,),
        has_crl=False,
        has_ocsp=False,
        ocsp_no_check=True,
    ),
    Profile(
        name=ProfileName.TSA_UNIT,
        version=1,
        subject=ServiceName,
        curve=Curve.P256,
        validity=5 * _YEAR,
        key_usage=frozenset({KeyUse.DIGITAL_SIGNATURE}),
        issued_by=frozenset({ProfileName.TSA_AUTHORITY}),
        # RFC 3161, 2.3: this use alone, and critical.
        extended_key_usage=(oids.EKU_TIME_STAMPING,),
        extended_key_usage_critical=True,
        policy=oids.POLICY_TIMESTAMP,
        private_key_usage=_YEAR,
    ),
    _service(ProfileName.PASS_SIGNER, AgencyName, oids.EKU_PASS_SIGNING, days=90),
    _service(ProfileName.TRUST_LIST_SIGNER, ServiceName, oids.EKU_TRUST_LIST_SIGNING, days=365),
    _service(ProfileName.DEVICE, ServiceName, oids.EKU_CLIENT_AUTH, days=90),
)

PROFILES: Final[dict[ProfileName, Profile]] = {profile.name: profile for profile in _ALL}
