"""Entries of a tablet's log: one writing, one name, one signature, and a clock that never runs back."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any
from uuid import UUID

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from pki.errors import PassRejected, ProfileViolation
from pki.keys import Curve, SoftwareKey
from pki.passes import scan_event
from pki.passes.decision import Outcome, Reason
from pki.passes.scan_event import ScanEvent
from tests.pki.passes.test_vectors import VECTORS

EVENTS: list[dict[str, Any]] = VECTORS["events"]
GOOD = scan_event.decode(base64.b64decode(EVENTS[0]["bytes"]))


def octets(text: str | None) -> bytes | None:
    return base64.b64decode(text) if text is not None else None


@pytest.mark.parametrize("case", EVENTS, ids=[case["name"] for case in EVENTS])
def test_a_shared_entry_reads_writes_and_verifies_as_written(case: dict[str, Any]) -> None:
    data = base64.b64decode(case["bytes"])
    event, facts = scan_event.decode(data), case["event"]
    public_key = load_der_public_key(base64.b64decode(case["key"]))
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    assert event.encode() == data
    assert (str(event.scan_id), hashlib.sha256(data).hexdigest()) == (case["scan_id"], case["sha256"])
    assert (event.seq, str(event.hlc), event.outcome, event.reason) == (
        facts["seq"],
        facts["hlc"],
        facts["outcome"],
        facts["reason"],
    )
    salt = octets(case["salt"])
    assert salt is not None
    assert event.commitment == scan_event.commitment(salt, octets(case["secret"]))
    assert scan_event.holds(data, base64.b64decode(case["signature"]), public_key)


def test_a_changed_byte_or_another_key_or_a_short_signature_does_not_hold() -> None:
    key, data = SoftwareKey.generate(Curve.P256), GOOD.encode()
    signature, public_key = scan_event.sign(data, key), key.public_key
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    other = SoftwareKey.generate(Curve.P256).public_key
    assert isinstance(other, ec.EllipticCurvePublicKey)
    assert scan_event.holds(data, signature, public_key)
    assert not scan_event.holds(data + b"\0", signature, public_key)
    assert not scan_event.holds(data, signature, other)
    assert not scan_event.holds(data, signature[:63], public_key)


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 0},
        {"seq": 2**32},
        {"slot": -1},
        {"monotonic_ms": 2**32},
        {"lease_epoch": 2**32},
        {"hlc": 2**64},
        {"previous": bytes(31)},
        {"commitment": bytes(33)},
    ],
)
def test_what_does_not_fit_is_not_written(change: dict[str, Any]) -> None:
    with pytest.raises(ProfileViolation):
        replace(GOOD, **change).encode()


def spoiled(**changes: object) -> bytes:
    content = cbor2.loads(GOOD.encode()) | {int(key[1:]): value for key, value in changes.items()}
    return cbor2.dumps({key: value for key, value in content.items() if value is not None}, canonical=True)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        spoiled(_13=3),
        spoiled(_14=99),
        spoiled(_12=2),
        spoiled(_19=3),
        spoiled(_2=0),
        spoiled(_3=bytes(31)),
        spoiled(_5=5),
        spoiled(_1=None),
        spoiled(_20=1),
        spoiled(_18=bytes(15)),
        GOOD.encode() + b"\0",
        bytes(scan_event.LONGEST + 1),
    ],
)
def test_what_no_tablet_of_ours_writes_is_malformed(data: bytes) -> None:
    with pytest.raises(PassRejected, match="malformed"):
        scan_event.decode(data)


def test_every_outcome_and_reason_has_a_code() -> None:
    assert set(scan_event.OUTCOMES) == set(Outcome)
    assert set(scan_event.REASONS) == set(Reason)


def test_a_name_follows_from_tablet_and_number_and_is_of_version_8() -> None:
    names = {scan_event.scan_id(GOOD.device_id, seq) for seq in range(1, 200)}
    assert len(names) == 199
    assert all((one.version, one.variant) == (8, "specified in RFC 4122") for one in names)


@given(st.integers(0, 2**63), st.integers(0, 2**46))
def test_the_clock_never_runs_back_and_follows_the_wall(last: int, wall_ms: int) -> None:
    following = scan_event.tick(last, wall_ms)
    assert following > last
    assert following == last + 1 or following == wall_ms << 16


@given(st.integers(1, 2**32 - 1), st.uuids(), st.sampled_from(list(Reason)), st.sampled_from(list(Outcome)))
def test_what_is_written_is_read_back(seq: int, device_id: UUID, reason: Reason, outcome: Outcome) -> None:
    event: ScanEvent = replace(GOOD, seq=seq, device_id=device_id, reason=reason, outcome=outcome)
    assert scan_event.decode(event.encode()) == event
