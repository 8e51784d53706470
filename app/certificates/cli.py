"""`kyvao ca`: certificate authorities in a folder of files, for a ceremony or a laboratory. Needs no database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from app.certificates.authority_folder import NAMES, AuthorityFolder
from pki import csr
from pki.errors import PkiError
from pki.names import PersonName, SubjectName, new_opaque_identifier
from pki.profiles import PROFILES, ProfileName
from pki.revocation import RevokedBy, allowed_reasons

_LARGEST_FILE: Final = 64 * 1024 * 1024
_REASONS: Final = {reason.name.lower().replace("_", "-"): reason for reason in allowed_reasons(RevokedBy.ADMINISTRATOR)}
_LEAVES: Final = [name.value for name, profile in PROFILES.items() if not profile.is_authority]

folder_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
passphrase_option = click.option(
    "--passphrase-file",
    type=click.File("rb"),
    help="First line: the passphrase of the keys. Without it you are asked.",
)


@click.group("ca")
def ca() -> None:
    """Make and run certificate authorities in a folder."""


@ca.command("init")
@folder_argument
@click.option("--organization", required=True, help="Who runs the authorities; stands in every issuer's name.")
@click.option("--url", required=True, help="Public http address, without a path, of lists, status and certificates.")
@passphrase_option
def init(folder: Path, organization: str, url: str, passphrase_file: BinaryIO | None) -> None:
    """Make a root, its issuing authorities and their first revocation lists in the empty folder DIR."""
    with _saying():
        authorities = AuthorityFolder(folder, _passphrase(passphrase_file, new=True))
        authorities.create(organization, url, now=datetime.now(UTC))
    click.echo(f"{len(NAMES)} authorities are ready in {folder}.")
    click.echo("Keep the folder root/ on a medium of its own, under lock.")


@ca.command("issue")
@folder_argument
@click.option("--profile", type=click.Choice(_LEAVES), required=True)
@click.option("--csr", "csr_path", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--subject", multiple=True, metavar="FIELD=TEXT", help="For example common_name='Nguyễn Thị Lan'.")
@click.option("--issuer", type=click.Choice([name.value for name in NAMES]), help="Only where several may issue.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the certificate, in PEM.")
@passphrase_option
def issue(
    folder: Path,
    profile: str,
    csr_path: Path,
    subject: tuple[str, ...],
    issuer: str | None,
    out: Path | None,
    passphrase_file: BinaryIO | None,
) -> None:
    """Issue a certificate for the key of a request. The name is what you say, not what the request says."""
    chosen = ProfileName(profile)
    name = _subject(chosen, subject)
    by = _issuer(chosen, issuer)
    with _saying():
        request = csr.parse(_read(csr_path))
        authorities = AuthorityFolder(folder, _passphrase(passphrase_file))
        certificate_der = authorities.issue(chosen, name, request.public_key, by=by, now=datetime.now(UTC))
    certificate = x509.load_der_x509_certificate(certificate_der)
    pem = certificate.public_bytes(Encoding.PEM)
    if out is None:
        click.echo(pem, nl=False)
        return
    out.write_bytes(pem)
    click.echo(f"Serial number {certificate.serial_number:x}, valid until {certificate.not_valid_after_utc:%Y-%m-%d}.")


@ca.command("revoke")
@folder_argument
@click.argument("serial", metavar="SERIAL")
@click.option("--reason", type=click.Choice(list(_REASONS)), required=True)
def revoke(folder: Path, serial: str, reason: str) -> None:
    """End the certificate with the serial number SERIAL (hexadecimal) for good."""
    try:
        serial_number = int(serial.replace(":", ""), 16)
    except ValueError as error:
        raise click.BadParameter("a serial number is hexadecimal", param_hint="SERIAL") from error
    with _saying():
        name = AuthorityFolder(folder, b"").revoke(serial_number, _REASONS[reason], now=datetime.now(UTC))
    click.echo(f"Revoked. Publish it: kyvao ca crl {folder} --authority {name}")


@ca.command("crl")
@folder_argument
@click.option("--authority", type=click.Choice([name.value for name in NAMES]), help="Only this one's list.")
@passphrase_option
def crl(folder: Path, authority: str | None, passphrase_file: BinaryIO | None) -> None:
    """Sign the next revocation list of every authority, into DIR/<authority>/crl.der."""
    with _saying():
        authorities = AuthorityFolder(folder, _passphrase(passphrase_file))
        for name in [ProfileName(authority)] if authority else list(NAMES):
            published = x509.load_der_x509_crl(authorities.publish(name, now=datetime.now(UTC)))
            click.echo(f"{name}: {len(published)} revoked, next list by {published.next_update_utc:%Y-%m-%d %H:%M} UTC")


@ca.command("show")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def show(path: Path) -> None:
    """Say in a few lines what a certificate, revocation list or request holds (DER or PEM)."""
    content = _read(path)
    for describe in (_describe_certificate, _describe_crl, _describe_request):
        lines = describe(content)
        if lines:
            width = max(map(len, lines))
            for label, text in lines.items():
                click.echo(f"{label:<{width}}  {text}")
            return
    raise click.ClickException("The file is not a certificate, a revocation list or a request, or it is damaged.")


def _describe_certificate(content: bytes) -> dict[str, str]:
    try:
        load = x509.load_pem_x509_certificate if _is_pem(content) else x509.load_der_x509_certificate
        one = load(content)
    except ValueError:
        return {}
    return {
        "Subject": one.subject.rfc4514_string(),
        "Issuer": one.issuer.rfc4514_string(),
        "Serial number": f"{one.serial_number:x}",
        "Valid from": f"{one.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC",
        "Valid until": f"{one.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC",
        "SHA-256": hashlib.sha256(one.public_bytes(Encoding.DER)).hexdigest(),
    }


def _describe_crl(content: bytes) -> dict[str, str]:
    try:
        load = x509.load_pem_x509_crl if _is_pem(content) else x509.load_der_x509_crl
        one = load(content)
    except ValueError:
        return {}
    next_update = one.next_update_utc
    return {
        "Revocation list of": one.issuer.rfc4514_string(),
        "This update": f"{one.last_update_utc:%Y-%m-%d %H:%M:%S} UTC",
        "Next update": f"{next_update:%Y-%m-%d %H:%M:%S} UTC" if next_update else "not said",
        "Revoked": str(len(one)),
    }


def _describe_request(content: bytes) -> dict[str, str]:
    try:
        request = csr.parse(content)
    except PkiError:
        return {}
    return {"Request for a key of": f"{request.public_key.key_size} bits", "SHA-256 of the key": request.spki_sha256}


def _subject(profile: ProfileName, given: tuple[str, ...]) -> SubjectName:
    """Return the name typed as FIELD=TEXT. A person without an identifier gets a fresh opaque one."""
    kind = PROFILES[profile].subject
    known = {one.name: one for one in fields(kind)}
    values = {field: text for field, _, text in (part.partition("=") for part in given)}
    if kind is PersonName:
        values.setdefault("identifier", new_opaque_identifier())
    missing = {name for name, one in known.items() if one.default is MISSING} - set(values)
    if missing or set(values) - set(known):
        raise click.BadParameter(f"{profile} has the fields {', '.join(known)}", param_hint="--subject")
    return kind(**values)


def _issuer(profile: ProfileName, given: str | None) -> ProfileName:
    may = PROFILES[profile].issued_by
    if given is None and len(may) > 1:
        raise click.UsageError(f"Several authorities issue {profile}. Say which with --issuer.")
    return ProfileName(given) if given else next(iter(may))


def _passphrase(file: BinaryIO | None, *, new: bool = False) -> bytes:
    if file is not None:
        return file.readline().rstrip(b"\r\n")
    typed: str = click.prompt("Passphrase of the keys", hide_input=True, confirmation_prompt=new, err=True)
    return typed.encode()


def _read(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST_FILE:
        raise click.ClickException("The file is too large.")
    return path.read_bytes()


def _is_pem(content: bytes) -> bool:
    return content.lstrip().startswith(b"-----")


@contextmanager
def _saying() -> Iterator[None]:
    """Turn a refusal of the library into a sentence and an exit code."""
    try:
        yield
    except PkiError as error:
        raise click.ClickException(str(error)) from error
