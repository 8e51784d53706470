"""A ceremony: what one reviewed file says is checked on a twin, approved by two people, signed once, written down.

Works where the keys are, in files or in a token, with no database and no network. What it makes is put in place as one
folder when everything has gone well; before that, no signature is on any disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from app.certificates import key_access
from app.certificates.ceremony_file import IssuingAuthority, NamedFile, ReKey, Reviewed, Root, RootList
from app.core.settings import Settings
from pki.authority import Issuer, IssuerUrls, PreparedCertificate, issue, new_serial_number, prepare, spki
from pki.crl import build_crl, check_succession, missing_entries
from pki.errors import ProfileViolation
from pki.keys import PublicKey, SigningKey, SoftwareKey, signature_algorithm
from pki.lint import lint_certificate
from pki.lint_crl import lint_crl
from pki.names import ServiceName
from pki.profiles import PROFILES, ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry

APPROVERS: Final = 2
_NewAuthority = Root | IssuingAuthority | ReKey


@dataclass(frozen=True)
class Approval:
    """Somebody who read the file, and the hash of what they read."""

    name: str
    sha256: str


@dataclass(frozen=True)
class _Made:
    """What was signed, and who signs the transcript of it."""

    name: str
    content: bytes
    signer: SigningKey


def check(settings: Settings, reviewed: Reviewed, *, now: datetime) -> list[str]:
    """Return what would be made, a line each, after linting it on a twin. Uses no key of the house and writes nothing.

    Raises PkiError for whatever would stop the ceremony, except a key that cannot be opened.
    """
    act = reviewed.act
    if isinstance(act, RootList):
        _sign_list(reviewed, act, _twin_of(_root_certificate(reviewed, act.root), now), now)
        return [
            f"Revocation list of the root, number {act.number}, valid for {act.lifetime_days} days",
            f"Signed with {act.root_key}",
            *(f"Revoked: {one.serial}, {one.reason}, {one.revoked_at.isoformat()}" for one in act.revoked),
        ]
    _check_new_key(settings, act)
    prepared = _prepare(reviewed, act, SoftwareKey.generate(PROFILES[_profile(act)].curve).public_key, now)
    return [
        f"Certificate of the authority “{act.common_name}”, {act.organization}",
        f"Profile {prepared.profile}, generation {act.generation}",
        f"New key {act.key}, {PROFILES[_profile(act)].curve}",
        f"Signed with {act.key if isinstance(act, Root) else act.root_key}",
        f"Valid until {prepared.not_after:%Y-%m-%d}",
    ]


def run(
    settings: Settings, reviewed: Reviewed, approvals: Sequence[Approval], out: Path, *, now: datetime
) -> Mapping[str, bytes]:
    """Do the act and return the files that now stand in the new folder `out`, by name.

    Raises ProfileViolation if the file is not what was approved, two people are not two, or `out` exists; LintFailure,
    KeyUnavailable and the other errors of the library. After an error there is no folder and no signature on disk; a
    key that was made stays, and is refused the next time, so that nobody certifies it by accident.
    """
    names = _check_approvals(reviewed, approvals)
    if os.path.lexists(out):
        raise ProfileViolation(f"{out.name} exists already; what a ceremony made is never written over.")
    lines = check(settings, reviewed, now=now)
    act = reviewed.act
    # Made first: where nothing can be written, no key is made and nothing is signed.
    with _new_folder(out) as folder:
        if isinstance(act, RootList):
            made = _make_list(settings, reviewed, act, now)
        else:
            made = _make(settings, reviewed, act, now)
        transcript = _transcript(reviewed, names, lines, made, now)
        files = {"ceremony.yaml": reviewed.content, made.name: made.content, **transcript}
        for name, content in files.items():
            _write(folder / name, content)
    return files


def _check_approvals(reviewed: Reviewed, approvals: Sequence[Approval]) -> list[str]:
    names = {" ".join(unicodedata.normalize("NFC", one.name).casefold().split()): one.name.strip() for one in approvals}
    if len(names) < APPROVERS or "" in names:
        raise ProfileViolation("Two different people must approve.")
    for one in approvals:
        if one.sha256.lower() != reviewed.sha256:
            raise ProfileViolation(
                f"{one.name} approved another file: this one has the SHA-256 {reviewed.sha256}. Read it again."
            )
    return sorted(names.values())


def _make(settings: Settings, reviewed: Reviewed, act: _NewAuthority, now: datetime) -> _Made:
    # 1. The root's key is opened first: without it no key is made that nobody certifies.
    above = None if isinstance(act, Root) else _root(settings, reviewed, act.root, act.root_key)
    # 2. The key, 3. the certificate linted on its twin, 4. signed once and read back.
    key = key_access.make(settings, act.key, PROFILES[_profile(act)].curve)
    prepared = _prepare(reviewed, act, key.public_key, now)
    return _Made("certificate.cer", issue(prepared, above.key if above else key), key)


def _make_list(settings: Settings, reviewed: Reviewed, act: RootList, now: datetime) -> _Made:
    root = _root(settings, reviewed, act.root, act.root_key)
    return _Made("root.crl", _sign_list(reviewed, act, root, now), root.key)


def _prepare(reviewed: Reviewed, act: _NewAuthority, public_key: PublicKey, now: datetime) -> PreparedCertificate:
    """Return the linted to-be-signed certificate. Raises PkiError, also where the files beside it do not fit."""
    above_der, urls = None, IssuerUrls()
    if not isinstance(act, Root):
        above_der = _root_certificate(reviewed, act.root)
        base = act.status_url
        urls = IssuerUrls(f"{base}/ca/root.cer", f"{base}/ocsp", f"{base}/crl/root/0.crl", f"{base}/identifiers")
    if isinstance(act, ReKey):
        _check_previous(reviewed.read(act.previous), above_der, act, public_key)
    return prepare(
        PROFILES[_profile(act)],
        ServiceName(act.common_name, act.organization),
        public_key,
        issuer_certificate_der=above_der,
        issuer_profile=ProfileName.ROOT,
        serial_number=new_serial_number(),
        now=now,
        urls=urls,
    )


def _check_previous(previous_der: bytes, root_der: bytes | None, act: ReKey, public_key: PublicKey) -> None:
    """Refuse a next generation that could be taken for the one before: its name, its key, its root."""
    lint_certificate(previous_der, PROFILES[ProfileName(act.profile)])
    previous, root = x509.load_der_x509_certificate(previous_der), x509.load_der_x509_certificate(root_der or b"")
    try:
        previous.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise ProfileViolation("The generation before is of another root.") from error
    if previous.subject == ServiceName(act.common_name, act.organization).to_x509():
        raise ProfileViolation("The next generation needs a name of its own, or its lists would be taken for the old.")
    if spki(previous.public_key()) == spki(public_key):
        raise ProfileViolation("The next generation needs a key of its own.")


def _check_new_key(settings: Settings, act: _NewAuthority) -> None:
    if key_access.exists(settings, act.key):
        raise ProfileViolation(
            f"The key {act.key} exists already: another authority has it, or a ceremony was interrupted. Name another."
        )


def _root(settings: Settings, reviewed: Reviewed, named: NamedFile, key_reference: str) -> Issuer:
    return Issuer(_root_certificate(reviewed, named), key_access.load(settings, key_reference))


def _root_certificate(reviewed: Reviewed, named: NamedFile) -> bytes:
    certificate_der = reviewed.read(named)
    lint_certificate(certificate_der, PROFILES[ProfileName.ROOT])
    return certificate_der


def _sign_list(reviewed: Reviewed, act: RootList, issuer: Issuer, now: datetime) -> bytes:
    """Return the list, if it may follow the one before."""
    if (act.number == 1) != (act.previous is None):
        raise ProfileViolation("Every list but number 1 names the one before.")
    if any(one.revoked_at > now for one in act.revoked):
        raise ProfileViolation("An authority cannot be revoked in the future.")
    crl_der = build_crl(
        [
            encode_entry(RevokedEntry(int(one.serial, 16), one.revoked_at, RevocationReason[one.reason.upper()]))
            for one in act.revoked
        ],
        issuer=issuer,
        number=act.number,
        now=now,
        lifetime=timedelta(days=act.lifetime_days),
        distribution_point=None,
        only_ca=True,
    )
    if act.previous is not None:
        previous_der = reviewed.read(act.previous)
        lint_crl(previous_der, issuer_certificate_der=_root_certificate(reviewed, act.root))
        if missing_entries(previous_der, crl_der):
            raise ProfileViolation("An entry of the list before is missing.")
        check_succession(previous_der, crl_der)
    return crl_der


def _twin_of(root_der: bytes, now: datetime) -> Issuer:
    """Return an issuer with the name of the root and a throwaway key."""
    subject = x509.load_der_x509_certificate(root_der).subject
    common_name, organization = (
        str(subject.get_attributes_for_oid(oid)[0].value) for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
    )
    key = SoftwareKey.generate(PROFILES[ProfileName.ROOT].curve)
    prepared = prepare(
        PROFILES[ProfileName.ROOT],
        ServiceName(common_name, organization),
        key.public_key,
        issuer_certificate_der=None,
        issuer_profile=ProfileName.ROOT,
        serial_number=new_serial_number(),
        now=now,
        urls=IssuerUrls(),
    )
    return Issuer(issue(prepared, key), key)


def _transcript(reviewed: Reviewed, names: list[str], lines: list[str], made: _Made, now: datetime) -> dict[str, bytes]:
    """Return the transcript, its signature and the key to check it with.

    The signing key is an authority's, whose signatures mean certificates and lists: those begin with the byte 0x30, a
    transcript begins with 0x7B, so that one is never taken for the other.
    """
    algorithm = signature_algorithm(made.signer.public_key)
    facts = {
        "act": reviewed.act.act,
        "approved_by": names,
        "approved_sha256": reviewed.sha256,
        "made": {"file": made.name, "sha256": hashlib.sha256(made.content).hexdigest()},
        "made_at": now.replace(microsecond=0).isoformat(),
        "said": lines,
    }
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    return {
        "transcript.json": text,
        "transcript.sig": made.signer.sign(text, hash=algorithm.hash),
        "signer.pem": made.signer.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` that takes its place, flushed, when all went well, and is gone otherwise."""
    folder = out.with_name(f".{out.name}-{secrets.token_hex(8)}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        yield folder
        _flush(folder)
        folder.rename(out)
        _flush(out.parent)
    except OSError as error:
        raise ProfileViolation(f"{out.name} could not be written. Nothing is left of it.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _profile(act: _NewAuthority) -> ProfileName:
    return ProfileName.ROOT if isinstance(act, Root) else ProfileName(act.profile)
