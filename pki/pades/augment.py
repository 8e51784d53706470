"""Proofs that last: validation material and document timestamps as increments of a signed PDF (B-LT, B-LTA).

The base is read where it lies and never copied: file = base + increment. Material and timestamp stand in one revision,
so that a checker that knows nothing of allowed changes finds the whole file covered (ETSI EN 319 142-1, 5.4 and 6.3).
In two steps for those who keep the key of the timestamp unit elsewhere: `prepare` opens the file, `fill` does not.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Final, Self

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, enumerate_sig_fields
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.constants import ESIC_EXTENSION_1
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp

from pki import tsa
from pki.errors import PdfRefused
from pki.pades import dss, increment
from pki.pades.boundary import refusing
from pki.pades.cms import timestamp_request_of
from pki.pades.dss import Material
from pki.pades.faults import PdfFault
from pki.pades.increment import Growing

# Takes a DER TimeStampReq, returns the DER TimeStampResp.
Timestamper = Callable[[bytes], bytes]

# Octets for a token: ours with its chain is below 3 KB; a larger one is asked for again with room of its real size.
TOKEN_ROOM: Final = 4096
_SPARE: Final = 256
_LARGEST_TOKEN: Final = tsa.MAXIMUM_RESPONSE
_PIECE: Final = 1 << 20
_NEEDED_VERSION: Final = (1, 7)
_FIELD_NAME: Final = "dau_thoi_gian_"


@dataclass(frozen=True)
class PreparedTimestamp:
    """An increment with an empty place for a token; `to_json` keeps all but its bytes."""

    # Octets of the file that the increment follows.
    base_size: int
    appended: bytes = field(repr=False)
    # Where the place begins and ends, its angle brackets included, counted from the start of the file.
    gap: tuple[int, int]
    # SHA-256 of the file with the increment, without the place.
    document_digest: bytes

    def to_json(self) -> str:
        """Return everything but the increment as JSON text, the digest in base64."""
        digest = base64.b64encode(self.document_digest).decode()
        return json.dumps({"base_size": self.base_size, "gap": list(self.gap), "document_digest": digest})

    @classmethod
    def from_json(cls, text: str, appended: bytes) -> Self:
        """Rebuild from `to_json` and the increment. Raises PdfRefused(BYTE_RANGE) if its place is not there."""
        facts = json.loads(text)
        start, end = facts["gap"]
        size = facts["base_size"]
        place = appended[start - size : end - size] if start >= size else b""
        if len(place) < 4 or place != b"<" + b"0" * (end - start - 2) + b">":
            raise PdfRefused(PdfFault.BYTE_RANGE)
        return cls(size, appended, (start, end), base64.b64decode(facts["document_digest"]))


def prepare(base: IO[bytes], material: Material, *, room: int = TOKEN_ROOM) -> PreparedTimestamp:
    """Return an increment that adds what of `material` is missing, and an empty document timestamp over everything.

    `base` is seekable, a signed PDF; `room` is in octets of the token. Raises PdfRefused: DAMAGED, ENCRYPTED.
    """
    growing = Growing(base)
    with refusing(PdfFault.DAMAGED):
        writer = _open(growing)
        dss.add(writer, material)
        name = _free_name(writer)
        steps = PdfCMSEmbedder(new_field_spec=SigFieldSpec(name)).write_cms(name, writer)
        next(steps)
        steps.send(SigObjSetup(sig_placeholder=DocumentTimestamp(bytes_reserved=room * 2)))
        prepared, _ = steps.send(SigIOSetup(md_algorithm="sha256", in_place=True, chunk_size=_PIECE))
    return PreparedTimestamp(
        base_size=growing.base_size,
        appended=growing.appended,
        gap=(prepared.reserved_region_start, prepared.reserved_region_end),
        document_digest=prepared.document_digest,
    )


def request_for(prepared: PreparedTimestamp) -> bytes:
    """Return the DER TimeStampReq over what is to be proven, with a fresh nonce."""
    return timestamp_request_of(prepared.document_digest, nonce=secrets.randbits(63) | 1)


def fill(prepared: PreparedTimestamp, token_der: bytes) -> bytes:
    """Return the increment with the token in its place. Raises PdfRefused(SIGNATURE_TOO_LARGE)."""
    start, end = (at - prepared.base_size for at in prepared.gap)
    room = end - start - 2
    digits = token_der.hex().encode()
    if len(digits) > room:
        raise PdfRefused(PdfFault.SIGNATURE_TOO_LARGE)
    return prepared.appended[: start + 1] + digits.ljust(room, b"0") + prepared.appended[end - 1 :]


def renew(base: IO[bytes], material: Material, timestamp: Timestamper) -> bytes:
    """Return an increment with the material that is missing and a new document timestamp over all of it.

    For a signed file this makes B-LTA; for one that is B-LTA it renews the proof, `material` then holding what its
    last timestamp needs. Raises PdfRefused as `prepare`, TimestampRefused if the answer is not a token over this very
    file; what `timestamp` raises passes through.
    """
    prepared = prepare(base, material)
    token = _token(prepared, timestamp)
    if len(token) > TOKEN_ROOM:
        prepared = prepare(base, material, room=min(len(token) + _SPARE, _LARGEST_TOKEN))
        token = _token(prepared, timestamp)
    return fill(prepared, token)


def add_document_timestamp(base: IO[bytes], *, timestamp: Timestamper) -> bytes:
    """Return an increment with a document timestamp and nothing else; raises as `renew`."""
    return renew(base, Material(), timestamp)


def add_validation_material(base: IO[bytes], material: Material) -> bytes:
    """Return an increment with what of `material` the file does not hold; empty if nothing is missing.

    Raises PdfRefused: DAMAGED, ENCRYPTED.
    """
    growing = Growing(base)
    with refusing(PdfFault.DAMAGED):
        writer = _open(growing)
        if dss.add(writer, material):
            writer.write_in_place()
    return growing.appended


def digest_of(base: IO[bytes], prepared: PreparedTimestamp) -> bytes:
    """Work the digest out again from the bytes: for those who were told `prepared` by a process they do not trust.

    Raises PdfRefused(BYTE_RANGE) if its place is not one hexadecimal string behind the base.
    """
    start, end = prepared.gap
    size = prepared.base_size + len(prepared.appended)
    return increment.digest(base, prepared.appended, (0, start, end, size - end))


def _open(stream: IO[bytes]) -> IncrementalPdfFileWriter:
    writer = IncrementalPdfFileWriter(stream, strict=False)
    if writer.prev.encrypted:
        raise PdfRefused(PdfFault.ENCRYPTED)
    # What PAdES asks of files older than PDF 2.0, so that a reader knows the names that follow.
    writer.ensure_output_version(version=_NEEDED_VERSION)
    if writer.output_version < (2, 0):
        writer.register_extension(ESIC_EXTENSION_1)
    return writer


def _free_name(writer: IncrementalPdfFileWriter) -> str:
    taken = {name for name, _, _ in enumerate_sig_fields(writer.prev)}
    return next(name for name in (f"{_FIELD_NAME}{n}" for n in range(1, len(taken) + 2)) if name not in taken)


def _token(prepared: PreparedTimestamp, timestamp: Timestamper) -> bytes:
    request = request_for(prepared)
    return tsa.token_from_response(timestamp(request), request_der=request)
