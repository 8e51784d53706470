"""What people ask of the register, a kind each, with other words every time."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True)
class Register:
    """What there is to ask for."""

    names: Sequence[str]
    serials: Sequence[str]
    # Of districts and wards.
    codes: Sequence[str]
    now: datetime


Ask = Callable[[random.Random, Register], Mapping[str, str]]


def day(now: datetime, days: int) -> str:
    return (now + timedelta(days=days)).date().isoformat()


def some_name(source: random.Random, register: Register) -> str:
    """Return words of somebody's name in any order, the last one cut."""
    found = source.choice(register.names).split()
    source.shuffle(found)
    return " ".join([*found[:-1], found[-1][: source.randint(1, 9)]])


KINDS: Final[Mapping[str, Ask]] = {
    "all": lambda source, register: {"sort": source.choice(["name", "newest"])},
    "name": lambda source, register: {"q": some_name(source, register)},
    "name_rare": lambda source, register: {"q": f"{source.choice(['Khuất', 'Sầm', 'Âu'])} {source.choice('abhlmt')}"},
    "name_common": lambda source, register: {
        "q": source.choice(["nguyen", "nguyen van an", "an", "Thị", "tran", "nguyễn thị"]),
        "sort": source.choice(["name", "newest"]),
    },
    "identifier": lambda source, register: {"q": f"XX:VN-{source.randrange(len(register.serials)):020X}"},
    "serial": lambda source, register: {"q": source.choice(register.serials)},
    "serial_prefix": lambda source, register: {"q": source.choice(register.serials)[: source.randint(8, 12)]},
    "agency": lambda source, register: {"agency": source.choice(register.codes)},
    "agency_name": lambda source, register: {"agency": f"phuong {source.randrange(20)}.{source.randrange(9)}"},
    "state": lambda source, register: {
        "state": source.choice(["suspended", "revoked", "in_force", "ended"]),
        "sort": source.choice(["name", "newest"]),
    },
    "use": lambda source, register: {"use": source.choice(["citizen_signing", "official_signing", "agency_seal"])},
    "authority": lambda source, register: {"authority": source.choice(["issuing_citizens", "issuing_officials"])},
    "ends": lambda source, register: {
        "ends_to": day(register.now, source.choice([220, 260, 300, 500])),
        "sort": source.choice(["name", "newest"]),
    },
    "ends_after": lambda source, register: {"ends_from": day(register.now, source.randint(300, 720))},
    "issued": lambda source, register: {
        "issued_from": day(register.now, -(start := source.randint(1, 400))),
        "issued_to": day(register.now, -start + source.choice([0, 7, 30, 90])),
        "sort": source.choice(["name", "newest"]),
    },
    "name_and_state": lambda source, register: {
        "q": source.choice(["nguyen", "an", some_name(source, register)]),
        "state": source.choice(["suspended", "revoked", "in_force"]),
    },
    "name_and_agency": lambda source, register: {
        "q": source.choice(["nguyen", "thi", some_name(source, register)]),
        "agency": source.choice(register.codes),
        "sort": source.choice(["name", "newest"]),
    },
    "agency_state_use": lambda source, register: {
        "agency": source.choice(register.codes),
        "state": source.choice(["suspended", "revoked"]),
        "use": source.choice(["citizen_signing", "official_signing"]),
    },
    "name_and_ends": lambda source, register: {
        "q": source.choice(["nguyen thi", "an"]),
        "ends_to": day(register.now, source.choice([260, 300, 500])),
    },
    "state_and_issued": lambda source, register: {
        "state": source.choice(["revoked", "suspended"]),
        "issued_from": day(register.now, -source.randint(1, 90)),
    },
}
