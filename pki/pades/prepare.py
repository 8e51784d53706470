"""First half of a signature: the PDF with an empty place for it, and the attributes that the signer's key must sign.

The key is elsewhere (a browser, a file, a token); `pki.pades.finish` takes its answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import IO, Any, Final, Self

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.form_tools import get_single_field_annot
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import PdfSignedData, PreparedByteRangeDigest

from pki.errors import PdfRefused
from pki.pades import cms, increment
from pki.pades.boundary import refusing
from pki.pades.drawing import draw
from pki.pades.drawn import Drawn
from pki.pades.faults import PdfFault
from pki.pades.fields import Field, FieldValue, Lock, fields_of, fill, rights_of, signature_field
from pki.pades.geometry import page_geometry
from pki.pades.increment import Growing
from pki.pades.later_changes import visible_fields
from pki.pades.locks import Rights, refuse_closed
from pki.pades.overlap import covers_content
from pki.pades.placement import PageGeometry, Placement, Rectangle, Spot, refuse_outside

# Octets for the CMS object: certificate, issuers and a timestamp of the city's own are 6 KB.
ROOM: Final = 8 * 1024
# Octets read at a time; pyHanko clears a buffer of this size first.
_PIECE: Final = 1 << 16


@dataclass(frozen=True)
class PreparedSignature:
    """A signature that is waited for; `to_json` keeps all but the files between two requests.

    The prepared file is the base, unchanged, and behind it `appended`.
    """

    base_size: int
    # The incremental update with an empty place for the signature.
    appended: bytes = field(repr=False)
    # SHA-256 over the byte range.
    document_digest: bytes
    byte_range: tuple[int, int, int, int]
    # DER SET OF, tag 0x31: give these bytes, not their digest, to WebCrypto.
    signed_attributes_der: bytes
    field_name: str
    certificate_sha256: bytes

    def to_json(self) -> str:
        """Return everything but the appended part as JSON text, bytes in base64."""
        return json.dumps(
            {
                "base_size": self.base_size,
                "document_digest": base64.b64encode(self.document_digest).decode(),
                "byte_range": list(self.byte_range),
                "signed_attributes_der": base64.b64encode(self.signed_attributes_der).decode(),
                "field_name": self.field_name,
                "certificate_sha256": base64.b64encode(self.certificate_sha256).decode(),
            }
        )

    @classmethod
    def from_json(cls, text: str, base: IO[bytes], appended: bytes) -> Self:
        """Rebuild from `to_json` and the stored parts. Raises PdfRefused(BYTE_RANGE) if they do not belong together."""
        facts = json.loads(text)
        start, gap_start, gap_end, tail = facts["byte_range"]
        prepared = cls(
            base_size=facts["base_size"],
            appended=appended,
            document_digest=base64.b64decode(facts["document_digest"]),
            byte_range=(start, gap_start, gap_end, tail),
            signed_attributes_der=base64.b64decode(facts["signed_attributes_der"]),
            field_name=facts["field_name"],
            certificate_sha256=base64.b64decode(facts["certificate_sha256"]),
        )
        if base.seek(0, os.SEEK_END) != prepared.base_size:
            raise PdfRefused(PdfFault.BYTE_RANGE)
        if increment.digest(base, appended, prepared.byte_range) != prepared.document_digest:
            raise PdfRefused(PdfFault.BYTE_RANGE)
        return prepared


def prepare(
    base: IO[bytes],
    *,
    certificate_der: bytes,
    now: datetime,
    field_name: str | None = None,
    mark: Drawn | None = None,
    placement: Placement | Spot | None = None,
    lock: Lock = Lock.NOTHING,
    leaves: Sequence[str] = (),
    signer_name: str | None = None,
    reason: str | None = None,
    location: str | None = None,
    commitment: cms.Commitment | None = None,
    values: Mapping[str, FieldValue] | None = None,
    room: int = ROOM,
) -> PreparedSignature:
    """Write an incremental update with an empty signature and return it with what must be signed.

    `base` is seekable, is read where it lies and never copied as a whole; it has passed `pki.pades.intake` (unsigned:
    normalised; signed: as it came). `now` is the claimed signing time, written to /M.

    `field_name` may name an empty signature field that is there: its own place and lock count, not `placement` and
    `lock`. Otherwise the field is made (default: the first free `signature_<n>`), visible where `mark` and `placement`
    are given, and closing what `lock` says but for `leaves` (`rights_of`). `values` fills text fields in the same
    revision: pyHanko's own check takes a text that was filled a revision before the signature that closes it for
    changed afterwards (measured, 0.38). `room` is for the CMS object, in octets.

    Raises PdfRefused: DAMAGED, MARK_OUTSIDE_PAGE, MARK_UNREADABLE, FIELD_TAKEN, LOCKED by an earlier signature, and
    MARK_COVERS_CONTENT where an earlier signer's text or mark would be hidden.
    """
    with refusing(PdfFault.DAMAGED):
        growing = Growing(base)
        writer = IncrementalPdfFileWriter(growing, strict=False)
        fields = {one.name: one for one in fields_of(writer)}
        name = field_name or next(one for one in map("signature_{}".format, count(1)) if one not in fields)
        refuse_closed(writer.prev, name)
        fill(writer, values or {})
        existing, made = _empty(fields.get(name)), None
        if existing is None:
            rights = rights_of(lock, leaves=leaves, there=fields)
            place = _new_place(writer, base, placement) if placement is not None else None
            box = Placement(placement.page, place[1]) if placement and place and mark is not None else None
            made = signature_field(name, box, rights)
        else:
            rights, place = existing.rights, existing.place
        steps = PdfCMSEmbedder(new_field_spec=made).write_cms(name, writer, existing_fields_only=made is None)
        widget = get_single_field_annot(next(steps).get_object())
        if mark is not None and place is not None:
            draw(writer, widget, mark, *place)
            writer.update_container(widget)
        done = _write(steps, _placeholder(now, signer_name, reason, location, room), rights)
        appended = growing.appended
    start, end = done.reserved_region_start, done.reserved_region_end
    return PreparedSignature(
        base_size=growing.base_size,
        appended=appended,
        document_digest=done.document_digest,
        byte_range=(0, start, end, growing.base_size + len(appended) - end),
        signed_attributes_der=cms.signed_attributes(done.document_digest, certificate_der, commitment=commitment),
        field_name=name,
        certificate_sha256=hashlib.sha256(certificate_der).digest(),
    )


def _placeholder(
    now: datetime, signer_name: str | None, reason: str | None, location: str | None, room: int
) -> PdfSignedData:
    made = PdfSignedData(pdf_name("/Sig"), subfilter=SigSeedSubFilter.PADES, timestamp=now, bytes_reserved=2 * room)
    for key, text in (("/Name", signer_name), ("/Reason", reason), ("/Location", location)):
        if text:
            made[pdf_name(key)] = generic.TextStringObject(text)
    return made


def _empty(found: Field | None) -> Field | None:
    """Return a field that can be signed. Raises PdfRefused(FIELD_TAKEN) for any other that is there."""
    if found is not None and (not found.is_signature or found.is_filled):
        raise PdfRefused(PdfFault.FIELD_TAKEN)
    return found


def _new_place(
    writer: IncrementalPdfFileWriter, base: IO[bytes], wanted: Placement | Spot
) -> tuple[PageGeometry, Rectangle]:
    """Return page and box of a new mark; refuse one off the page or over what somebody signed before.

    Whoever checks an earlier signature could not say what a mark over it covered. The same question as in `verify`,
    so that what we make is never less than valid there.
    """
    geometry = page_geometry(writer, wanted.page)
    placement = wanted.on(geometry) if isinstance(wanted, Spot) else wanted
    refuse_outside(geometry, placement.rectangle)
    if next(enumerate_sig_fields(writer.prev, filled_status=True), None) is not None:
        others = [one.box for one in visible_fields(writer.prev, None) if one.page in (placement.page, None)]
        if covers_content(base, placement.page, placement.rectangle, others=others):
            raise PdfRefused(PdfFault.MARK_COVERS_CONTENT)
    return geometry, placement.rectangle


def _write(
    steps: Generator[Any, Any, Any], placeholder: PdfSignedData, rights: Rights | None
) -> PreparedByteRangeDigest:
    """Write the update behind the base; the generator stands where it has yielded its field."""
    limits = None
    if rights is not None:
        limits = SigMDPSetup("sha256", field_lock=rights.specification, docmdp_perms=rights.changes)
    steps.send(SigObjSetup(sig_placeholder=placeholder, mdp_setup=limits))
    done: PreparedByteRangeDigest
    done, _ = steps.send(SigIOSetup(md_algorithm="sha256", in_place=True, chunk_size=_PIECE))
    return done
