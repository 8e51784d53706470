"""Who may admit: the shared cases in Python, the lists of leases, and when a leased right returns."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pki.errors import PassRejected
from pki.keys import Curve, SoftwareKey
from pki.passes import digits, lease
from pki.passes.admission import admit, has_returned
from pki.passes.decision import Entry, Place, Verdict
from pki.passes.lease import Policy
from pki.passes.signed_list import Edition
from tests.pki.passes.test_vectors import STATUS, TRUST, VECTORS, by_name, fault_of, key

DEVICE, BOOT = (UUID(bytes=base64.b64decode(VECTORS[name])) for name in ("device_id", "boot_id"))
LEASES = lease.verify(base64.b64decode(VECTORS["lease_list"]), key("trust_key"), device_id=DEVICE, boot_id=BOOT)
CASES: list[dict[str, Any]] = VECTORS["admissions"]
NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)


def answer(case: dict[str, Any]) -> Verdict:
    now = datetime.fromisoformat(case["now"])
    claims, signer = TRUST.verify_pass(digits.decode(case["digits"]), now)
    return admit(
        claims,
        signer,
        now=now,
        place=Place("TTHC", case["zone"]),
        status=STATUS.look_up(claims.status_index),
        lists_until=datetime.fromisoformat(case["lists_until"]),
        spent=case["spent"] and Entry(datetime.fromisoformat(case["spent"]["at"]), case["spent"]["place"]),
        lease=LEASES if case["lease"] else None,
        policy=Policy(case["policy"]) if case["policy"] else None,
        online=case["online"],
        is_fresh=case["fresh"],
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_shared_case_of_admission_is_answered_as_written(case: dict[str, Any]) -> None:
    verdict = answer(case)
    assert (verdict.outcome, verdict.reason) == (case["outcome"], case["reason"])


@by_name("lease_readings")
def test_a_shared_list_of_leases_is_read_or_refused_as_written(reading: dict[str, Any]) -> None:
    message = base64.b64decode(reading["message"])
    fault = fault_of(lambda: lease.verify(message, key("trust_key"), device_id=DEVICE, boot_id=BOOT))
    assert fault == reading["fault"]


def test_a_list_is_written_for_one_boot_of_one_tablet() -> None:
    world = SoftwareKey.generate(Curve.P256)
    public_key = world.public_key
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    entries = {(9, 1): Policy.LENIENT, (9, 0): Policy.STRICT}
    message = lease.build(Edition(2, NOON, NOON + timedelta(hours=2)), DEVICE, BOOT, entries, world)
    assert lease.verify(message, public_key, device_id=DEVICE, boot_id=BOOT).entries == entries


def test_an_earlier_epoch_is_refused() -> None:
    message = base64.b64decode(VECTORS["lease_list"])
    assert LEASES.edition.version == 5
    with pytest.raises(PassRejected, match="rollback"):
        lease.verify(message, key("trust_key"), device_id=DEVICE, boot_id=BOOT, at_least=6)


@pytest.mark.parametrize(
    ("policy", "released", "after", "returned"),
    [
        (Policy.STRICT, True, timedelta(hours=-1), True),
        (Policy.STRICT, False, timedelta(days=9), False),
        (Policy.LENIENT, True, timedelta(hours=-1), True),
        (Policy.LENIENT, False, timedelta(seconds=120), False),
        (Policy.LENIENT, False, timedelta(seconds=121), True),
    ],
)
def test_a_strict_right_returns_with_its_log_and_a_lenient_one_with_time(
    policy: Policy, released: bool, after: timedelta, returned: bool
) -> None:
    assert has_returned(not_after=NOON, released=released, policy=policy, now=NOON + after) is returned
