"""Which authority issues which certificate of a person."""

from __future__ import annotations

from typing import Final

from pki.profiles import ProfileName

_ISSUERS: Final = {
    ProfileName.CITIZEN_SIGNING: ProfileName.ISSUING_CITIZENS,
    ProfileName.OFFICIAL_SIGNING: ProfileName.ISSUING_OFFICIALS,
}


def issuer_of(profile: ProfileName) -> ProfileName:
    """Return the authority that issues `profile`, which is one of a person."""
    return _ISSUERS[profile]
