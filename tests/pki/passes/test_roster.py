"""The encrypted roster: a record opens with its pass, and nothing else tells who is expected."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pki.errors import PassRejected, ProfileViolation
from pki.keys import Curve, SoftwareKey
from pki.passes import roster, signed_list
from pki.passes.faults import PassFault
from pki.passes.roster import Record, Roster, RosterFlags
from pki.passes.signed_list import Edition

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data/passes/vectors.json").read_text())
SHARED: dict[str, Any] = VECTORS["roster"]
KEY = SoftwareKey.generate(Curve.P256)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ID = bytes(range(16))
SECRET = bytes(range(16, 32))
LAN = Record("Nguyễn Thị Lan", "Giám đốc", "Công ty A", seat="B12", flags=RosterFlags.HELP, portrait=b"RIFF" * 400)


def octets(text: str) -> bytes:
    return base64.b64decode(text)


def trust_key() -> ec.EllipticCurvePublicKey:
    loaded = load_der_public_key(octets(VECTORS["trust_key"]))
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    return loaded


def sealed(*guests: tuple[bytes, Record]) -> dict[bytes, bytes]:
    return {roster.index_of(secret, ID): roster.seal(record, secret, ID) for secret, record in guests}


def header_of(records: dict[bytes, bytes], *, version: int = 3) -> Roster:
    edition = Edition(version, NOW, NOW + timedelta(hours=20))
    message = roster.sign_header(edition, ID, building="TTHC", day=20261123, records=records, key=KEY)
    return roster.verify_header(message, KEY.public_key)


def test_a_record_opens_with_its_pass_and_no_other() -> None:
    records = sealed((SECRET, LAN))
    (only,) = records.values()
    assert roster.unseal(only, SECRET, ID) == LAN
    for secret, roster_id in ((bytes(16), ID), (SECRET, bytes(16))):
        with pytest.raises(PassRejected) as rejected:
            roster.unseal(only, secret, roster_id)
        assert rejected.value.fault is PassFault.MALFORMED


def test_the_bytes_tell_no_name_no_picture_and_two_sizes_only() -> None:
    guests = [(bytes([number]) * 16, replace(LAN, name=f"Khách thứ {number}")) for number in range(20)]
    plain = [(bytes([number]) * 16, Record(f"Khách thứ {number}")) for number in range(20, 40)]
    body = roster.join(sealed(*guests, *plain))
    for word in ("Khách", "Công ty", "B12"):
        assert word.encode() not in body
        assert word.encode("utf-16-le") not in body
    assert b"RIFF" not in body
    assert len({len(one) for one in roster.split(body).values()}) == len(roster.SIZES)


def test_the_same_guest_lies_elsewhere_in_another_roster_and_is_sealed_anew_each_time() -> None:
    assert roster.index_of(SECRET, ID) != roster.index_of(SECRET, bytes(16))
    assert roster.seal(LAN, SECRET, ID) != roster.seal(LAN, SECRET, ID)


def test_a_header_covers_exactly_its_records() -> None:
    records = sealed((SECRET, LAN), (bytes(16), Record("Trần Bình")))
    header = header_of(records)
    assert (header.building, header.day, header.edition.version) == ("TTHC", 20261123, 3)
    assert roster.read(header, roster.join(records)) == records
    for other in ({}, sealed((SECRET, LAN), (bytes(16), Record("Trần Bình")))):
        with pytest.raises(PassRejected):
            roster.read(header, roster.join(other))


def test_a_body_that_is_cut_out_of_order_or_of_an_unknown_size_is_refused() -> None:
    first, second = roster.split(roster.join(sealed((SECRET, LAN), (bytes(16), LAN)))).values()
    unknown = first[: roster.INDEX_LENGTH] + b"\x07" + first[roster.INDEX_LENGTH + 1 :]
    for body in (second + first, first + first, first[:-1], first[:5], unknown):
        with pytest.raises(PassRejected):
            roster.split(body)


def test_a_record_that_is_too_large_or_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises(ProfileViolation):
        roster.seal(replace(LAN, portrait=bytes(2304)), SECRET, ID)
    with pytest.raises(ProfileViolation):
        roster.index_of(b"short", ID)


def test_a_record_without_padding_is_refused() -> None:
    (index,) = sealed((SECRET, LAN))
    head, nonce = index + b"\0", bytes(12)
    bare = AESGCM(roster._derived(SECRET, ID, b"kyvao roster record v1", 32)).encrypt(nonce, bytes(768), ID + head)
    with pytest.raises(PassRejected):
        roster.unseal(head + nonce + bare, SECRET, ID)


def test_an_older_header_one_of_another_kind_and_a_strangers_are_refused() -> None:
    edition = Edition(3, NOW, NOW + timedelta(hours=20))
    message = roster.sign_header(edition, ID, building="TTHC", day=20261123, records={}, key=KEY)
    other_kind = signed_list.sign("trust", edition, [ID, "TTHC", 20261123, 0, bytes(32)], KEY)
    for content, at_least, key, fault in (
        (message, 4, KEY, PassFault.ROLLBACK),
        (other_kind, 0, KEY, PassFault.MALFORMED),
        (message, 0, SoftwareKey.generate(Curve.P256), PassFault.BAD_SIGNATURE),
    ):
        with pytest.raises(PassRejected) as rejected:
            roster.verify_header(content, key.public_key, at_least=at_least)
        assert rejected.value.fault is fault


def test_the_shared_roster_is_read_as_written() -> None:
    update = SHARED["update"]
    for header_text, body_text, answers in (
        (SHARED["header"], SHARED["body"], SHARED["answers"]),
        (update["header"], update["body"], update["answers"]),
    ):
        header = roster.verify_header(octets(header_text), trust_key())
        records = roster.read(header, octets(body_text))
        for secret_text, answer in zip(SHARED["secrets"], answers, strict=True):
            secret = octets(secret_text)
            found = records.get(roster.index_of(secret, header.roster_id))
            if answer is None:
                assert found is None
            else:
                assert found is not None
                shown = vars(roster.unseal(found, secret, header.roster_id))
                assert {**answer, "portrait": octets(answer["portrait"])} == {**shown, "flags": int(shown["flags"])}
