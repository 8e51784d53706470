"""`kyvao pdf augment` and `kyvao pdf will-verify`: proofs of files alone, with what is handed in. No database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfileobj
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.chains import TrustStore
from pki.errors import PdfRefused, PkiError
from pki.pades import augment, proofs
from pki.pades.dss import Material
from pki.pades.simulate import Forecast, Weakness, will_verify
from pki.status_evidence import StatusEvidence
from pki.tsa import MAXIMUM_RESPONSE

FAILS: Final = 1
UNREADABLE: Final = 2
_TSA_SECONDS: Final = 15
_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_trust = click.option("--trust", "trust_paths", multiple=True, type=_file, help="PEM with roots and authorities.")
_crl = click.option("--crl", "crl_paths", multiple=True, type=_file, help="Revocation list, PEM or DER.")
_ocsp = click.option("--ocsp", "ocsp_paths", multiple=True, type=_file, help="OCSP answer, DER.")
_WHY: Final = {
    Weakness.UNSIGNED: "the file carries no signature",
    Weakness.TIME_NOT_PROVEN: "no timestamp proves when it was signed, and the signer's certificate ends",
    Weakness.TIMESTAMP_ENDS: "the certificates of its newest timestamp end; renew it before",
    Weakness.STATUS_NOT_KEPT: "it does not hold the status of a certificate, which ends",
    Weakness.RENEWED_TOO_LATE: "a timestamp came when the one before it had ended",
    Weakness.REVOKED: "a certificate was revoked before it was used",
    Weakness.UNTRUSTED: "a certificate does not lead to a trusted root",
}


@click.command("augment")
@click.argument("source", metavar="FILE", type=_file)
@click.option("--level", type=click.Choice([proofs.Level.LONG_TERM.value, proofs.Level.ARCHIVE.value]), required=True)
@click.option("-o", "--output", "target", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--tsa", "tsa_url", metavar="URL", help="Timestamp service (RFC 3161), for B-LTA.")
@_trust
@_crl
@_ocsp
def augment_file(
    source: Path,
    level: str,
    target: Path,
    tsa_url: str | None,
    trust_paths: tuple[Path, ...],
    crl_paths: tuple[Path, ...],
    ocsp_paths: tuple[Path, ...],
) -> None:
    """Add to the signed PDF file FILE what proves it for years, and write it as a new file.

    B-LT adds certificates, revocation lists and OCSP answers; B-LTA adds a document timestamp too, or renews it.
    """
    if (level == proofs.Level.ARCHIVE) is (tsa_url is None):
        raise click.UsageError("Level B-LTA needs --tsa URL, level B-LT has no use for it.")
    material = Material(
        tuple(der for path in trust_paths for der in _certificates(path)),
        tuple(path.read_bytes() for path in ocsp_paths),
        tuple(_list(path) for path in crl_paths),
    )
    with source.open("rb") as base, _saying():
        if proofs.read(base).level is None:
            _give_up("The file carries no signature. Nothing was added.", FAILS)
        if tsa_url is not None:
            appended = augment.renew(base, material, _timestamper(tsa_url))
        else:
            appended = augment.add_validation_material(base, material)
        with target.open("wb") as written:
            base.seek(0)
            copyfileobj(base, written)
            written.write(appended)
    with target.open("rb") as made:
        found = proofs.read(made)
    due = f", renew by {found.renew_by:%Y-%m-%d}" if found.renew_by else ""
    click.echo(f"Level {found.level}{due}: {target}")


@click.command("will-verify")
@click.argument("source", metavar="FILE", type=_file)
@click.option("--on", "day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day asked about.")
@_trust
@_crl
@_ocsp
def will_verify_file(
    source: Path,
    day: datetime,
    trust_paths: tuple[Path, ...],
    crl_paths: tuple[Path, ...],
    ocsp_paths: tuple[Path, ...],
) -> None:
    """Say whether the signatures of FILE will verify on a day if nothing is added to it, and until when they do.

    Exit code 0: they will. 1: they will not. 2: the file cannot be read.
    """
    trusted = [der for path in trust_paths for der in _certificates(path)]
    with source.open("rb") as base, _saying():
        found = will_verify(
            base,
            trust=TrustStore(tuple(trusted_roots(trusted)), tuple(trusted)),
            evidence=StatusEvidence(
                tuple(_list(path) for path in crl_paths), tuple(path.read_bytes() for path in ocsp_paths)
            ),
            now=datetime.now(UTC),
            at=day.replace(tzinfo=UTC),
        )
    click.echo(_sentence(found, day))
    if not found.holds:
        raise SystemExit(FAILS)


def trusted_roots(certificates_der: Sequence[bytes]) -> Iterator[bytes]:
    """Yield those that are their own issuer."""
    for der in certificates_der:
        certificate = x509.load_der_x509_certificate(der)
        if certificate.issuer == certificate.subject:
            yield der


def _sentence(found: Forecast, day: datetime) -> str:
    answer = "Yes" if found.holds else "No"
    why = _WHY[found.why] if found.why else ""
    until = f" Until {found.fails_from:%Y-%m-%d %H:%M} UTC:" if found.fails_from else ""
    field = f" ({found.field_name})" if found.field_name else ""
    return f"{answer}, on {day:%Y-%m-%d}.{until} {why}{field}."


def _timestamper(url: str) -> augment.Timestamper:
    if urlsplit(url).scheme not in ("http", "https"):
        raise click.UsageError("The address of a timestamp service begins with http:// or https://.")

    def ask(request_der: bytes) -> bytes:
        request = Request(url, data=request_der, headers={"Content-Type": "application/timestamp-query"})  # noqa: S310
        try:
            with urlopen(request, timeout=_TSA_SECONDS) as answer:  # noqa: S310  the scheme is checked above
                return bytes(answer.read(MAXIMUM_RESPONSE + 1))
        except (URLError, OSError) as error:
            raise click.ClickException(f"The timestamp service did not answer: {error}. Nothing was added.") from error

    return ask


def _certificates(path: Path) -> tuple[bytes, ...]:
    try:
        return tuple(one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(path.read_bytes()))
    except ValueError as error:
        raise click.ClickException(f"{path} holds no certificates in PEM.") from error


def _list(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        pem = content.startswith(b"-----")
        found = x509.load_pem_x509_crl(content) if pem else x509.load_der_x509_crl(content)
    except ValueError as error:
        raise click.ClickException(f"{path} is not a revocation list.") from error
    return found.public_bytes(Encoding.DER)


@contextmanager
def _saying() -> Iterator[None]:
    """Turn what the library refuses into a sentence."""
    try:
        yield
    except PdfRefused as error:
        _give_up(f"The file was refused: {error.fault.replace('_', ' ')}.", UNREADABLE)
    except PkiError as error:
        _give_up(f"Nothing was added: {type(error).__name__} {error}".rstrip(), FAILS)


def _give_up(sentence: str, code: int) -> None:
    click.echo(sentence, err=True)
    raise SystemExit(code)
