"""The words of the desk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence
from app.reception.models import Mark, VisitState

# Why somebody is let in by hand.
REASONS: Final[Mapping[str, Sentence]] = {
    "no_phone": _l("The person has no phone and no letter with them"),
    "unreadable": _l("The code cannot be read"),
    "tablet_down": _l("The tablet at the gate does not work"),
    "identity_checked": _l("The gate said to look again; identity card checked"),
}

STATES: Final[Mapping[VisitState, tuple[Sentence, str]]] = {
    VisitState.WAITING: (_l("Waits for the host"), "wait"),
    VisitState.APPROVED: (_l("The host agrees"), "info"),
    VisitState.REFUSED: (_l("The host cannot receive them"), "bad"),
    VisitState.LATER: (_l("Please come later"), "held"),
    VisitState.INSIDE: (_l("Inside now"), "good"),
    VisitState.LEFT: (_l("Has left"), "quiet"),
}

MARKS: Final[Mapping[Mark, Sentence]] = {
    Mark.SAFE: _l("Safe"),
    Mark.MISSING: _l("Missing"),
    Mark.NOT_INSIDE: _l("Was not inside"),
}
UNMARKED: Final[Sentence] = _l("Not marked yet")

# What the page of the roll says by itself; facts stand in braces.
ROLL: Final[Mapping[str, Sentence]] = {
    "online": _l("Up to date at {time}."),
    "offline": _l("No network. This is who was inside at {time}; your marks are kept on this phone."),
    "nothing_kept": _l("No network, and nobody’s list is kept on this phone. Go where there is a network once."),
    "signed_out": _l("Your session is over. Your marks are kept on this phone; sign in and they are sent."),
    "not_warden": _l("The account signed in here calls no roll."),
    "waiting": _l("Marks that wait to be sent: {count}."),
    "started": _l("Evacuation since {time}"),
    "not_started": _l("No evacuation now. Your first mark begins one."),
    "shown": _l("{shown} of {all} people"),
    "begin": _l("No evacuation is known here. Begin one for this building with this mark?"),
}


def roll_words() -> dict[str, object]:
    """Return the words of the page in the reader's language."""
    marks = {mark.value: str(word) for mark, word in MARKS.items()} | {"unmarked": str(UNMARKED)}
    return {key: str(word) for key, word in ROLL.items()} | {"marks": marks}
