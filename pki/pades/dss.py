"""The document security store: certificates, OCSP answers and CRLs kept in the PDF itself (ETSI EN 319 142-1, 5.4.2).

Written by us onto pyHanko's incremental writer: its own store takes every object apart to know it again, which costs
more than all the rest of a renewal. Here an object is its bytes. No VRI: checkers read the store without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.rw_common import PdfHandler

# A store with more objects than this was not made by an archive; reading it would only take time.
_MOST_OBJECTS: Final = 2000


@dataclass(frozen=True)
class Material:
    """What a validator needs beside the file, each object in DER; the order means nothing."""

    certificates_der: tuple[bytes, ...] = ()
    ocsps_der: tuple[bytes, ...] = ()
    crls_der: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.certificates_der or self.ocsps_der or self.crls_der)

    def joined(self, other: Material) -> Material:
        """Return both together, each object once."""
        return Material(
            tuple(dict.fromkeys(self.certificates_der + other.certificates_der)),
            tuple(dict.fromkeys(self.ocsps_der + other.ocsps_der)),
            tuple(dict.fromkeys(self.crls_der + other.crls_der)),
        )


def read(handler: PdfHandler) -> Material:
    """Return what the newest store of a file holds; empty without one. Throws whatever pyHanko throws."""
    root = handler.root
    if "/DSS" not in root:
        return Material()
    store = root["/DSS"]
    certificates, ocsps, crls = (_contents(store, key) for key in ("/Certs", "/OCSPs", "/CRLs"))
    return Material(tuple(certificates), tuple(ocsps), tuple(crls))


def add(writer: IncrementalPdfFileWriter, material: Material) -> bool:
    """Add to the store what it does not hold yet, making one where there is none; return whether anything was new."""
    root = writer.root
    store = root["/DSS"] if "/DSS" in root else generic.DictionaryObject()
    wanted = {"/Certs": material.certificates_der, "/OCSPs": material.ocsps_der, "/CRLs": material.crls_der}
    added = [_add(writer, store, key, objects) for key, objects in wanted.items()]
    if not any(added):
        return False
    if "/DSS" in root:
        writer.update_container(store)
    else:
        root[pdf_name("/DSS")] = writer.add_object(store)
        writer.update_root()
    return True


def _add(writer: IncrementalPdfFileWriter, store: generic.DictionaryObject, key: str, objects: Iterable[bytes]) -> bool:
    held = set(_contents(store, key))
    missing = [one for one in dict.fromkeys(objects) if one not in held]
    if not missing:
        return False
    references = [writer.add_object(generic.StreamObject(stream_data=one)) for one in missing]
    # A list of its own in place of one that may be an object of its own: the store itself is written anew anyhow.
    earlier = list(store[key].iterate()) if key in store else []
    store[pdf_name(key)] = generic.ArrayObject([*earlier, *references])
    return True


def _contents(store: generic.DictionaryObject, key: str) -> list[bytes]:
    entries = store[key] if key in store else ()
    return [bytes(entry.get_object().data) for entry in list(entries)[:_MOST_OBJECTS]]
