"""What a validator will ask for in decades, gathered today: this city's certificates, OCSP answers and lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.archive import loopback
from app.certificates import service as certificates
from app.certificates.models import Authority
from app.core.errors import Unavailable
from app.core.settings import Settings
from pki.pades.dss import Material

_LIST: Final = re.compile(r"/crl/([a-z0-9_-]{1,40})/([0-9]{1,4})\.crl$")


@dataclass(frozen=True)
class _Above:
    """An authority of the city with its issuer, None for a root."""

    id: UUID
    issuer_id: UUID | None
    der: bytes
    certificate: x509.Certificate


@dataclass
class _Gathered:
    certificates: list[bytes] = field(default_factory=list)
    ocsps: list[bytes] = field(default_factory=list)
    # Whose status stands on a list.
    listed: list[x509.Certificate] = field(default_factory=list)


def material_for(session: Session, settings: Settings, end_entities_der: Iterable[bytes]) -> Material:
    """Return what proves the status of these certificates today, their authorities up to the root included.

    An end entity's status is an OCSP answer of `status`, or the list that its certificate names; an authority's is the
    list of its issuer. Certificates of other houses are passed over. Raises Unavailable if one of ours has neither.
    """
    known = _authorities(session)
    gathered = _Gathered()
    for der in dict.fromkeys(end_entities_der):
        certificate = x509.load_der_x509_certificate(der)
        chain = _chain(certificate, known)
        if not chain:
            continue
        gathered.certificates += [der, *(one.der for one in chain)]
        answer = loopback.ocsp_answer(settings, certificate, chain[0].certificate)
        if answer is not None:
            gathered.ocsps.append(answer)
        else:
            gathered.listed.append(certificate)
        gathered.listed += [one.certificate for one in chain[:-1]]
    if not gathered.certificates:
        return Material()
    wanted = {name for one in gathered.listed for name in _lists_of(one)}
    crls = certificates.status_evidence(session, sorted(wanted))
    read = [x509.load_der_x509_crl(der) for der in crls]
    if not all(any(_is_listed(one, crl) for crl in read) for one in gathered.listed):
        raise Unavailable(_l("The status of a certificate could not be established."))
    return Material(
        tuple(dict.fromkeys(gathered.certificates)), tuple(dict.fromkeys(gathered.ocsps)), tuple(dict.fromkeys(crls))
    )


def _authorities(session: Session) -> Sequence[_Above]:
    rows = session.execute(select(Authority.id, Authority.issuer_id, Authority.certificate_der))
    return [_Above(key, issuer, der, x509.load_der_x509_certificate(der)) for key, issuer, der in rows]


def _chain(certificate: x509.Certificate, known: Sequence[_Above]) -> list[_Above]:
    """Return the authorities above a certificate, nearest first, the root last; empty if it is not of this city."""
    issuer = next((one for one in known if _issued(certificate, one.certificate)), None)
    chain = []
    by_id = {one.id: one for one in known}
    while issuer is not None:
        chain.append(issuer)
        issuer = by_id.get(issuer.issuer_id) if issuer.issuer_id is not None else None
    return chain


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _is_listed(certificate: x509.Certificate, crl: x509.CertificateRevocationList) -> bool:
    """Say whether a list would name the certificate: of its issuer, and for all, or for the place that it names."""
    if crl.issuer != certificate.issuer:
        return False
    point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    return point.full_name is None or not _parsed(point.full_name).isdisjoint(_lists_of(certificate))


def _lists_of(certificate: x509.Certificate) -> set[tuple[str, int]]:
    """Return authority and shard of the lists that a certificate names."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return _parsed(name for point in points for name in point.full_name or ())


def _parsed(names: Iterable[x509.GeneralName]) -> set[tuple[str, int]]:
    found = (_LIST.search(str(name.value)) for name in names)
    return {(one.group(1), int(one.group(2))) for one in found if one is not None}
