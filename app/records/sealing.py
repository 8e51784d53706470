"""One file under the agency's seal: opened in the limited process, signed here by the key that only `worker` has."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Final

from app.core.i18n import local
from app.core.timestamping import Timestamper
from app.documents import sandbox
from app.marks.service import SealPicture
from app.records import sealing_job
from app.records.statement import SealPlace
from pki.claim_mark import QrMark
from pki.errors import PdfRefused
from pki.keys import SigningKey
from pki.pades.cms import signed_attributes
from pki.pades.faults import PdfFault
from pki.pades.finish import finish
from pki.pades.prepare import PreparedSignature

# The largest file that comes in has 100 MB; what is put behind it is small.
LARGEST: Final = 128 * 1024 * 1024
# Letters in a line of a seal made of text.
_LINE: Final = 20


@dataclass(frozen=True)
class Order:
    """What is put onto and under one paper."""

    certificate_der: bytes
    chain_der: Sequence[bytes]
    agency: str
    # Number and symbol.
    label: str
    issued_on: date
    place: SealPlace
    # The main document's code; None for an attachment.
    code: QrMark | None
    # The agency's own seal in red; None shows its name and the time instead, as on every attachment.
    picture: SealPicture | None
    is_main: bool
    now: datetime
    # What stands above the time where the seal is in words; number and symbol unless it is given.
    heading: Sequence[str] = ()


@dataclass(frozen=True)
class Sealed:
    """The sealed file, at its beginning; it is gone when the block ends."""

    file: IO[bytes]
    path: Path
    document_digest: bytes

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def append(self, update: bytes) -> None:
        """Put an incremental update behind it."""
        self.file.seek(0, os.SEEK_END)
        self.file.write(update)
        self.file.flush()
        self.file.seek(0)


@contextmanager
def sealed(base: Path, order: Order, key: SigningKey, timestamp: Timestamper) -> Iterator[Sealed]:
    """Give the file `base` with number, date, code and seal. Raises PdfRefused, TimestampRefused, Unavailable.

    The child has read a stranger's file: what it says is signed is worked out again here, over the base that lies in
    storage and what the child appended.
    """
    facts, output = sandbox.run(sealing_job.prepare_seal, _facts(order), base)
    with output, tempfile.NamedTemporaryFile() as file:
        with base.open("rb") as source:
            shutil.copyfileobj(source, file)
        prepared = PreparedSignature.from_json(facts["prepared"], file, output.read())
        if prepared.signed_attributes_der != signed_attributes(prepared.document_digest, order.certificate_der):
            raise PdfRefused(PdfFault.BYTE_RANGE)
        update = finish(
            prepared,
            signature_value=key.sign(prepared.signed_attributes_der),
            certificate_der=order.certificate_der,
            chain_der=order.chain_der,
            timestamp=timestamp,
        )
        done = Sealed(file, Path(file.name), prepared.document_digest)
        done.append(update)
        yield done


def _facts(order: Order) -> dict[str, Any]:
    picture = order.picture if order.is_main else None
    moment = local(order.now).strftime("%d/%m/%Y %H:%M:%S %z")
    moment = f"{moment[:-2]}:{moment[-2:]}"
    lines = (
        [*textwrap.wrap(order.agency, _LINE), moment] if order.is_main else [*(order.heading or [order.label]), moment]
    )
    return {
        "certificate": base64.b64encode(order.certificate_der).decode(),
        "now": order.now.isoformat(),
        "agency": order.agency,
        "label": order.label,
        "date": f"ngày {order.issued_on:%d} tháng {_month(order.issued_on)} năm {order.issued_on:%Y}",
        "issued_on": order.issued_on.isoformat(),
        "lines": lines,
        "place": {"page": order.place.page, "corner": order.place.corner.value},
        "code": [order.code.address, order.code.digits] if order.code is not None else None,
        "picture": base64.b64encode(picture.png).decode() if picture is not None else None,
        "diameter_mm": picture.diameter_mm if picture is not None else None,
        "is_main": order.is_main,
    }


def _month(day: date) -> str:
    """Return the month as it is written: January and February with a nought before them (Decree 30, Annex I)."""
    return f"{day.month:02}" if day.month <= 2 else str(day.month)
