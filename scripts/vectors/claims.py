"""Write the cases of documents' claims that Python and TypeScript share: `python -m scripts.vectors.claims`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import cbor2

from pki import document_claim
from pki.authority import spki
from pki.document_claim import ClaimSigner, DocumentClaim, DocumentClass
from pki.keys import Curve, SoftwareKey
from pki.passes import cose, digits
from pki.passes.claims import PassClaims
from pki.passes.digits import Form
from pki.passes.faults import PassFault
from pki.passes.signed_list import Edition

OUT: Final = Path(__file__).parents[2] / "tests/data/claims/vectors.json"
_DAY: Final = date(2026, 11, 23)
_NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
_REVISION: Final = b"%PDF-1.7 what the head signed %%EOF\n"
_CLAIM: Final = DocumentClaim(
    bytes(range(8)),
    "123/QĐ-UBND",
    _DAY,
    hashlib.sha256(_REVISION).digest(),
    len(_REVISION),
    DocumentClass.RESTRICTED,
)
_KID: Final = b"\x0a\x0b\x0c\x0d"
_CONTEXT: Final = b"kyvao document claim 1"

Case = dict[str, object]


@dataclass(frozen=True)
class _World:
    lists: SoftwareKey
    agency: SoftwareKey
    stranger: SoftwareKey
    lost: SoftwareKey

    def signers(self) -> list[ClaimSigner]:
        # From 17:00 UTC of the 22nd, when the 23rd begins in the city, to the first second of the 24th there.
        in_force = (datetime(2026, 11, 22, 17, tzinfo=UTC), datetime(2026, 11, 23, 17, tzinfo=UTC))
        name = "Sở Khoa học và Công nghệ"
        return [
            ClaimSigner(_KID, spki(self.agency.public_key), "H99.02", name, *in_force),
            ClaimSigner(b"lost", spki(self.lost.public_key), "H99.03", "Sở Tư pháp", *in_force, compromised=True),
        ]

    def sign(self, claim: DocumentClaim = _CLAIM, kid: bytes = _KID) -> str:
        return document_claim.sign(claim, kid=kid, key=self.agency)


def make() -> dict[str, object]:
    """Return the file: a list of keys, and codes with what a reader must say to each."""
    world = _World(*(SoftwareKey.generate(Curve.P256) for _ in range(4)))
    edition = Edition(3, _NOW, _NOW + timedelta(days=30))
    return {
        "made_by": "python -m scripts.vectors.claims",
        "list_key": _text(spki(world.lists.public_key)),
        "stranger_key": _text(spki(world.stranger.public_key)),
        "keys": _text(document_claim.build_keys(edition, world.signers(), world.lists)),
        "version": edition.version,
        "revision": _text(_REVISION),
        "cases": [*_good(world), *_bad(world), *_spoiled(world)],
    }


def _good(world: _World) -> Iterator[Case]:
    claims = {
        "a restricted document": _CLAIM,
        "a public one with the longest number": replace(
            _CLAIM, number="0" * 48, document_class=DocumentClass.PUBLIC, size=2**32 - 1
        ),
        "a hidden one of one byte": replace(_CLAIM, document_class=DocumentClass.HIDDEN, size=1),
        "the day after, whose first moment the key still covers": replace(_CLAIM, issued_on=_DAY + timedelta(days=1)),
    }
    for name, claim in claims.items():
        facts = {
            "claim_id": claim.claim_id.hex(),
            "number": claim.number,
            "issued_on": claim.issued_on.isoformat(),
            "digest": claim.digest.hex(),
            "size": claim.size,
            "document_class": int(claim.document_class),
            "agency": "Sở Khoa học và Công nghệ",
        }
        yield {"name": name, "digits": world.sign(claim), "fault": None, "claim": facts}


def _bad(world: _World) -> Iterator[Case]:
    yield _case(
        "the day before the key", world.sign(replace(_CLAIM, issued_on=_DAY - timedelta(days=1))), "not_current"
    )
    yield _case("two days after", world.sign(replace(_CLAIM, issued_on=_DAY + timedelta(days=2))), "not_current")
    lost = document_claim.sign(_CLAIM, kid=b"lost", key=world.lost)
    yield _case("a key that others may hold", lost, "not_current")
    yield _case("another key under the name", document_claim.sign(_CLAIM, kid=_KID, key=world.stranger), "signature")
    yield _case("a name that is not on the list", world.sign(kid=b"none"), "unknown")
    yield _case("not digits", "https://songbiec.example/", "not_ours")
    yield _case("cut short", world.sign()[:-1], "malformed")
    a_pass = PassClaims(_NOW.replace(second=0), timedelta(hours=1), bytes(16), 1, 1)
    token = cose.sign(a_pass.encode(), kid=_KID, key=world.agency)
    yield _case("a pass", digits.encode(token), "malformed")
    yield _case("a pass written as a claim", digits.encode(token, Form.CLAIM), "signature")
    without = cose.sign(_CLAIM.encode(), kid=_KID, key=world.agency)
    yield _case("a claim signed without its context", digits.encode(without, Form.CLAIM), "signature")


def _spoiled(world: _World) -> Iterator[Case]:
    """Payloads that the agency's key signed although no writer of ours makes them."""
    parts = [_CLAIM.claim_id, _CLAIM.number, 20780, _CLAIM.digest, _CLAIM.size, 1]
    spoiled = {
        "five parts": parts[:5],
        "a short name": [b"1234567", *parts[1:]],
        "no number": [parts[0], "", *parts[2:]],
        "a number with a line break": [parts[0], "1\n2", *parts[2:]],
        "a number with a blank before it": [parts[0], " 12", *parts[2:]],
        "a number in decomposed letters": [parts[0], "12/QĐ-u\u0309", *parts[2:]],
        "a number of 49 bytes": [parts[0], "0" * 49, *parts[2:]],
        "a day beyond 2149": [*parts[:2], 65536, *parts[3:]],
        "a short digest": [*parts[:3], bytes(31), *parts[4:]],
        "a file without bytes": [*parts[:4], 0, 1],
        "a class that does not exist": [*parts[:5], 3],
        "a text for the class": [*parts[:5], "1"],
    }
    for name, content in spoiled.items():
        payload = cbor2.dumps(content, canonical=True)
        token = cose.sign(payload, kid=_KID, key=world.agency, context=_CONTEXT)
        yield _case(name, digits.encode(token, Form.CLAIM), "malformed")


def _case(name: str, code: str, fault: str) -> Case:
    faults = {
        "not_current": PassFault.KEY_NOT_CURRENT,
        "signature": PassFault.BAD_SIGNATURE,
        "unknown": PassFault.UNKNOWN_KEY,
    }
    return {"name": name, "digits": code, "fault": str(faults.get(fault, fault)), "claim": None}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(make(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
