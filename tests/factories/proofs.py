"""Signed files of every level, with material and timestamps of a given time."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from io import BytesIO

from pki.pades import augment
from pki.pades.dss import Material
from pki.profiles import ProfileName
from tests.factories import pdfs
from tests.factories import pki as factory

SIGNED_AT = factory.NOW
STAMPED_AT = factory.NOW + timedelta(minutes=2)


@cache
def unit() -> factory.Leaf:
    """The timestamp unit of these files, made once in a run."""
    return pdfs.timestamp_leaf()


@cache
def material(now: datetime = factory.NOW) -> Material:
    """Return the authorities, the unit, and lists made at `now` of the small world."""
    authorities = [factory.authority(one) for one in (ProfileName.ISSUING_OFFICIALS, ProfileName.TSA_AUTHORITY)]
    return Material(
        (unit().certificate_der, *(one.certificate_der for one in authorities), factory.root().certificate_der),
        (),
        pdfs.evidence(now=now).crls_der,
    )


def b_b() -> bytes:
    return pdfs.signed()


def b_t() -> bytes:
    return pdfs.signed(timestamp=pdfs.timestamping(SIGNED_AT, unit()))


def b_lt(signed: bytes | None = None) -> bytes:
    base = signed or b_t()
    return base + augment.add_validation_material(BytesIO(base), material())


def b_lta(signed: bytes | None = None, *, at: datetime = STAMPED_AT, held: Material | None = None) -> bytes:
    """Return a file (default: B-T) with material and a document timestamp of `at`."""
    base = signed or b_t()
    return base + augment.renew(BytesIO(base), material() if held is None else held, pdfs.timestamping(at, unit()))
