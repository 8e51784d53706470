"""Reasons, who may give them, and the entry of a CRL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pki.errors import RevocationRefused
from pki.revocation import RevocationReason, RevokedBy, RevokedEntry, allowed_reasons, check_reason, encode_entry
from tests.factories.pki import NOW


@pytest.mark.parametrize("by", list(RevokedBy))
@pytest.mark.parametrize("reason", list(RevocationReason))
def test_a_reason_is_accepted_exactly_when_it_is_offered(by: RevokedBy, reason: RevocationReason):
    if reason in allowed_reasons(by):
        check_reason(reason, by)
    else:
        with pytest.raises(RevocationRefused):
            check_reason(reason, by)


def test_nobody_says_that_the_authority_itself_is_lost_by_revoking_a_person():
    assert all(RevocationReason.CA_COMPROMISE not in allowed_reasons(by) for by in RevokedBy)


def test_an_officer_may_not_speak_for_the_holder_about_a_lost_key():
    with pytest.raises(RevocationRefused):
        check_reason(RevocationReason.KEY_COMPROMISE, RevokedBy.REGISTRATION_OFFICER)


def test_an_entry_is_serial_time_and_reason():
    entry = RevokedEntry(0x1234, NOW, RevocationReason.KEY_COMPROMISE)
    assert encode_entry(entry).hex() == ("302102021234170d" + b"261122070000Z".hex() + "300c300a0603551d1504030a0101")


def test_an_unspecified_reason_is_left_out():
    entry = RevokedEntry(1, NOW, RevocationReason.UNSPECIFIED)
    assert encode_entry(entry).hex() == "3012020101170d" + b"261122070000Z".hex()


def test_an_invalidity_date_stands_beside_the_reason():
    early = RevokedEntry(1, NOW, RevocationReason.KEY_COMPROMISE, NOW - timedelta(days=1))
    assert b"20261121070000Z" in encode_entry(early)
