"""Whether this gate may admit now: the verdict on the pass, and who owns the right to admit it.

No rule can let every gate without network admit every pass and forbid that one enters twice. So the right to admit a
pass and slot is owned by one place at a time (`lease`). The tablet's TypeScript is the same rule, held to it by the
shared cases in tests/data/passes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pki.passes.claims import PassClaims, PassFlags
from pki.passes.decision import Entry, Outcome, Place, Reason, Verdict, decide
from pki.passes.lease import SKEW, LeaseList, Policy
from pki.passes.status import PassStatus
from pki.passes.trust_list import Signer

# With a lease, lists this much too old still serve: whoever leased the right had looked at the newest.
LEASED_WITH_OLD_LISTS: Final = timedelta(hours=24)


def admit(
    claims: PassClaims,
    signer: Signer,
    *,
    now: datetime,
    place: Place,
    status: PassStatus,
    lists_until: datetime,
    spent: Entry | None,
    lease: LeaseList | None,
    policy: Policy | None = None,
    online: bool = False,
    meeting_building: str | None = None,
    is_fresh: bool = False,
) -> Verdict:
    """Return the verdict of a gate on a pass whose signature holds.

    `spent` is an entry that this place knows of. `lease` is the list of this tablet in this boot, None where there is
    none. `policy` is that of the meeting; None takes it from the pass. `online` means that the server decides: its
    insert of the admission is what counts, and no lease is asked for. `is_fresh` means that a code of this moment was
    shown with the pass (`rotating.is_fresh`); it is asked for where the pass says so.

    Whoever shows ADMIT to a guard must have written the entry down before.
    """
    verdict = decide(
        claims,
        signer,
        now=now,
        place=place,
        status=status,
        lists_until=lists_until,
        meeting_building=meeting_building,
        earlier=None if place.zone else spent,
    )
    if verdict.outcome is Outcome.REFUSE:
        return verdict
    # A picture of the code, or a letter: somebody has to look at who brings it.
    if PassFlags.ROTATING in claims.flags and not is_fresh:
        return Verdict(Outcome.LOOK_AGAIN, Reason.OLD_CODE)
    # A door inside the building admits nobody to the meeting: there is no right to use up.
    if online or place.zone:
        return verdict
    leased = lease is not None and lease.holds(claims.status_index, claims.slot, now)
    if verdict.outcome is Outcome.LOOK_AGAIN:
        covered = leased and now <= lists_until + LEASED_WITH_OLD_LISTS
        return Verdict(Outcome.ADMIT, Reason.ADMITTED) if covered else verdict
    if leased:
        return verdict
    if (policy or policy_of(claims)) is Policy.LENIENT:
        return Verdict(Outcome.ADMIT, Reason.ADMITTED_UNCONFIRMED)
    return Verdict(Outcome.LOOK_AGAIN, Reason.NO_LEASE)


def policy_of(claims: PassClaims) -> Policy:
    """Return the policy that the pass itself carries."""
    return Policy.LENIENT if PassFlags.LENIENT in claims.flags else Policy.STRICT


def has_returned(*, not_after: datetime, released: bool, policy: Policy, now: datetime) -> bool:
    """Say whether a right that was leased belongs to the server again.

    `released` means that the tablet's log up to its giving back has been read without a gap. A strict right never
    returns by time alone: a tablet that nobody hears of may have used it in its last minute. A lenient one does, when
    the lease is over for every clock.
    """
    return released or (policy is Policy.LENIENT and now > not_after + SKEW)
