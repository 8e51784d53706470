"""A small authority in memory: a root, an issuing authority of each kind, and certificates under them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography import x509

from pki.authority import Issuer, IssuerUrls, issue, new_serial_number, prepare
from pki.keys import Curve, SoftwareKey
from pki.names import AgencyName, PersonName, ServiceName, SubjectName
from pki.profiles import PROFILES, ProfileName

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
CITY = "Thành phố Sông Biếc"
BASE = "http://pki.example.com"
LAN = PersonName("Nguyễn Thị Lan", "Nguyễn Thị", "Lan", "XX:VN-00112233445566778899")
MINH = PersonName(
    "Trần Văn Minh",
    "Trần Văn",
    "Minh",
    "XX:VN-99887766554433221100",
    "Sở Khoa học và Công nghệ",
    "XX:VN-H99.02",
    "Chuyên viên",
)
OFFICE = AgencyName("Sở Khoa học và Công nghệ", "Sở Khoa học và Công nghệ", "XX:VN-H99.02")

# Which authority issues a profile in this small world.
ISSUER_OF = {
    ProfileName.CITIZEN_SIGNING: ProfileName.ISSUING_CITIZENS,
    ProfileName.OFFICIAL_SIGNING: ProfileName.ISSUING_OFFICIALS,
    ProfileName.AGENCY_SEAL: ProfileName.ISSUING_SEALS,
    ProfileName.REPORT_SEAL: ProfileName.ISSUING_SEALS,
    ProfileName.PASS_SIGNER: ProfileName.ISSUING_SERVICES,
    ProfileName.TRUST_LIST_SIGNER: ProfileName.ISSUING_SERVICES,
    ProfileName.DEVICE: ProfileName.ISSUING_SERVICES,
    ProfileName.TSA_UNIT: ProfileName.TSA_AUTHORITY,
}


def urls(issuer: ProfileName, shard: int = 0) -> IssuerUrls:
    return IssuerUrls(
        f"{BASE}/ca/{issuer}.cer", f"{BASE}/ocsp", f"{BASE}/crl/{issuer}/{shard}.crl", f"{BASE}/identifiers"
    )


def key(name: str, curve: Curve = Curve.P256) -> SoftwareKey:
    """The key of that name, made once in a run."""
    # `cache` alone would tell key("a") from key("a", Curve.P256).
    return _key(name, curve)


@cache
def _key(name: str, curve: Curve) -> SoftwareKey:
    return SoftwareKey.generate(curve)


def root(name: str = "root") -> Issuer:
    """The root of that name, made once in a run."""
    return _root(name)


@cache
def _root(name: str) -> Issuer:
    made = key(name, Curve.P384)
    prepared = prepare(
        PROFILES[ProfileName.ROOT],
        ServiceName(f"{CITY} Root {name} G1", CITY),
        made.public_key,
        issuer_certificate_der=None,
        issuer_profile=ProfileName.ROOT,
        serial_number=new_serial_number(),
        now=NOW,
        urls=IssuerUrls(),
    )
    return Issuer(issue(prepared, made), made)


def authority(profile: ProfileName, under: str = "root") -> Issuer:
    """The issuing authority of that profile under a root, made once in a run."""
    return _authority(profile, under)


@cache
def _authority(profile: ProfileName, under: str) -> Issuer:
    top = root(under)
    made = key(f"{under} {profile}", Curve.P384)
    prepared = prepare(
        PROFILES[profile],
        ServiceName(f"{CITY} {profile} G1", CITY),
        made.public_key,
        issuer_certificate_der=top.certificate_der,
        issuer_profile=ProfileName.ROOT,
        serial_number=new_serial_number(),
        now=NOW,
        urls=urls(ProfileName.ROOT),
    )
    return Issuer(issue(prepared, top.key), made, (top.certificate_der,))


@dataclass(frozen=True)
class Leaf:
    """An end-entity certificate with its key and the authority that issued it."""

    certificate_der: bytes
    key: SoftwareKey
    issuer: Issuer

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.certificate_der)

    @property
    def as_issuer(self) -> Issuer:
        """For a responder or a timestamp unit: certificate and key together."""
        return Issuer(self.certificate_der, self.key, (self.issuer.certificate_der, *self.issuer.chain_der))


def certify(
    profile: ProfileName,
    subject: SubjectName,
    *,
    issuer: ProfileName | None = None,
    under: str = "root",
    key_name: str | None = None,
    now: datetime = NOW,
    shard: int = 0,
) -> Leaf:
    """Return a fresh certificate of `profile`; keys are shared by name so that a run makes few."""
    by = issuer or ISSUER_OF[profile]
    above = authority(by, under)
    made = key(key_name or f"{profile} {subject.common_name}")
    prepared = prepare(
        PROFILES[profile],
        subject,
        made.public_key,
        issuer_certificate_der=above.certificate_der,
        issuer_profile=by,
        serial_number=new_serial_number(),
        now=now,
        urls=urls(by, shard),
    )
    return Leaf(issue(prepared, above.key), made, above)


def responder(issuer: ProfileName, under: str = "root") -> Leaf:
    """Return the delegated OCSP responder of an authority."""
    return certify(ProfileName.OCSP_RESPONDER, ServiceName(f"OCSP {issuer}", CITY), issuer=issuer, under=under)
