"""Who may sign passes, when, for where and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pki.authority import spki
from pki.errors import PassRejected, ProfileViolation
from pki.keys import Curve, SoftwareKey
from pki.passes import trust_list
from pki.passes.faults import PassFault
from pki.passes.trust_list import TrustList
from tests.factories.passes import CLAIMS, EDITION, KID, START, list_key, public, signer, token, trusted

SECOND = timedelta(seconds=1)


def fault_of(gate: TrustList, pass_token: bytes, now: object = START) -> PassFault:
    with pytest.raises(PassRejected) as rejected:
        gate.verify_pass(pass_token, now)
    return PassFault(rejected.value.fault)


def test_a_list_says_what_was_put_on_it() -> None:
    signers = (signer(), signer("other", kid=b"abcd", buildings=(), zones=3))
    gate = trusted(*signers)
    assert gate.edition == EDITION
    assert gate.signers == signers


def test_a_list_may_be_empty_and_then_every_key_is_unknown() -> None:
    assert fault_of(trusted(), token()) is PassFault.UNKNOWN_KEY


def test_a_pass_names_its_claims_and_its_signer() -> None:
    assert trusted(signer()).verify_pass(token(), START) == (CLAIMS, signer())


@pytest.mark.parametrize("names", [("agency", "other"), ("other", "agency")])
def test_of_two_keys_with_one_name_the_one_that_signed_is_found(names: tuple[str, str]) -> None:
    gate = trusted(*(signer(name, agency_code=name) for name in names))
    assert gate.verify_pass(token(), START)[1].agency_code == "agency"
    assert fault_of(gate, token(key="stranger")) is PassFault.BAD_SIGNATURE


def test_a_key_signs_from_its_first_to_its_last_second() -> None:
    gate, one = trusted(signer()), signer()
    for moment in (one.not_before, one.not_after):
        assert gate.verify_pass(token(), moment)[0] == CLAIMS
    for moment in (one.not_before - SECOND, one.not_after + SECOND):
        assert fault_of(gate, token(), moment) is PassFault.KEY_NOT_CURRENT


def test_a_pass_is_valid_no_longer_than_its_key_may_say() -> None:
    gate = trusted(signer(longest=timedelta(minutes=150)))
    assert gate.verify_pass(token(), START)[0] == CLAIMS
    longer = replace(CLAIMS, validity=timedelta(minutes=151))
    assert fault_of(gate, token(longer)) is PassFault.TOO_LONG_VALIDITY


def test_another_name_of_a_key_is_an_unknown_key() -> None:
    assert fault_of(trusted(signer()), token(kid=b"none")) is PassFault.UNKNOWN_KEY


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
def test_a_signer_that_no_tablet_could_use_is_not_published(changes: dict[str, object]) -> None:
    with pytest.raises(ProfileViolation):
        trust_list.build(EDITION, [signer(**changes)], list_key())


@pytest.mark.parametrize("at_least", [0, 7])
def test_a_list_is_taken_at_its_version_or_a_lower_one(at_least: int) -> None:
    message = trust_list.build(EDITION, [signer()], list_key())
    assert trust_list.verify(message, public("trust"), at_least=at_least).edition.version == 7
