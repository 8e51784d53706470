"""Profiles as data: complete, and their digest tells every change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pki import profiles
from pki.profiles import PROFILES, KeyUse, ProfileName


def test_every_kind_of_certificate_has_a_profile():
    assert set(PROFILES) == set(ProfileName)


@pytest.mark.parametrize("name", list(ProfileName))
def test_only_authorities_issue(name: ProfileName):
    assert all(PROFILES[issuer].is_authority for issuer in PROFILES[name].issued_by)


@pytest.mark.parametrize(
    "name",
    [ProfileName.CITIZEN_SIGNING, ProfileName.OFFICIAL_SIGNING, ProfileName.AGENCY_SEAL, ProfileName.REPORT_SEAL],
)
def test_a_key_that_signs_documents_does_nothing_else(name: ProfileName):
    assert PROFILES[name].key_usage == {KeyUse.CONTENT_COMMITMENT}


def test_a_digest_is_the_same_every_time_and_differs_for_every_change():
    profile = PROFILES[ProfileName.CITIZEN_SIGNING]
    changed = replace(profile, version=2)
    assert profile.digest == replace(profile).digest
    assert len({one.digest for one in PROFILES.values()} | {changed.digest}) == len(PROFILES) + 1


def test_a_field_that_has_no_canonical_form_is_an_error():
    with pytest.raises(TypeError):
        profiles._canonical(object())
