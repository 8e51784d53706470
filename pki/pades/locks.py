"""What a signature closes: locks of fields (ISO 32000-2, 12.7.5.5 and 12.8.2.4), as files say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from pyhanko.pdf_utils.generic import DictionaryObject
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.sign.fields import FieldMDPSpec, MDPPerm, enumerate_sig_fields

from pki.errors import PdfRefused
from pki.pades.faults import PdfFault


@dataclass(frozen=True)
class Rights:
    """Which fields are closed once a signature with this lock is made, and what may still happen to the document."""

    specification: FieldMDPSpec
    changes: MDPPerm | None

    def close(self, name: str) -> bool:
        """Say whether nobody may change, or make, the field of that name any more."""
        return self.changes is MDPPerm.NO_CHANGES or self.specification.is_locked(name)

    @classmethod
    def read(cls, entry: DictionaryObject) -> Self:
        """Read a /Lock dictionary, or the parameters that a signature took over from it."""
        return cls(FieldMDPSpec.from_pdf_object(entry), MDPPerm(int(entry["/P"])) if "/P" in entry else None)


def rights_in_force(pdf: PdfHandler) -> Iterator[Rights]:
    """Yield what each signature in the file left open, if it closed anything."""
    for _name, value, _field in enumerate_sig_fields(pdf, filled_status=True):
        entry = value.get_object()
        for reference in entry["/Reference"] if "/Reference" in entry else ():
            one = reference.get_object()
            if str(one["/TransformMethod"]) == "/FieldMDP":
                yield Rights.read(one["/TransformParams"])


def refuse_closed(pdf: PdfHandler, name: str) -> None:
    """Raise PdfRefused(LOCKED) if a signature has closed the field of that name, whether it is there or not."""
    if any(rights.close(name) for rights in rights_in_force(pdf)):
        raise PdfRefused(PdfFault.LOCKED)
