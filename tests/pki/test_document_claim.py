"""The claim in a document's code: what it says, who may say it, on which day; never taken for a pass."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pki import document_claim
from pki.authority import spki
from pki.document_claim import ClaimKeys, DocumentClass
from pki.errors import PassRejected, ProfileViolation
from pki.keys import Curve, SoftwareKey
from pki.passes import claims as pass_claims
from pki.passes import digits
from pki.passes.digits import Form
from pki.passes.faults import PassFault
from tests.factories import pki
from tests.factories.claims import CLAIM, KID, claim_signer, code, keys, keys_message
from tests.factories.passes import public, token

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data/claims/vectors.json").read_text())


def shared_key(name: str) -> ec.EllipticCurvePublicKey:
    loaded = load_der_public_key(base64.b64decode(VECTORS[name]))
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    return loaded


SHARED = document_claim.verify_keys(base64.b64decode(VECTORS["keys"]), shared_key("list_key"))


def fault_of(known: ClaimKeys, text: str) -> PassFault | None:
    try:
        known.verify(text)
    except PassRejected as rejected:
        return PassFault(rejected.fault)
    return None


@pytest.mark.parametrize("case", VECTORS["cases"], ids=[case["name"] for case in VECTORS["cases"]])
def test_a_shared_case_is_answered_as_written(case: dict[str, Any]) -> None:
    assert fault_of(SHARED, case["digits"]) == case["fault"]
    if case["claim"] is not None:
        claim, signer = SHARED.verify(case["digits"])
        assert {
            "claim_id": claim.claim_id.hex(),
            "number": claim.number,
            "issued_on": claim.issued_on.isoformat(),
            "digest": claim.digest.hex(),
            "size": claim.size,
            "document_class": int(claim.document_class),
            "agency": signer.agency_name,
        } == case["claim"]


def test_the_shared_cases_cover_every_fault_of_a_code() -> None:
    faults = {case["fault"] for case in VECTORS["cases"]}
    assert faults == {None, *PassFault} - {PassFault.TOO_LONG_VALIDITY, PassFault.ROLLBACK}


def test_a_claim_comes_back_with_the_agency_that_signed_it() -> None:
    assert keys(claim_signer()).verify(code()) == (CLAIM, claim_signer())


def test_a_pass_is_never_read_as_a_claim_nor_a_claim_as_a_pass() -> None:
    both_names = [claim_signer("agency"), claim_signer("seal")]
    assert fault_of(keys(*both_names), digits.encode(token(kid=KID))) is PassFault.MALFORMED
    as_claim = digits.encode(token(kid=KID), Form.CLAIM)
    assert fault_of(keys(*both_names), as_claim) is PassFault.BAD_SIGNATURE
    with pytest.raises(PassRejected) as rejected:
        pass_claims.verify(digits.decode(code(), Form.CLAIM), public("seal"))
    assert rejected.value.fault is PassFault.BAD_SIGNATURE
    with pytest.raises(PassRejected):
        digits.decode(code())


def test_any_digit_that_is_changed_makes_the_code_worthless() -> None:
    known, good = keys(claim_signer()), code()
    for at in range(0, len(good), 7):
        changed = good[:at] + str((int(good[at]) + 1) % 10) + good[at + 1 :]
        assert fault_of(known, changed) is not None, at


def test_a_day_counts_as_it_is_in_the_city() -> None:
    # 16:59:59 UTC is the last second of the 23rd there.
    begins = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
    for not_before, fault in (
        (begins - timedelta(seconds=1), None),
        (begins, PassFault.KEY_NOT_CURRENT),
    ):
        known = keys(claim_signer(not_before=not_before, not_after=begins + timedelta(days=9)))
        assert fault_of(known, code()) is fault
    first = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    for not_after, fault in ((first, None), (first - timedelta(seconds=1), PassFault.KEY_NOT_CURRENT)):
        assert fault_of(keys(claim_signer(not_after=not_after)), code()) is fault


def test_a_key_that_others_may_hold_proves_nothing_on_any_day() -> None:
    assert fault_of(keys(claim_signer(compromised=True)), code()) is PassFault.KEY_NOT_CURRENT


@pytest.mark.parametrize(
    "changes",
    [
        {"claim_id": bytes(7)},
        {"digest": bytes(16)},
        {"number": ""},
        {"number": "1\u202e2"},
        {"number": "1 "},
        {"number": "U\u031b"},
        {"number": "\ud800"},
        {"number": "Đ" * 25},
        {"size": 0},
        {"size": 2**32},
        {"issued_on": date(1969, 12, 31)},
        {"issued_on": date(2149, 6, 7)},
    ],
    ids=str,
)
def test_a_claim_out_of_its_bounds_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(ProfileViolation):
        code(replace(CLAIM, **changes))


@pytest.mark.parametrize("changes", [{"number": "Đ" * 24}, {"size": 2**32 - 1}, {"issued_on": date(2149, 6, 6)}])
def test_a_claim_at_its_bounds_comes_back(changes: dict[str, Any]) -> None:
    claim = replace(CLAIM, document_class=DocumentClass.PUBLIC, **changes)
    # The list itself has no room for a key of 2150 (32 bits of seconds end in 2106).
    known = ClaimKeys(keys().edition, (claim_signer(not_after=datetime(2150, 1, 1, tzinfo=UTC)),))
    assert known.verify(code(claim))[0] == claim


@pytest.mark.parametrize(
    "changes",
    [
        {"kid": KID[1:]},
        {"spki_der": b"no key"},
        {"spki_der": spki(SoftwareKey.generate(Curve.P384).public_key)},
        {"spki_der": spki(rsa.generate_private_key(65537, 2048).public_key())},
    ],
    ids=["short name", "no key", "P-384", "RSA"],
)
def test_a_signer_that_no_page_could_use_is_not_published(changes: dict[str, Any]) -> None:
    with pytest.raises(ProfileViolation):
        keys_message(claim_signer(**changes))


def test_a_list_of_keys_is_refused_from_another_signer_and_when_it_is_older_than_the_last() -> None:
    message = keys_message(version=4)
    assert document_claim.verify_keys(message, public("trust"), at_least=4).edition.version == 4
    for trust, at_least, fault in (("stranger", 0, PassFault.BAD_SIGNATURE), ("trust", 5, PassFault.ROLLBACK)):
        with pytest.raises(PassRejected) as rejected:
            document_claim.verify_keys(message, public(trust), at_least=at_least)
        assert rejected.value.fault is fault


def test_a_key_of_another_curve_signs_no_claim() -> None:
    with pytest.raises(ProfileViolation):
        document_claim.sign(CLAIM, kid=KID, key=pki.key("wide", Curve.P384))
