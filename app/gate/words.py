"""The words of the guard's screen: one large line and one small line for each reason."""

from __future__ import annotations

from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence
from pki.passes.decision import Reason

# `%(time)s`, `%(day)s` and `%(place)s` are filled in by the tablet.
REASONS: Final[dict[Reason, tuple[Sentence, Sentence]]] = {
    Reason.ADMITTED: (_l("COME IN"), _l("Compare the face with the portrait.")),
    Reason.ALREADY_ADMITTED: (
        _l("ALREADY IN AT {time} – {place}"),
        _l("This invitation was used. Ask the person to go to the reception desk."),
    ),
    Reason.NOT_OURS: (_l("NOT AN INVITATION OF THE CITY"), _l("Ask for the invitation letter or its picture.")),
    Reason.FORGED: (_l("NOT GENUINE"), _l("The code was changed or damaged. Send the person to the reception desk.")),
    Reason.UNKNOWN_KEY: (_l("NOT GENUINE"), _l("No agency of the city signs with this key.")),
    Reason.AGENCY_KEY_ENDED: (
        _l("INVITATION NO LONGER VALID"),
        _l("The agency that signed it may not sign any more. Send the person to the reception desk."),
    ),
    Reason.WITHDRAWN: (_l("INVITATION WITHDRAWN"), _l("Send the person to the reception desk.")),
    Reason.SUSPENDED: (_l("INVITATION SUSPENDED"), _l("Send the person to the reception desk.")),
    Reason.CHANGED: (_l("OLD INVITATION"), _l("There is a newer one. Ask the person to open the newest e-mail.")),
    Reason.WRONG_BUILDING: (_l("WRONG BUILDING"), _l("The meeting is elsewhere: {place}")),
    Reason.WRONG_ZONE: (_l("NOT FOR THIS AREA"), _l("The invitation is for another part of the building.")),
    Reason.WRONG_DAY: (_l("WRONG DAY: {day}"), _l("The invitation is for another day.")),
    Reason.TOO_EARLY: (_l("TOO EARLY: FROM {time}"), _l("Ask the person to come back then.")),
    Reason.TOO_LATE: (_l("TOO LATE: ENDED AT {time}"), _l("Send the person to the reception desk.")),
    Reason.STALE_LISTS: (
        _l("LOOK AGAIN"),
        _l("This tablet has had no news for too long. Compare with an identity card."),
    ),
    Reason.NO_NETWORK: (
        _l("LOOK AGAIN"),
        _l("Genuine, but there is no network: nobody knows whether it was used. Ask the reception desk."),
    ),
    Reason.NO_LEASE: (
        _l("LOOK AGAIN"),
        _l("Genuine, but without network this gate may not decide. Send the person to their own gate or the desk."),
    ),
    Reason.LEASED_ELSEWHERE: (
        _l("GO TO {place}"),
        _l("That gate holds the right to let this person in and cannot be reached now."),
    ),
    Reason.ADMITTED_UNCONFIRMED: (
        _l("COME IN"),
        _l("Not confirmed with the other gates. Compare the face with the portrait."),
    ),
    Reason.READMITTED: (_l("WELCOME BACK"), _l("Compare the face with the portrait.")),
    Reason.CHECKED_OUT: (_l("GOODBYE"), _l("The person has left the building.")),
    Reason.OLD_CODE: (
        _l("OLD CODE"),
        _l("The code on the phone changes every 30 seconds. Ask the person to show the page itself, not a picture."),
    ),
}


def screen_words() -> dict[str, object]:
    """Return every text of the scanning page in the reader's language, for its script."""
    return {
        "reasons": {
            reason.value: {"large": str(large), "small": str(small)} for reason, (large, small) in REASONS.items()
        },
        "outcomes": {"admit": _("Let in"), "refuse": _("Do not let in"), "look_again": _("Look again")},
        "unclear": {
            "large": _("LOOK AT THE IDENTITY CARD"),
            "small": _("Compare its picture with the person and with the portrait, then say whether it is the person."),
        },
        "mismatch": {
            "large": _("NOT THIS PERSON"),
            "small": _("Keep the person here and call the reception desk."),
        },
        "signed_by": _("Invited by {agency}"),
        "camera": {
            "refused": _("The camera is not allowed. Allow it in the browser’s settings, or use a hand scanner."),
            "missing": _("No camera was found. Use a hand scanner, or connect a camera."),
        },
        "lists": {
            "fresh": _("Lists of {time}"),
            "stale": _("No news since {time}"),
            "none": _("Getting the lists…"),
            "changed_key": _("The city’s key has changed. This tablet must be enrolled again."),
        },
        "not_enrolled": _("This tablet was revoked. Ask an administrator for a code."),
        "no_key": _("The key of this tablet is not the one it was enrolled with. Enrol it again."),
        "no_portrait": _("No portrait"),
        "portrait_of": _("Portrait of {name}"),
        "waiting": _("{count} scans wait to be sent"),
        "leased": _("{count} guests may enter without a network"),
        "void": _("This tablet was copied or restored. An administrator must enrol it again."),
        "ended": _("The shift on this tablet has ended."),
        "notes": {
            "watch": _("Call your supervisor before this guest goes in. Say nothing of it."),
            "help": _("This guest needs help at the door."),
            "honour": _("Guest of honour."),
        },
    }
