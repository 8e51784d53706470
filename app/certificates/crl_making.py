"""Making one list: what the register holds under one signature, compared with the last list; and its delta."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from sqlalchemy.orm import Session

from app.certificates import crl_entries, issuance
from app.certificates.crl_models import FULL
from app.certificates.models import Authority, Crl
from app.core.failpoints import reach
from app.core.settings import Settings
from pki.authority import Issuer
from pki.crl import build_crl, check_succession, delta_entries
from pki.errors import CrlRefused
from pki.profiles import ProfileName

LIFETIME: Final = timedelta(hours=48)
ROOT_LIFETIME: Final = timedelta(days=180)
# A list of everything is for those who collect lists, not for checking one signature: it may be an hour behind.
FULL_EVERY: Final = timedelta(hours=1)
# How long deltas are made to the same list.
BASE_LIFE: Final = timedelta(hours=24)


def make(
    session: Session,
    settings: Settings,
    authority: Authority,
    issuer: Issuer,
    shard: int,
    number: int,
    last: Crl | None,
    *,
    now: datetime,
) -> Crl:
    """Return the next list, signed and compared, not stored yet.

    Raises CrlRefused if it would not follow `last`, lost an entry, or does not hold what the register holds.
    """
    life = ROOT_LIFETIME if authority.profile == ProfileName.ROOT else LIFETIME
    made = Crl(authority_id=authority.id, shard=shard, number=number, this_update=now, next_update=now + life)
    entries = crl_entries.read(session, authority, shard, horizon=now - LIFETIME)
    made.der = _build(settings, authority, issuer, made, entries)
    reach("crl.signed_before_swap")
    if len(x509.load_der_x509_crl(made.der)) != entries.count:
        raise CrlRefused("the list does not hold what the register holds")
    if last is not None:
        check_succession(last.der, made.der)
        crl_entries.check_nothing_lost(session, last, made.der, horizon=now - LIFETIME)
    if _has_delta(settings, authority, shard):
        _add_delta(session, settings, authority, made, last, issuer)
    return made


def next_at(authority: Authority, made: Crl) -> datetime:
    """Return when the next list is due: at 30 to 50 % of the life of this one, spread by a hash.

    Lists made together (at creation, after a bulk revocation) so never come due together again.
    """
    if made.shard == FULL:
        return made.this_update + FULL_EVERY
    digest = hashlib.sha256(f"{name_of(authority, made.shard)}/{made.number}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return made.this_update + (made.next_update - made.this_update) * (0.3 + 0.2 * share)


def delta_address(settings: Settings, authority: Authority, shard: int) -> str:
    """Return where the delta of a shard is: `…/crl/issuing_citizens/17-delta.crl`."""
    return f"{_address(settings, authority, shard).removesuffix('.crl')}-delta.crl"


def name_of(authority: Authority, shard: int) -> str:
    """Return the name of a list in its address and in messages: `issuing_citizens/17`, `issuing_citizens/full`."""
    return f"{authority.name}/{'full' if shard == FULL else shard}"


def _build(settings: Settings, authority: Authority, issuer: Issuer, made: Crl, entries: crl_entries.Entries) -> bytes:
    is_root, is_whole = authority.profile == ProfileName.ROOT, made.shard == FULL
    with_delta = _has_delta(settings, authority, made.shard)
    return build_crl(
        entries.joined,
        issuer=issuer,
        number=made.number,
        now=made.this_update,
        lifetime=made.next_update - made.this_update,
        distribution_point=None if is_root or is_whole else _address(settings, authority, made.shard),
        only_ca=is_root,
        whole=is_whole,
        freshest=delta_address(settings, authority, made.shard) if with_delta else None,
    )


def _add_delta(
    session: Session, settings: Settings, authority: Authority, made: Crl, last: Crl | None, issuer: Issuer
) -> None:
    """Make the delta of a list: what changed since its base, a list that stays the same for a while.

    Whoever has the base or a list after it may use the delta; older lists are replaced.
    """
    base = made
    if last is not None:
        base = session.get(Crl, (made.authority_id, made.shard, last.base_number or last.number)) or last
        if base.this_update + BASE_LIFE <= made.this_update:
            base = last
    made.base_number = base.number
    made.delta_der = build_crl(
        delta_entries(base.der, made.der, now=made.this_update),
        issuer=issuer,
        number=made.number,
        now=made.this_update,
        lifetime=made.next_update - made.this_update,
        distribution_point=_address(settings, authority, made.shard),
        base_number=base.number,
    )


def _has_delta(settings: Settings, authority: Authority, shard: int) -> bool:
    return settings.delta_crls and shard != FULL and authority.profile != ProfileName.ROOT


def _address(settings: Settings, authority: Authority, shard: int) -> str:
    return issuance.crl_address(settings, authority.name, shard)
