"""What a signed PDF proves by itself: its level, the certificates that its proofs rest on, and until when they hold.

Nothing is judged here: whether a certificate is trusted, or a signature good, are questions for `pki.pades.verify`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import IO, Final

from asn1crypto import cms as asn1_cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from pki import tsa
from pki.algorithms import hash_trusted_until, key_trusted_until
from pki.errors import PdfRefused
from pki.pades import dss
from pki.pades.boundary import refusing
from pki.pades.dss import Material
from pki.pades.faults import PdfFault

# Renewed so long before a proof ends: time to notice that a job stands still, and to repair it.
MARGIN: Final = timedelta(days=90)
_DOCUMENT_TIMESTAMP: Final = "/DocTimeStamp"
_FINGERPRINT: Final = hashes.SHA256()


class Level(StrEnum):
    """How far a signed file proves itself (ETSI EN 319 142-1, 6)."""

    BASIC = "B-B"
    TIMESTAMP = "B-T"
    LONG_TERM = "B-LT"
    ARCHIVE = "B-LTA"


@dataclass(frozen=True)
class Proofs:
    """What the file holds; certificates in DER."""

    # None without any signature.
    level: Level | None
    # Of every signer and every timestamp unit: the end entities whose status a validator asks for.
    end_entities_der: tuple[bytes, ...]
    # Of the issuers that signatures and tokens brought along.
    issuers_der: tuple[bytes, ...]
    held: Material
    # When the newest document timestamp was made, else the oldest timestamp of a signature; None without one.
    proven_at: datetime | None
    # Until when the proof at `proven_at` holds by itself; without one, the end of the first signer's certificate.
    holds_until: datetime | None
    # A document timestamp over the whole file.
    is_sealed_by_time: bool

    @property
    def renew_by(self) -> datetime | None:
        """When the archive has to add the next proof; None without a signature."""
        return self.holds_until - MARGIN if self.holds_until is not None else None


@dataclass(frozen=True)
class Entry:
    """A signature or a document timestamp, in the order of the file."""

    field_name: str
    # Of the signer; of the unit for a document timestamp.
    signer_der: bytes
    # What the CMS object brought along.
    others_der: tuple[bytes, ...]
    # The timestamp of a signature, None without; of a document timestamp itself.
    token: tsa.Token | None
    is_document_timestamp: bool
    # Octets from the start of the file that it covers; 0 if it says something else.
    covers: int


@dataclass(frozen=True)
class Opened:
    """The entries of a file, its store, and its size in octets."""

    entries: tuple[Entry, ...]
    held: Material
    size: int


def open_file(base: IO[bytes]) -> Opened:
    """Read a PDF leniently. Raises PdfRefused: DAMAGED, ENCRYPTED."""
    with refusing(PdfFault.DAMAGED):
        reader = PdfFileReader(base, strict=False)
        if reader.encrypted:
            raise PdfRefused(PdfFault.ENCRYPTED)
        entries = tuple(_entry(one) for one in reader.embedded_signatures)
        return Opened(entries, dss.read(reader), base.seek(0, os.SEEK_END))


def read(base: IO[bytes]) -> Proofs:
    """Return the proofs of a PDF, read leniently. Raises PdfRefused: DAMAGED, ENCRYPTED."""
    opened = open_file(base)
    signatures = [one for one in opened.entries if not one.is_document_timestamp]
    stamps = [one for one in opened.entries if one.is_document_timestamp]
    ends_in_time = bool(stamps) and opened.entries[-1].is_document_timestamp
    tokens = [one.token for one in opened.entries if one.token is not None]
    newest = newest_proof(opened.entries)
    issuers = [der for one in opened.entries for der in one.others_der]
    issuers += [der for token in tokens for der in token.certificates_der if der != token.signer_der]
    ends = [_end(one.signer_der) for one in signatures]
    if newest is not None:
        ends = [holds_until(newest, [*issuers, *opened.held.certificates_der])]
    return Proofs(
        level=_level(
            bool(signatures), all(one.token is not None for one in signatures), bool(opened.held), ends_in_time
        ),
        end_entities_der=tuple(
            dict.fromkeys([*(one.signer_der for one in signatures), *(token.signer_der for token in tokens)])
        ),
        issuers_der=tuple(dict.fromkeys(issuers)),
        held=opened.held,
        proven_at=newest.gen_time if newest else None,
        holds_until=min(ends, default=None),
        is_sealed_by_time=ends_in_time and opened.entries[-1].covers == opened.size,
    )


def renew_by(base: IO[bytes]) -> datetime | None:
    """Return when the next proof must be added: the earliest end of a certificate or algorithm, less `MARGIN`."""
    return read(base).renew_by


def newest_proof(entries: Sequence[Entry]) -> tsa.Token | None:
    """Return the last document timestamp; without one the oldest timestamp of a signature; None without any."""
    stamps = [one.token for one in entries if one.is_document_timestamp and one.token is not None]
    if stamps:
        return stamps[-1]
    return min((one.token for one in entries if one.token is not None), key=_gen_time, default=None)


def holds_until(token: tsa.Token, others_der: Iterable[bytes]) -> datetime:
    """Return the earliest end of a unit's certificate, the authorities above it in `others_der`, their algorithms."""
    above = [one for one in map(_read, dict.fromkeys(others_der)) if one is not None]
    certificate = x509.load_der_x509_certificate(token.signer_der)
    ends = [hash_trusted_until(token.hash_algorithm)]
    seen: set[bytes] = set()
    while certificate.fingerprint(_FINGERPRINT) not in seen:
        seen.add(certificate.fingerprint(_FINGERPRINT))
        ends += [certificate.not_valid_after_utc, key_trusted_until(certificate.public_key())]
        certificate = next((one for one in above if one.subject == certificate.issuer), certificate)
    return min(end for end in ends if end is not None)


def _entry(signature: EmbeddedPdfSignature) -> Entry:
    is_stamp = signature.sig_object_type == _DOCUMENT_TIMESTAMP
    numbers = [int(number) for number in signature.byte_range]
    return Entry(
        field_name=str(signature.field_name),
        signer_der=signature.signer_cert.dump(),
        others_der=tuple(one.dump() for one in signature.other_embedded_certs),
        token=tsa.read_token(_content(signature)) if is_stamp else _token(signature),
        is_document_timestamp=is_stamp,
        covers=numbers[2] + numbers[3] if len(numbers) == 4 else 0,
    )


def _level(is_signed: bool, has_times: bool, has_material: bool, ends_in_time: bool) -> Level | None:
    if not is_signed:
        return None
    if ends_in_time and has_material:
        # A document timestamp proves the time of every signature before it, those without one of their own too.
        return Level.ARCHIVE
    if not has_times and not ends_in_time:
        return Level.BASIC
    return Level.LONG_TERM if has_material else Level.TIMESTAMP


def _gen_time(token: tsa.Token) -> datetime:
    return token.gen_time


def _token(signature: EmbeddedPdfSignature) -> tsa.Token | None:
    """Return the timestamp inside a signature, the first if there are several."""
    values = (
        attribute["values"][0].dump()
        for attribute in signature.signer_info["unsigned_attrs"] or ()
        if attribute["type"].native == "signature_time_stamp_token"
    )
    first = next(values, None)
    return tsa.read_token(first) if first is not None else None


def _content(stamp: EmbeddedPdfSignature) -> bytes:
    """Return the token without the zeros that fill its place."""
    content: bytes = asn1_cms.ContentInfo.load(bytes(stamp.pkcs7_content)).dump()
    return content


def _read(certificate_der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(certificate_der)
    except ValueError:
        return None


def _end(certificate_der: bytes) -> datetime:
    return x509.load_der_x509_certificate(certificate_der).not_valid_after_utc
