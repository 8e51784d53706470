"""Certificate authorities in a folder of files, for a ceremony or a laboratory: no database, no server.

settings.json            organization and public address
signing-journal/         what was begun and what was signed
<authority>/             key.pem, certificate.der, crl.der
<authority>/issued/      <serial>.der for each certificate
<authority>/revoked/     <serial>.der: the entry that the next CRL carries
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from app.certificates.journal import SigningJournal
from pki.authority import Issuer, IssuerUrls, issue, new_serial_number, prepare
from pki.crl import build_crl, check_succession
from pki.errors import KeyUnavailable, ProfileViolation, RevocationRefused
from pki.keys import PublicKey, SigningKey, files
from pki.names import ServiceName, SubjectName
from pki.profiles import PROFILES, ProfileName
from pki.revocation import RevocationReason, RevokedBy, RevokedEntry, check_reason, encode_entry

NAMES: Final = {
    ProfileName.ROOT: "Root G1",
    ProfileName.ISSUING_CITIZENS: "Citizens G1",
    ProfileName.ISSUING_OFFICIALS: "Officials G1",
    ProfileName.ISSUING_SEALS: "Seals G1",
    ProfileName.ISSUING_SERVICES: "Services G1",
    ProfileName.TSA_AUTHORITY: "Timestamps G1",
}
_LIFETIME: Final = timedelta(days=3)
_ROOT_LIFETIME: Final = timedelta(days=180)


@dataclass(frozen=True)
class _Settings:
    organization: str
    url: str


@dataclass(frozen=True)
class AuthorityFolder:
    """The authorities in one folder; the passphrase opens all of their keys."""

    folder: Path
    passphrase: bytes = field(repr=False)

    def create(self, organization: str, url: str, *, now: datetime) -> None:
        """Make root and issuing authorities with their first CRLs. Raises ProfileViolation if the folder has files."""
        if self.folder.exists() and any(self.folder.iterdir()):
            raise ProfileViolation("The folder is not empty.")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = _Settings(organization, url.rstrip("/"))
        _write(self.folder / "settings.json", json.dumps(asdict(settings), ensure_ascii=False).encode())
        for name in NAMES:
            self._create_authority(name, now)
        for name in NAMES:
            self.publish(name, now=now)

    def issuer(self, name: ProfileName) -> Issuer:
        """Return an authority with its key. Raises KeyUnavailable."""
        chain = () if name is ProfileName.ROOT else (self._certificate(ProfileName.ROOT),)
        key = files.load(self.folder / name / "key.pem", passphrase=self.passphrase)
        return Issuer(self._certificate(name), key, chain)

    def issue(
        self, profile: ProfileName, subject: SubjectName, public_key: PublicKey, *, by: ProfileName, now: datetime
    ) -> bytes:
        """Issue a certificate, keep a copy, and return it in DER. Raises PkiError."""
        issuer = self.issuer(by)
        certificate_der = self._sign(profile, subject, public_key, issuer, by, now)
        serial_number = x509.load_der_x509_certificate(certificate_der).serial_number
        _write(self._issued(by, serial_number), certificate_der)
        return certificate_der

    def revoke(self, serial_number: int, reason: RevocationReason, *, now: datetime) -> ProfileName:
        """Note the revocation for the next CRL and return whose it is. Raises RevocationRefused, KeyUnavailable.

        The first revocation stands: its time is what signatures are judged by.
        """
        check_reason(reason, RevokedBy.ADMINISTRATOR)
        self._settings()
        with self._locked():
            for name in NAMES:
                if self._issued(name, serial_number).exists():
                    entry = self.folder / name / "revoked" / self._issued(name, serial_number).name
                    if entry.exists():
                        raise RevocationRefused("This certificate is revoked already.")
                    _write(entry, encode_entry(RevokedEntry(serial_number, now, reason)))
                    return name
        raise RevocationRefused("No certificate with this serial number was issued here.")

    def publish(self, name: ProfileName, *, now: datetime) -> bytes:
        """Sign the next CRL of an authority, write it to `crl.der`, and return it. Raises PkiError."""
        is_root = name is ProfileName.ROOT
        path = self.folder / name / "crl.der"
        with self._locked():
            previous = path.read_bytes() if path.exists() else None
            crl_der = build_crl(
                [entry.read_bytes() for entry in sorted((self.folder / name / "revoked").glob("*.der"))],
                issuer=self.issuer(name),
                number=_number(previous) + 1,
                now=now,
                lifetime=_ROOT_LIFETIME if is_root else _LIFETIME,
                distribution_point=None if is_root else self._urls(name).crl,
                only_ca=is_root,
            )
            check_succession(previous, crl_der)
            _write(path, crl_der)
        return crl_der

    def _create_authority(self, name: ProfileName, now: datetime) -> None:
        key = files.generate(self.folder / name / "key.pem", curve=PROFILES[name].curve, passphrase=self.passphrase)
        organization = self._settings().organization
        subject = ServiceName(f"{organization} {NAMES[name]}", organization)
        issuer = None if name is ProfileName.ROOT else self.issuer(ProfileName.ROOT)
        certificate_der = self._sign(name, subject, key.public_key, issuer or key, ProfileName.ROOT, now)
        if issuer is not None:
            serial_number = x509.load_der_x509_certificate(certificate_der).serial_number
            _write(self._issued(ProfileName.ROOT, serial_number), certificate_der)
        _write(self.folder / name / "certificate.der", certificate_der)

    def _sign(
        self,
        profile: ProfileName,
        subject: SubjectName,
        public_key: PublicKey,
        by: Issuer | SigningKey,
        by_profile: ProfileName,
        now: datetime,
    ) -> bytes:
        prepared = prepare(
            PROFILES[profile],
            subject,
            public_key,
            issuer_certificate_der=by.certificate_der if isinstance(by, Issuer) else None,
            issuer_profile=by_profile,
            serial_number=new_serial_number(),
            now=now,
            urls=self._urls(by_profile),
        )
        journal = SigningJournal(self.folder)
        journal.begin(prepared.tbs_der)
        certificate_der = issue(prepared, by.key if isinstance(by, Issuer) else by)
        journal.finish(prepared.tbs_der, certificate_der)
        return certificate_der

    def _settings(self) -> _Settings:
        try:
            return _Settings(**json.loads((self.folder / "settings.json").read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise KeyUnavailable("This folder holds no authorities.") from error

    def _urls(self, by: ProfileName) -> IssuerUrls:
        url = self._settings().url
        return IssuerUrls(f"{url}/ca/{by}.cer", f"{url}/ocsp", f"{url}/crl/{by}/0.crl", f"{url}/identifiers")

    def _certificate(self, name: ProfileName) -> bytes:
        try:
            return (self.folder / name / "certificate.der").read_bytes()
        except OSError as error:
            raise KeyUnavailable("This folder holds no authorities.") from error

    def _issued(self, by: ProfileName, serial_number: int) -> Path:
        return self.folder / by / "issued" / f"{serial_number:x}.der"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder alone: two lists of one number, or two revocations of one certificate, must not be."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _number(crl_der: bytes | None) -> int:
    if crl_der is None:
        return 0
    crl = x509.load_der_x509_crl(crl_der)
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _write(path: Path, content: bytes) -> None:
    """Put a file in place whole and flushed."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{secrets.token_hex(8)}")
    with temporary.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
