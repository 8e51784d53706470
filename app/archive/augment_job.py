"""Looking at the proofs of a PDF and adding to them, in the limited process."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import IO, Any, Final

import pikepdf

from app.documents.sandbox_frame import Facts
from pki.chains import TrustStore
from pki.errors import PdfRefused
from pki.pades import augment, proofs
from pki.pades.dss import Material
from pki.pades.simulate import will_verify
from pki.status_evidence import StatusEvidence

# More than anything that can still be read has.
_DAMAGED: Final = 10_000


def look(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Return the level, the certificates whose status counts, and until when the proof holds."""
    del facts, output
    found = proofs.read(source)
    return {
        "level": found.level,
        "end_entities": encoded(found.end_entities_der),
        "proven_at": found.proven_at.isoformat() if found.proven_at else None,
        "renew_by": found.renew_by.isoformat() if found.renew_by else None,
    }


def add_material(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the increment with what is missing of the material."""
    output.write(augment.add_validation_material(source, _material(facts["material"])))
    return {}


def prepare_timestamp(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Write the increment with the material and an empty place for a token of `room` octets."""
    prepared = augment.prepare(source, _material(facts["material"]), room=facts["room"])
    output.write(prepared.appended)
    return {"prepared": prepared.to_json()}


def prepare_many(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Do the same for files of the given sizes that lie one behind the other, and write their increments likewise.

    A file that cannot be read has no increment; its neighbours are not held up.
    """
    material = _material(facts["material"])
    done: list[dict[str, Any] | None] = []
    for size in facts["sizes"]:
        content = BytesIO(source.read(size))
        try:
            prepared = augment.prepare(content, material, room=facts["room"])
        except PdfRefused:
            done.append(None)
            continue
        output.write(prepared.appended)
        done.append({"size": len(prepared.appended), "prepared": prepared.to_json()})
    return {"files": done}


def check_many(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Say of each file, one behind the other, whether what was appended gave qpdf anything to say of it.

    `sizes` are pairs: octets of the base, and of the base with what was appended.
    """
    del output
    return {"sound": [_is_sound(source.read(size), base) for base, size in facts["sizes"]]}


def _is_sound(content: bytes, base: int) -> bool:
    problems = _problems(content)
    # What was said of the file before is no reason to leave it without proofs.
    return not problems or len(problems) <= len(_problems(content[:base]))


def _problems(content: bytes) -> list[str]:
    """Return what `qpdf --check` says."""
    try:
        with pikepdf.open(BytesIO(content)) as pdf:
            return pdf.check_pdf_syntax()
    except pikepdf.PdfError as error:
        return [str(error)] * _DAMAGED


def forecast(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Say whether the file will verify at a moment."""
    del output
    found = will_verify(
        source,
        trust=TrustStore(decoded(facts["roots"]), decoded(facts["intermediates"])),
        evidence=StatusEvidence(decoded(facts["crls"])),
        now=datetime.fromisoformat(facts["now"]),
        at=datetime.fromisoformat(facts["at"]),
    )
    fails_from = found.fails_from.isoformat() if found.fails_from else None
    return {"holds": found.holds, "fails_from": fails_from, "why": found.why, "field": found.field_name}


def material_facts(material: Material) -> dict[str, list[str]]:
    """Return material as plain values."""
    return {
        "certificates": encoded(material.certificates_der),
        "ocsps": encoded(material.ocsps_der),
        "crls": encoded(material.crls_der),
    }


def encoded(many: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in many]


def decoded(many: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(one) for one in many)


def _material(facts: Mapping[str, Any]) -> Material:
    return Material(decoded(facts["certificates"]), decoded(facts["ocsps"]), decoded(facts["crls"]))
