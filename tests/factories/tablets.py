"""A tablet without a screen: its log, its leases, and the same rule that the real one runs (pki.passes.admission)."""

from __future__ import annotations

import base64
import copy
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric import ec

from pki.errors import PassRejected
from pki.keys import SoftwareKey
from pki.passes import claims as pass_claims
from pki.passes import cose, lease, rotating, scan_event
from pki.passes.admission import admit
from pki.passes.claims import PassClaims
from pki.passes.decision import Entry, Outcome, Place, Reason, Verdict
from pki.passes.lease import LeaseList, Policy
from pki.passes.scan_event import Direction, EventFlags, Face, ScanEvent
from pki.passes.status import PassStatus
from pki.passes.trust_list import Signer


@dataclass
class Profile:
    """What lies on the disk of a tablet: what a restored or copied one brings back."""

    seq: int = 0
    head: bytes = scan_event.NO_PREVIOUS
    hlc: int = 0
    # Entries that the server has not confirmed, by number.
    outbox: dict[int, dict[str, Any]] = field(default_factory=dict)
    spent: dict[tuple[int, int], datetime] = field(default_factory=dict)


@dataclass
class Tablet:
    """One enrolled tablet. Time is passed in; `send` is whoever carries its entries to the server."""

    device_id: UUID
    checkpoint_id: UUID
    building: str
    key: SoftwareKey
    trust_key: ec.EllipticCurvePublicKey
    signer: Signer
    token: str = ""
    profile: Profile = field(default_factory=Profile)
    boot_id: UUID = field(default_factory=uuid4)
    booted_at: datetime | None = None
    leases: LeaseList | None = None
    lists_until: datetime | None = None

    def boot(self, now: datetime) -> None:
        """Start: leases of an earlier boot are void."""
        self.boot_id, self.booted_at, self.leases = uuid4(), now, None
        self._write(now, Outcome.LOOK_AGAIN, Reason.NO_NETWORK, flags=EventFlags.BOOT)

    def close(self, now: datetime) -> None:
        """End in order."""
        self._write(now, Outcome.LOOK_AGAIN, Reason.NO_NETWORK, flags=EventFlags.CLOSED)
        self.leases = None

    def copy_of_profile(self) -> Profile:
        return copy.deepcopy(self.profile)

    def take_leases(self, message: bytes | None, now: datetime) -> bool:
        """Take up a list that is newer than the one held."""
        if message is None:
            return False
        try:
            found = lease.verify(
                message,
                self.trust_key,
                device_id=self.device_id,
                boot_id=self.boot_id,
                at_least=self.leases.edition.version if self.leases else 0,
            )
        except PassRejected:
            return False
        if self.leases is not None and found.edition.version == self.leases.edition.version:
            return False
        self.leases = found
        self._write(now, Outcome.LOOK_AGAIN, Reason.NO_NETWORK, flags=EventFlags.LEASES_TAKEN)
        return True

    def judge(self, code: str, now: datetime, *, policy: Policy | None = None) -> Verdict:
        """What the tablet may by itself; it says so to the server too."""
        claims = read(code)
        used = self.profile.spent.get((claims.status_index, claims.slot))
        return admit(
            claims,
            self.signer,
            now=now,
            place=Place(self.building),
            status=PassStatus.VALID,
            lists_until=self.lists_until or now,
            spent=Entry(used, "") if used else None,
            lease=self.leases,
            policy=policy,
        )

    def scan(self, code: str, now: datetime, *, policy: Policy | None = None, override: bool = False) -> Verdict:
        """Decide without network, and write down before anybody is told."""
        claims, verdict = read(code), self.judge(code, now, policy=policy)
        flags = EventFlags.NONE
        if override and verdict.outcome is Outcome.LOOK_AGAIN:
            verdict, flags = Verdict(Outcome.ADMIT, Reason.ADMITTED), EventFlags.OVERRIDE
        leased = self.leases is not None and self.leases.holds(claims.status_index, claims.slot, now)
        if verdict.outcome is Outcome.ADMIT:
            self.profile.spent[(claims.status_index, claims.slot)] = now
        self._write(now, verdict.outcome, verdict.reason, flags=flags, code=code, leased=leased)
        return verdict

    def leave(self, code: str, now: datetime) -> None:
        self._write(now, Outcome.ADMIT, Reason.CHECKED_OUT, code=code, direction=Direction.OUT)

    def face(self, scan_id: UUID, face: Face, now: datetime) -> None:
        self._write(now, Outcome.LOOK_AGAIN, Reason.NO_NETWORK, flags=EventFlags.FACE, refers_to=scan_id, face=face)

    def online(self, code: str, now: datetime, verdict: Verdict) -> None:
        """Write down what the server answered to the scan that `next_scan_id` named."""
        claims = read(code)
        if verdict.outcome is Outcome.ADMIT:
            self.profile.spent[(claims.status_index, claims.slot)] = now
        self._write(now, verdict.outcome, verdict.reason, code=code)

    @property
    def next_scan_id(self) -> UUID:
        return scan_event.scan_id(self.device_id, self.profile.seq + 1)

    @property
    def last_scan_id(self) -> UUID:
        return scan_event.scan_id(self.device_id, self.profile.seq)

    def batch(self, most: int = 500) -> list[dict[str, Any]]:
        """Return what waits to be sent, oldest first."""
        return [self.profile.outbox[seq] for seq in sorted(self.profile.outbox)[:most]]

    def confirm(self, contiguous: int) -> None:
        """Forget what the server has."""
        for seq in [seq for seq in self.profile.outbox if seq <= contiguous]:
            del self.profile.outbox[seq]

    def _write(
        self,
        now: datetime,
        outcome: Outcome,
        reason: Reason,
        *,
        flags: EventFlags = EventFlags.NONE,
        code: str | None = None,
        leased: bool = False,
        direction: Direction = Direction.IN,
        refers_to: UUID | None = None,
        face: Face | None = None,
    ) -> None:
        profile, salt = self.profile, secrets.token_bytes(16)
        claims = read(code) if code is not None else None
        profile.hlc = scan_event.tick(profile.hlc, int(now.timestamp() * 1000))
        event = ScanEvent(
            self.device_id,
            profile.seq + 1,
            profile.head,
            self.boot_id,
            profile.hlc,
            max(0, int((now - (self.booted_at or now)).total_seconds() * 1000)),
            1,
            1,
            1,
            scan_event.commitment(salt, claims.pass_id if claims else None),
            self.checkpoint_id,
            direction,
            outcome,
            reason,
            claims.slot if claims else 0,
            lease_epoch=self.leases.edition.version
            if self.leases and (leased or flags & EventFlags.LEASES_TAKEN)
            else None,
            flags=flags,
            refers_to=refers_to,
            face=face,
        )
        data = event.encode()
        profile.seq, profile.head = event.seq, hashlib.sha256(data).digest()
        profile.outbox[event.seq] = {
            "event": _text(data),
            "signature": _text(scan_event.sign(data, self.key)),
            "salt": _text(salt),
            "digits": code,
        }


@lru_cache(maxsize=50_000)
def read(code: str) -> PassClaims:
    """Return the claims of a pass; who signed it is not asked here."""
    return pass_claims.decode(cose.parse(rotating.split(code)[0]).payload)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
