"""`kyvao pdf`: sign and check PDF files with keys and certificates in files. No database, no web."""

from __future__ import annotations

import json
import resource
import signal
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import BinaryIO, Final, NoReturn
from urllib.error import URLError
from urllib.parse import urlsplit

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from app.archive.pdf_commands import augment_file, will_verify_file
from pki.chains import TrustStore
from pki.errors import PdfRefused, PkiError
from pki.keys.files import load
from pki.pades.appearance import Mark
from pki.pades.augment import add_validation_material, renew
from pki.pades.dss import Material
from pki.pades.faults import PdfFault
from pki.pades.finish import Timestamper, finish
from pki.pades.geometry import page_geometries
from pki.pades.intake import inspect, normalise
from pki.pades.placement import Corner, Placement, place
from pki.pades.prepare import prepare
from pki.pades.report import Report, SignatureReport, Verdict
from pki.pades.verify import verify
from pki.status_evidence import StatusEvidence
from pki.tsa import MAXIMUM_RESPONSE

NOT_VALID: Final = 1
UNREADABLE: Final = 2
_LARGEST_FILE: Final = 64 * 1024 * 1024
_CPU_SECONDS: Final = 30
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
    chain = _certificates(chain_path)
    material = _material(chain, trust_paths, crl_paths, ocsp_paths)
    timestamp = _timestamper(tsa_url) if tsa_url is not None else None
    with _saying():
        key = load(key_path, passphrase=passphrase)
        content = _bounded_read(source)
        accepted = content if inspect(content).signatures else normalise(content)
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
    authorities = tuple(der for path in trust_paths for der in _certificates(path))
    return Material(
        (*chain, *authorities),
        tuple(path.read_bytes() for path in ocsp_paths),
        tuple(_crl(path) for path in crl_paths),
    )


def _proofs(signed: bytes, level: str, material: Material, timestamp: Timestamper | None) -> bytes:
    """Return what follows the signed file so that it has the level."""
    if level == "B-LTA" and timestamp is not None:
        return renew(BytesIO(signed), material, timestamp)
    return add_validation_material(BytesIO(signed), material) if level == "B-LT" else b""


@pdf.command("verify")
@click.argument("source", metavar="FILE", type=file_argument)
@click.option("--trust", "trust_paths", multiple=True, type=file_argument, help="PEM with roots (and authorities).")
@click.option("--crl", "crl_paths", multiple=True, type=file_argument, help="Revocation list, PEM or DER.")
@click.option("--ocsp", "ocsp_paths", multiple=True, type=file_argument, help="OCSP answer, DER.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
def verify_file(
    source: Path,
    trust_paths: tuple[Path, ...],
    crl_paths: tuple[Path, ...],
    ocsp_paths: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check the signatures of the PDF file FILE; nothing is fetched.

    Exit code 0: valid. 1: not valid, or not enough evidence. 2: the file cannot be read.
    """
    trusted = [der for path in trust_paths for der in _certificates(path)]
    trust = TrustStore(
        tuple(der for der in trusted if _is_root(der)), tuple(der for der in trusted if not _is_root(der))
    )
    evidence = StatusEvidence(tuple(_crl(path) for path in crl_paths), tuple(path.read_bytes() for path in ocsp_paths))
    try:
        with _limited():
            report = verify(_bounded_read(source), trust=trust, evidence=evidence, now=datetime.now(UTC))
    except PdfRefused as error:
        _give_up(_refusal(error), UNREADABLE)
    click.echo(_json(report) if as_json else "\n".join(_lines(report)))
    if report.verdict is not Verdict.VALID:
        raise SystemExit(NOT_VALID)


def _lines(report: Report) -> Iterator[str]:
    yield f"{_words(report.verdict)}: {_words(report.reason)}"
    for number, one in enumerate(report.signatures, start=1):
        yield from _signature_lines(number, one)


def _signature_lines(number: int, one: SignatureReport) -> Iterator[str]:
    body = f", {one.organisation}" if one.organisation else ""
    yield f"Signature {number}: {one.signer or 'unknown'}{body}"
    yield f"  verdict: {_words(one.verdict)} ({_words(one.reason)})"
    if one.proven_at is not None:
        yield f"  time: {one.proven_at.isoformat()}, proven by a timestamp"
    elif one.claimed_at is not None:
        yield f"  time: {one.claimed_at.isoformat()}, only claimed"
    whole = "yes" if one.covers_whole_file else "no"
    yield f"  covers the whole file: {whole}; changes after it: {_words(one.changes_after.name)}"
    if one.revoked_at is not None:
        yield f"  certificate revoked since {one.revoked_at.isoformat()} ({one.revocation_reason})"


def _words(code: str) -> str:
    return code.replace("_", " ").lower()


def _json(report: Report) -> str:
    return json.dumps(report.to_json(), ensure_ascii=False, indent=2)


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


def _certificates(path: Path) -> tuple[bytes, ...]:
    try:
        return tuple(one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(path.read_bytes()))
    except ValueError as error:
        raise click.ClickException(f"{path} holds no certificates in PEM.") from error


def _is_root(certificate_der: bytes) -> bool:
    certificate = x509.load_der_x509_certificate(certificate_der)
    return certificate.issuer == certificate.subject


def _crl(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        pem = content.startswith(b"-----")
        found = x509.load_pem_x509_crl(content) if pem else x509.load_der_x509_crl(content)
    except ValueError as error:
        raise click.ClickException(f"{path} is not a revocation list.") from error
    return found.public_bytes(Encoding.DER)


def _bounded_read(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST_FILE:
        raise PdfRefused(PdfFault.TOO_LARGE)
    return path.read_bytes()


@contextmanager
def _saying() -> Iterator[None]:
    """Turn what the library refuses into a sentence; a PDF that cannot be signed is "unreadable"."""
    try:
        with _limited():
            yield
    except PdfRefused as error:
        _give_up(_refusal(error), UNREADABLE)
    except PkiError as error:
        _give_up(f"Nothing was signed: {_words(type(error).__name__)} {error}".rstrip(), NOT_VALID)


def _refusal(error: PdfRefused) -> str:
    return f"The file was refused: {_words(error.fault)}."


def _give_up(sentence: str, code: int) -> NoReturn:
    click.echo(sentence, err=True)
    raise SystemExit(code)


@contextmanager
def _limited() -> Iterator[None]:
    """Give a hostile file half a minute of processor time; what runs out counts as too complex."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise PdfRefused(PdfFault.TOO_COMPLEX)

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    before = signal.signal(signal.SIGXCPU, stop)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + _CPU_SECONDS, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
        signal.signal(signal.SIGXCPU, before)
