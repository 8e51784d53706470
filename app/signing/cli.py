"""`kyvao pdf`: sign and check PDF files with keys and certificates in files. No database, no web."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final
from urllib.error import URLError
from urllib.parse import urlsplit

import click

from app.archive.pdf_commands import augment_file, will_verify_file
from app.signing.check_commands import (
    NOT_VALID,
    UNREADABLE,
    bounded_read,
    certificates,
    crl,
    give_up,
    limited,
    refusal,
    verify_files,
    words,
)
from pki.errors import PdfRefused, PkiError
from pki.keys.files import load
from pki.pades.appearance import Mark
from pki.pades.augment import add_validation_material, renew
from pki.pades.dss import Material
from pki.pades.finish import Timestamper, finish
from pki.pades.geometry import page_geometries
from pki.pades.intake import take_in
from pki.pades.placement import Corner, Placement, place
from pki.pades.prepare import prepare
from pki.tsa import MAXIMUM_RESPONSE

_TSA_SECONDS: Final = 15
_MARK_MM: Final = (66.0, 22.0)
_FROM_CORNER_MM: Final = 20.0
_LEVELS: Final = ("B-B", "B-T", "B-LT", "B-LTA")
_LONG: Final = ("B-LT", "B-LTA")
# Octets beside the certificates: the value with its attributes, and a timestamp from any house.
_ROOM_FOR_VALUE: Final = 2048
_ROOM_FOR_TOKEN: Final = 14 * 1024

file_argument = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("pdf")
def pdf() -> None:
    """Sign and check PDF files."""


pdf.add_command(augment_file)
pdf.add_command(will_verify_file)
pdf.add_command(verify_files)


@pdf.command("sign")
@click.argument("source", metavar="IN", type=file_argument)
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--key", "key_path", required=True, type=file_argument, help="Private key in PEM.")
@click.option("--cert", "chain_path", required=True, type=file_argument, help="PEM: the certificate, then its issuers.")
@click.option("--level", type=click.Choice(_LEVELS), help="Default B-B, with --tsa B-T.")
@click.option("--tsa", "tsa_url", metavar="URL", help="Timestamp service (RFC 3161); from B-T on.")
@click.option("--field", "field_name", help="Name of an empty signature field in IN.")
@click.option("--mark", "mark_text", help="Text of a visible mark; lines are separated by |.")
@click.option("--page", default=1, show_default=True, help="Page of the mark.")
@click.option("--corner", type=click.Choice([corner.value for corner in Corner]), default=Corner.BOTTOM_RIGHT.value)
@click.option("--passphrase-file", type=click.File("rb"), help="First line: the passphrase of the key.")
@click.option("--trust", "trust_paths", multiple=True, type=file_argument, help="B-LT, B-LTA: PEM with authorities.")
@click.option("--crl", "crl_paths", multiple=True, type=file_argument, help="B-LT, B-LTA: revocation list, PEM or DER.")
@click.option("--ocsp", "ocsp_paths", multiple=True, type=file_argument, help="B-LT, B-LTA: OCSP answer, DER.")
def sign(
    source: Path,
    target: Path,
    key_path: Path,
    chain_path: Path,
    level: str | None,
    tsa_url: str | None,
    field_name: str | None,
    mark_text: str | None,
    page: int,
    corner: str,
    passphrase_file: BinaryIO | None,
    trust_paths: tuple[Path, ...],
    crl_paths: tuple[Path, ...],
    ocsp_paths: tuple[Path, ...],
) -> None:
    """Sign the PDF file IN and write the signed file OUT.

    B-LT and B-LTA keep in the file what proves it for years: the lists and answers that are handed in.
    """
    chosen_level = level or ("B-T" if tsa_url else "B-B")
    _check_options(chosen_level, tsa_url, [*crl_paths, *ocsp_paths])
    passphrase = passphrase_file.readline().rstrip(b"\r\n") if passphrase_file is not None else None
    chain = certificates(chain_path)
    material = _material(chain, trust_paths, crl_paths, ocsp_paths)
    timestamp = _timestamper(tsa_url) if tsa_url is not None else None
    with _saying():
        key = load(key_path, passphrase=passphrase)
        content = bounded_read(source)
        output = BytesIO()
        taken = take_in(BytesIO(content), output, keep_fields=True)
        accepted = output.getvalue() if taken.rewritten else content
        shown = mark_text is not None and field_name is None
        waiting = prepare(
            BytesIO(accepted),
            certificate_der=chain[0],
            now=datetime.now(UTC),
            field_name=field_name,
            mark=Mark(tuple(mark_text.split("|"))) if mark_text else None,
            placement=_corner(accepted, page, Corner(corner)) if shown else None,
            room=sum(map(len, chain)) + _ROOM_FOR_VALUE + (_ROOM_FOR_TOKEN if timestamp else 0),
        )
        signed = accepted + finish(
            waiting,
            signature_value=key.sign(waiting.signed_attributes_der),
            certificate_der=chain[0],
            chain_der=chain[1:],
            timestamp=timestamp,
        )
        signed += _proofs(signed, chosen_level, material, timestamp)
    target.write_bytes(signed)
    click.echo(f"Signed, level {chosen_level}: {target}")


def _check_options(level: str, tsa_url: str | None, evidence: list[Path]) -> None:
    if level != "B-B" and tsa_url is None:
        raise click.UsageError(f"Level {level} needs --tsa URL.")
    if level == "B-B" and tsa_url is not None:
        raise click.UsageError("Level B-B has no timestamp: leave out --tsa.")
    if level in _LONG and not evidence:
        raise click.UsageError(f"Level {level} needs --crl or --ocsp: what proves that no certificate was revoked.")
    if level not in _LONG and evidence:
        raise click.UsageError(f"Level {level} keeps no lists: leave out --crl and --ocsp.")


def _material(
    chain: tuple[bytes, ...], trust_paths: tuple[Path, ...], crl_paths: tuple[Path, ...], ocsp_paths: tuple[Path, ...]
) -> Material:
    authorities = tuple(der for path in trust_paths for der in certificates(path))
    return Material(
        (*chain, *authorities),
        tuple(path.read_bytes() for path in ocsp_paths),
        tuple(crl(path) for path in crl_paths),
    )


def _proofs(signed: bytes, level: str, material: Material, timestamp: Timestamper | None) -> bytes:
    """Return what follows the signed file so that it has the level."""
    if level == "B-LTA" and timestamp is not None:
        return renew(BytesIO(signed), material, timestamp)
    return add_validation_material(BytesIO(signed), material) if level == "B-LT" else b""


def _corner(content: bytes, page: int, corner: Corner) -> Placement:
    width, height = _MARK_MM
    return place(
        page_geometries(content),
        page=page,
        corner=corner,
        x_mm=_FROM_CORNER_MM,
        y_mm=_FROM_CORNER_MM,
        width_mm=width,
        height_mm=height,
    )


def _timestamper(url: str) -> Callable[[bytes], bytes]:
    if urlsplit(url).scheme not in ("http", "https"):
        raise click.UsageError("The address of a timestamp service begins with http:// or https://.")

    def ask(request_der: bytes) -> bytes:
        request = urllib.request.Request(  # noqa: S310  the scheme is checked above
            url, data=request_der, headers={"Content-Type": "application/timestamp-query"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TSA_SECONDS) as answer:  # noqa: S310  as above
                return bytes(answer.read(MAXIMUM_RESPONSE + 1))
        except (URLError, OSError) as error:
            raise click.ClickException(f"The timestamp service did not answer: {error}. Nothing was signed.") from error

    return ask


@contextmanager
def _saying() -> Iterator[None]:
    """Turn what the library refuses into a sentence; a PDF that cannot be signed is "unreadable"."""
    try:
        with limited():
            yield
    except PdfRefused as error:
        give_up(refusal(error), UNREADABLE)
    except PkiError as error:
        give_up(f"Nothing was signed: {words(type(error).__name__)} {error}".rstrip(), NOT_VALID)
