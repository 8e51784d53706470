"""`kyvao pdf verify`: check PDF files, or all of a folder, with roots and lists in files. No database, no web."""

from __future__ import annotations

import hashlib
import json
import resource
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.chains import TrustStore
from pki.errors import PdfRefused
from pki.pades import etsi_report
from pki.pades.faults import PdfFault
from pki.pades.page_check import with_pages_compared
from pki.pades.report import Report, SignatureReport, Verdict
from pki.pades.verify import verify
from pki.status_evidence import StatusEvidence

NOT_VALID: Final = 1
UNREADABLE: Final = 2
_LARGEST_FILE: Final = 64 * 1024 * 1024
_CPU_SECONDS: Final = 30
# The validator's name in a report of the standard: here no authority stands behind it.
_VALIDATOR: Final = "CN=kyvao pdf verify"

_source = click.Path(path_type=Path, exists=True)
_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@dataclass(frozen=True)
class Checked:
    """One file, and what was found; `refused` instead of a report for one that cannot be read."""

    path: Path
    report: Report | None
    refused: str
    sha256: bytes
    at: datetime

    @property
    def exit_code(self) -> int:
        if self.report is None:
            return UNREADABLE
        return 0 if self.report.verdict is Verdict.VALID else NOT_VALID

    def as_json(self) -> str:
        """Return one line."""
        found = self.report.to_json() if self.report else {"refused": self.refused}
        return json.dumps({"file": str(self.path), "sha256": self.sha256.hex(), **found}, ensure_ascii=False)

    def as_xml(self) -> str | None:
        """Return the report of ETSI TS 119 102-2, which has no form for a file without signatures."""
        if self.report is None or not self.report.signatures:
            return None
        return etsi_report.write(self.report, document_sha256=self.sha256, validator=_VALIDATOR, now=self.at).decode()


@click.command("verify")
@click.argument("sources", metavar="FILE...", nargs=-1, required=True, type=_source)
@click.option("--trust", "trust_paths", multiple=True, type=_file, help="PEM with roots (and authorities).")
@click.option("--crl", "crl_paths", multiple=True, type=_file, help="Revocation list, PEM or DER.")
@click.option("--ocsp", "ocsp_paths", multiple=True, type=_file, help="OCSP answer, DER.")
@click.option("--json", "as_json", is_flag=True, help="Print each report as one line of JSON.")
@click.option("--xml", "as_xml", is_flag=True, help="Print the report as XML of ETSI TS 119 102-2; for one FILE.")
def verify_files(
    sources: tuple[Path, ...],
    trust_paths: tuple[Path, ...],
    crl_paths: tuple[Path, ...],
    ocsp_paths: tuple[Path, ...],
    as_json: bool,
    as_xml: bool,
) -> None:
    """Check the signatures of each FILE; of a folder, every PDF in it. Nothing is fetched.

    Exit code 0: all are valid. 1: one is not, or there is not enough evidence. 2: one cannot be read.
    """
    paths = _files(sources)
    if as_xml and (as_json or len(paths) > 1):
        raise click.UsageError("--xml prints the report of one FILE, and not together with --json.")
    trusted = [der for path in trust_paths for der in certificates(path)]
    trust = TrustStore(
        tuple(der for der in trusted if _is_root(der)), tuple(der for der in trusted if not _is_root(der))
    )
    evidence = StatusEvidence(tuple(crl(path) for path in crl_paths), tuple(path.read_bytes() for path in ocsp_paths))
    code = 0
    for path in paths:
        found = _check(path, trust, evidence)
        code = max(code, found.exit_code)
        _tell(found, as_json=as_json, as_xml=as_xml, named=len(paths) > 1)
    if code:
        raise SystemExit(code)


def _files(sources: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for source in sources:
        below = sorted(one for one in source.rglob("*") if one.suffix.lower() == ".pdf" and one.is_file())
        if source.is_dir() and not below:
            raise click.ClickException(f"{source} holds no PDF files.")
        found += below if source.is_dir() else [source]
    return found


def _check(path: Path, trust: TrustStore, evidence: StatusEvidence) -> Checked:
    now, digest = datetime.now(UTC), b""
    try:
        with limited():
            content = bounded_read(path)
            digest = hashlib.sha256(content).digest()
            report = with_pages_compared(verify(content, trust=trust, evidence=evidence, now=now), content)
    except PdfRefused as error:
        return Checked(path, None, refusal(error), digest, now)
    return Checked(path, report, "", digest, now)


def _tell(found: Checked, *, as_json: bool, as_xml: bool, named: bool) -> None:
    if as_json:
        click.echo(found.as_json())
        return
    if found.report is None:
        click.echo(f"{found.path}: {found.refused}" if named else found.refused, err=True)
        return
    if as_xml:
        xml = found.as_xml()
        click.echo(xml if xml is not None else "The file carries no signature.", err=xml is None)
        return
    if named:
        click.echo(f"{found.path}:")
    click.echo("\n".join(_lines(found.report)))


def _lines(report: Report) -> Iterator[str]:
    yield f"{words(report.verdict)}: {words(report.reason)}"
    for number, one in enumerate(report.signatures, start=1):
        yield from _signature_lines(number, one)
    for page in report.page_differences:
        explained = "not explained by later signatures" if page.unexplained else "explained by later signatures"
        yield f"Page {page.page} changed in {len(page.boxes)} places, {explained}"


def _signature_lines(number: int, one: SignatureReport) -> Iterator[str]:
    body = f", {one.organisation}" if one.organisation else ""
    yield f"Signature {number}: {one.signer or 'unknown'}{body}"
    yield f"  verdict: {words(one.verdict)} ({words(one.reason)})"
    if one.proven_at is not None:
        yield f"  time: {one.proven_at.isoformat()}, proven by a timestamp"
    elif one.claimed_at is not None:
        yield f"  time: {one.claimed_at.isoformat()}, only claimed"
    whole = "yes" if one.covers_whole_file else "no"
    yield f"  covers the whole file: {whole}; changes after it: {words(one.changes_after.name)}"
    if one.revoked_at is not None:
        yield f"  certificate revoked since {one.revoked_at.isoformat()} ({one.revocation_reason})"


def words(code: str) -> str:
    """Return a code as words of a sentence."""
    return code.replace("_", " ").lower()


def certificates(path: Path) -> tuple[bytes, ...]:
    """Return the certificates of a PEM file, in DER. Raises ClickException without any."""
    try:
        return tuple(one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(path.read_bytes()))
    except ValueError as error:
        raise click.ClickException(f"{path} holds no certificates in PEM.") from error


def _is_root(certificate_der: bytes) -> bool:
    certificate = x509.load_der_x509_certificate(certificate_der)
    return certificate.issuer == certificate.subject


def crl(path: Path) -> bytes:
    """Return the revocation list of a file, PEM or DER, in DER. Raises ClickException for anything else."""
    content = path.read_bytes()
    try:
        pem = content.startswith(b"-----")
        found = x509.load_pem_x509_crl(content) if pem else x509.load_der_x509_crl(content)
    except ValueError as error:
        raise click.ClickException(f"{path} is not a revocation list.") from error
    return found.public_bytes(Encoding.DER)


def bounded_read(path: Path) -> bytes:
    """Return the content of a file. Raises PdfRefused(TOO_LARGE) over 64 MB."""
    if path.stat().st_size > _LARGEST_FILE:
        raise PdfRefused(PdfFault.TOO_LARGE)
    return path.read_bytes()


def refusal(error: PdfRefused) -> str:
    """Return the sentence for a PDF that cannot be read."""
    return f"The file was refused: {words(error.fault)}."


def give_up(sentence: str, code: int) -> NoReturn:
    """Say why, and leave."""
    click.echo(sentence, err=True)
    raise SystemExit(code)


@contextmanager
def limited() -> Iterator[None]:
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
