"""Write the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from pki.authority import spki
from pki.keys import Curve, SoftwareKey
from pki.passes import status, trust_list
from pki.passes.signed_list import Edition
from pki.passes.status import PassStatus
from scripts.vectors.admissions import BOOT, DEVICE, admissions, events, lease_message, lease_readings
from scripts.vectors.cases import cases
from scripts.vectors.readings import claim_readings, list_readings, readings
from scripts.vectors.rosters import rosters
from scripts.vectors.rotating import codes
from scripts.vectors.world import LISTS_UNTIL, START, World, text

OUT: Final = Path(__file__).parents[2] / "tests/data/passes/vectors.json"


def make() -> dict[str, object]:
    world = World(*(SoftwareKey.generate(Curve.P256) for _ in range(3)))
    edition = Edition(7, START, LISTS_UNTIL)
    statuses = {1: PassStatus.WITHDRAWN, 2: PassStatus.SUSPENDED, 3: PassStatus.CHANGED}
    return {
        "made_by": "python -m scripts.vectors",
        "trust_key": text(spki(world.trust.public_key)),
        "stranger_key": text(spki(world.stranger.public_key)),
        "trust_list": text(trust_list.build(edition, [world.signer()], world.trust)),
        "status_list": text(status.build(edition, statuses, world.trust)),
        "version": edition.version,
        "cases": list(cases(world)),
        "readings": list(readings()),
        "claims": list(claim_readings(world)),
        "lists": list(list_readings(world)),
        "device_id": text(DEVICE.bytes),
        "boot_id": text(BOOT.bytes),
        "lease_list": text(lease_message(world)),
        "admissions": list(admissions(world)),
        "lease_readings": list(lease_readings(world)),
        "events": list(events()),
        "roster": rosters(world),
        "rotating": codes(world),
    }


if __name__ == "__main__":
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(make(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
