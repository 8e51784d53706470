"""Every interleaving of three tablets and two passes, up to a depth: in STRICT no right is used twice.

The verdicts are those of the real rule; the server and the network around it are the smallest model of app/gate that
still loses, delays and repeats. `KYVAO_TEST_DEPTH` goes deeper than an ordinary run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import permutations
from typing import NamedTuple
from uuid import UUID

from pki.passes.admission import admit
from pki.passes.claims import PassClaims
from pki.passes.decision import Entry, Outcome, Place
from pki.passes.lease import LeaseList, Policy
from pki.passes.signed_list import Edition
from pki.passes.status import PassStatus
from pki.passes.trust_list import Signer

DEPTH = int(os.environ.get("KYVAO_TEST_DEPTH", "6"))
NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
SIGNER = Signer(b"abcd", b"", "H99", "Ủy ban", NOON - HOUR, NOON + HOUR, ("TSC",), timedelta(days=1))
TABLETS, CODES = range(3), range(2)
NOBODY = -1
Codes = frozenset[int]
NONE: Codes = frozenset()


class Cell(NamedTuple):
    """A tablet: the list it holds, what it has spent, and what of its log the server has not heard."""

    held: Codes = NONE
    spent: Codes = NONE
    unheard: Codes = NONE
    # Rights that a list taken up since no longer names.
    given_back: Codes = NONE
    # Restored from an old profile: its log ends in a fork.
    is_void: bool = False
    # Whether the boot it is in is the one that lists are signed for.
    is_known: bool = True


class Right(NamedTuple):
    """The server's book about one pass."""

    leased_to: int = NOBODY
    is_recalled: bool = False
    in_doubt: bool = False
    is_used: bool = False


class State(NamedTuple):
    cells: tuple[Cell, ...] = (Cell(),) * len(TABLETS)
    rights: tuple[Right, ...] = (Right(),) * len(CODES)
    # How often each pass was let in, counted at the gates.
    inside: tuple[int, ...] = (0,) * len(CODES)


@cache
def lets_in(*, is_held: bool, is_spent: bool) -> bool:
    """Ask the rule about a strict pass at a gate without network."""
    claims = PassClaims(NOON - HOUR, 2 * HOUR, bytes(16), 1, 7)
    held = {(7, 0): Policy.STRICT} if is_held else {}
    lease = LeaseList(Edition(1, NOON, NOON + HOUR), UUID(int=1), UUID(int=2), held)
    spent = Entry(NOON, "") if is_spent else None
    verdict = admit(claims, SIGNER, now=NOON, place=Place("TSC"), status=PassStatus.VALID, lists_until=NOON + HOUR,
                    spent=spent, lease=lease)  # fmt: skip
    return verdict.outcome is Outcome.ADMIT


def own_word(cell: Cell, code: int) -> bool:
    return lets_in(is_held=code in cell.held, is_spent=code in cell.spent)


def steps(state: State) -> Iterator[State]:
    for tablet in TABLETS:
        cell = state.cells[tablet]
        for code in CODES:
            yield from _about(state, tablet, cell, code)
        yield _taken_up(state, tablet, cell)
        yield _heard(state, tablet, cell)
        yield _with(state, tablet, cell._replace(held=NONE, is_known=False))
        yield _with(state, tablet, Cell(is_void=True, is_known=False))


def _about(state: State, tablet: int, cell: Cell, code: int) -> Iterator[State]:
    right = state.rights[code]
    if right.leased_to == NOBODY and not right.is_used and cell.is_known:
        yield _right(state, code, Right(tablet))
    if right.leased_to == tablet:
        yield _right(state, code, right._replace(is_recalled=True))
    may = own_word(cell, code)
    if may:
        alone = cell._replace(spent=cell.spent | {code}, unheard=cell.unheard | {code})
        yield _entered(_with(state, tablet, alone), code)
    # A list that is on its way to the boot it was signed for was not used.
    waits = cell.is_known and code not in cell.held | cell.spent
    owned = right.leased_to == NOBODY or (right.leased_to == tablet and (may or waits) and not right.in_doubt)
    if owned and not right.is_used:
        booked = _right(state, code, right._replace(is_used=True))
        yield _entered(_with(booked, tablet, cell._replace(spent=cell.spent | {code})), code)
        # The answer is lost, and the tablet decides by itself under the same name.
        lost = cell._replace(spent=cell.spent | {code}, unheard=cell.unheard | {code})
        yield _entered(_with(booked, tablet, lost), code) if may else booked


def _taken_up(state: State, tablet: int, cell: Cell) -> State:
    if not cell.is_known or cell.is_void:
        return state
    mine = {code for code in CODES if state.rights[code].leased_to == tablet and not state.rights[code].in_doubt}
    named = frozenset(code for code in mine if not state.rights[code].is_recalled)
    return _with(state, tablet, cell._replace(held=named, given_back=cell.given_back | (mine - named)))


def _heard(state: State, tablet: int, cell: Cell) -> State:
    """The whole log arrives, in order: entries, then what was given back, then a boot that was not closed before."""
    if cell.is_void:
        return state
    rights = list(state.rights)
    for code in CODES:
        if code in cell.unheard:
            rights[code] = rights[code]._replace(is_used=True)
        if rights[code].leased_to == tablet and code in cell.given_back:
            rights[code] = Right(is_used=rights[code].is_used)
        elif rights[code].leased_to == tablet and not cell.is_known:
            rights[code] = rights[code]._replace(in_doubt=True)
    heard = cell._replace(unheard=NONE, given_back=NONE, is_known=True)
    return _with(state._replace(rights=tuple(rights)), tablet, heard)


def _with(state: State, tablet: int, cell: Cell) -> State:
    return state._replace(cells=(*state.cells[:tablet], cell, *state.cells[tablet + 1 :]))


def _right(state: State, code: int, right: Right) -> State:
    return state._replace(rights=(*state.rights[:code], right, *state.rights[code + 1 :]))


def _entered(state: State, code: int) -> State:
    inside = tuple(count + (code == at) for at, count in enumerate(state.inside))
    return state._replace(inside=inside)


def _named_alike(state: State) -> State:
    """Return the one of all states that differ in nothing but the tablets' numbers."""
    best: tuple[object, State] | None = None
    for order in permutations(TABLETS):
        cells = tuple(state.cells[at] for at in order)
        moved = tuple(
            right if right.leased_to == NOBODY else right._replace(leased_to=order.index(right.leased_to))
            for right in state.rights
        )
        key = (
            tuple(tuple(sorted(part) if isinstance(part, frozenset) else part for part in cell) for cell in cells),
            moved,
        )
        if best is None or key < best[0]:  # type: ignore[operator]  # tuples of one shape
            best = (key, State(cells, moved, state.inside))
    assert best is not None
    return best[1]


def test_no_interleaving_lets_a_strict_pass_in_twice() -> None:
    seen, front, entered = {State()}, [State()], 0
    for _ in range(DEPTH):
        following = set()
        for state in front:
            for after in map(_named_alike, steps(state)):
                assert max(after.inside) <= 1, (state, after)
                if after not in seen:
                    following.add(after)
        seen |= following
        front = list(following)
        entered += sum(any(state.inside) for state in following)
    assert len(seen) > 1_000
    assert entered > 100
