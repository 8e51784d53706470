"""The shared cases, answered in Python; app/frontend/src/passes/vectors.test.ts answers them in TypeScript."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pki.errors import PassRejected
from pki.passes import cbor, digits, status, trust_list
from pki.passes.decision import Entry, Place, Reason, Verdict, decide, refuse_fault
from pki.passes.faults import PassFault

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data/passes/vectors.json").read_text())
CASES: list[dict[str, Any]] = VECTORS["cases"]


# Said by the server, by the tablet's surroundings, or by the rule of admission (test_admission.py).
ELSEWHERE = {
    Reason.NO_NETWORK,
    Reason.NO_LEASE,
    Reason.LEASED_ELSEWHERE,
    Reason.ADMITTED_UNCONFIRMED,
    Reason.READMITTED,
    Reason.CHECKED_OUT,
    Reason.OLD_CODE,
}


def key(name: str) -> ec.EllipticCurvePublicKey:
    loaded = load_der_public_key(base64.b64decode(VECTORS[name]))
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    return loaded


TRUST = trust_list.verify(base64.b64decode(VECTORS["trust_list"]), key("trust_key"))
STATUS = status.verify(base64.b64decode(VECTORS["status_list"]), key("trust_key"))


def answer(case: dict[str, Any]) -> Verdict:
    now = datetime.fromisoformat(case["now"])
    earlier = case["earlier"] and Entry(datetime.fromisoformat(case["earlier"]["at"]), case["earlier"]["place"])
    try:
        claims, signer = TRUST.verify_pass(digits.decode(case["digits"]), now)
        return decide(
            claims,
            signer,
            now=now,
            place=Place(case["building"], case["zone"]),
            status=STATUS.look_up(claims.status_index),
            lists_until=min(TRUST.edition.next_update, STATUS.edition.next_update),
            meeting_building=case["meeting_building"],
            earlier=earlier,
        )
    except PassRejected as rejected:
        return refuse_fault(PassFault(rejected.fault))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_shared_case_is_answered_as_written(case: dict[str, Any]) -> None:
    verdict = answer(case)
    assert (verdict.outcome, verdict.reason) == (case["outcome"], case["reason"])


def test_the_shared_cases_cover_every_reason_that_a_rule_can_give() -> None:
    assert {case["reason"] for case in CASES} == set(Reason) - ELSEWHERE
    assert len(CASES) >= 40


def fault_of(read: Callable[[], object]) -> str | None:
    try:
        read()
    except PassRejected as rejected:
        return rejected.fault
    return None


def by_name(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("reading", VECTORS[kind], ids=[one["name"] for one in VECTORS[kind]])


@by_name("readings")
def test_shared_cbor_is_read_or_refused_as_written(reading: dict[str, Any]) -> None:
    assert fault_of(lambda: cbor.decode(bytes.fromhex(reading["hex"]))) == reading["fault"]


@by_name("claims")
def test_shared_claims_are_read_or_refused_as_written(reading: dict[str, Any]) -> None:
    now = datetime.fromisoformat(CASES[0]["now"])
    assert fault_of(lambda: TRUST.verify_pass(digits.decode(reading["digits"]), now)) == reading["fault"]


@by_name("lists")
def test_a_shared_list_is_read_or_refused_as_written(reading: dict[str, Any]) -> None:
    read: Callable[..., object] = {"trust": trust_list.verify, "status": status.verify}[reading["kind"]]
    assert fault_of(lambda: read(base64.b64decode(reading["message"]), key("trust_key"))) == reading["fault"]


def test_an_older_list_than_the_last_is_refused() -> None:
    for read, name in ((trust_list.verify, "trust_list"), (status.verify, "status_list")):
        message = base64.b64decode(VECTORS[name])
        read(message, key("trust_key"), at_least=VECTORS["version"])
        with pytest.raises(PassRejected) as rejected:
            read(message, key("trust_key"), at_least=VECTORS["version"] + 1)
        assert rejected.value.fault is PassFault.ROLLBACK


def test_one_list_is_never_taken_for_the_other_nor_from_another_signer() -> None:
    trust, statuses = (base64.b64decode(VECTORS[name]) for name in ("trust_list", "status_list"))
    for read, message, trust_key, fault in (
        (trust_list.verify, statuses, "trust_key", PassFault.MALFORMED),
        (status.verify, trust, "trust_key", PassFault.MALFORMED),
        (trust_list.verify, trust, "stranger_key", PassFault.BAD_SIGNATURE),
    ):
        with pytest.raises(PassRejected) as rejected:
            read(message, key(trust_key))
        assert rejected.value.fault is fault
