"""The signature around a pass: one form, one algorithm, and no bit that may be another."""

from __future__ import annotations

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from pki.errors import PassRejected, ProfileViolation
from pki.keys import Curve, SoftwareKey
from pki.passes import cose
from pki.passes.faults import PassFault
from tests.factories import pki
from tests.factories.passes import CLAIMS, KID, START, public, signer, token, trusted

PROTECTED = cbor2.dumps({1: -7, 4: KID}, canonical=True)


def fault_of(message: bytes) -> PassFault:
    with pytest.raises(PassRejected) as rejected:
        cose.parse(message)
    return PassFault(rejected.value.fault)


def test_a_message_is_an_untagged_array_with_header_payload_and_r_and_s() -> None:
    protected, unprotected, payload, signature = cbor2.loads(token())
    assert (protected, unprotected, payload) == (PROTECTED, {}, CLAIMS.encode())
    assert len(signature) == 64


def test_short_halves_of_a_signature_keep_their_zeros() -> None:
    # One signature in 256 has an r that begins with a zero byte; this goes on until one is met.
    for _ in range(20_000):
        signed = cose.parse(cose.sign(b"x", kid=KID, key=pki.key("agency")))
        if signed.signature[0] == 0:
            break
    assert signed.signature[0] == 0
    assert cose.holds(signed, public())


@pytest.mark.parametrize("name", [b"", b"abc", b"abcde"])
def test_a_key_name_of_another_length_is_not_signed_with(name: bytes) -> None:
    with pytest.raises(ProfileViolation):
        cose.sign(b"x", kid=name, key=pki.key("agency"))


def test_a_key_of_another_kind_is_not_signed_with() -> None:
    for key in (SoftwareKey.generate(Curve.P384), SoftwareKey(rsa.generate_private_key(65537, 2048))):
        with pytest.raises(ProfileViolation):
            cose.sign(b"x", kid=KID, key=key)


@pytest.mark.parametrize(
    "parts",
    [
        [PROTECTED, {}, b"x"],
        [PROTECTED, {}, b"x", bytes(64), b""],
        [PROTECTED, {1: 1}, b"x", bytes(64)],
        [PROTECTED, [], b"x", bytes(64)],
        [PROTECTED, {}, "x", bytes(64)],
        [PROTECTED, {}, b"x", bytes(63)],
        [PROTECTED, {}, b"x", bytes(65)],
        [{1: -7, 4: KID}, {}, b"x", bytes(64)],
        [b"", {}, b"x", bytes(64)],
        [cbor2.dumps([1, 4]), {}, b"x", bytes(64)],
        [cbor2.dumps({1: -8, 4: KID}), {}, b"x", bytes(64)],
        [cbor2.dumps({1: -7}), {}, b"x", bytes(64)],
        [cbor2.dumps({4: KID}), {}, b"x", bytes(64)],
        [cbor2.dumps({1: -7, 2: [], 4: KID}), {}, b"x", bytes(64)],
        [cbor2.dumps({4: KID, 1: -7}), {}, b"x", bytes(64)],
        [cbor2.dumps({1: -7, 4: KID[1:]}), {}, b"x", bytes(64)],
        [cbor2.dumps({1: -7, 4: "abcd"}), {}, b"x", bytes(64)],
        [PROTECTED + b"\x00", {}, b"x", bytes(64)],
    ],
)
def test_a_message_of_another_form_is_refused_before_any_key_is_looked_for(parts: list[object]) -> None:
    assert fault_of(cbor2.dumps(parts)) is PassFault.MALFORMED


def test_the_tagged_form_is_refused_since_there_is_one_writing_only() -> None:
    assert fault_of(b"\xd2" + token()) is PassFault.MALFORMED


def test_nothing_in_a_payload_is_read_before_its_signature_holds() -> None:
    gate = trusted(signer())
    for key, fault in (("stranger", PassFault.BAD_SIGNATURE), ("agency", PassFault.MALFORMED)):
        with pytest.raises(PassRejected) as rejected:
            gate.verify_pass(cose.sign(b"\xff", kid=KID, key=pki.key(key)), START)
        assert rejected.value.fault is fault


def test_every_single_bit_that_is_flipped_makes_a_pass_refused() -> None:
    gate, good = trusted(signer()), token()
    assert gate.verify_pass(good, START)[0] == CLAIMS
    for place in range(len(good) * 8):
        flipped = bytearray(good)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(PassRejected):
            gate.verify_pass(bytes(flipped), START)


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, bytes(32) + b"\x01" * 32])
def test_numbers_outside_the_field_are_no_signature(signature: bytes) -> None:
    signed = cose.parse(cbor2.dumps([PROTECTED, {}, CLAIMS.encode(), signature]))
    assert not cose.holds(signed, public())


@given(st.binary(max_size=128))
def test_random_bytes_are_refused_and_nothing_else_happens(message: bytes) -> None:
    gate = trusted(signer())
    with pytest.raises(PassRejected):
        gate.verify_pass(message, START)


@given(st.data())
def test_a_pass_with_bytes_replaced_taken_out_or_put_in_is_refused(data: st.DataObject) -> None:
    gate, good = trusted(signer()), token()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    changed = good[:start] + data.draw(st.binary(max_size=12)) + good[end:]
    if changed == good:
        return
    with pytest.raises(PassRejected):
        gate.verify_pass(changed, START)
