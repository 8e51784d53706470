"""What a look from outside found, in the reader's language; the command line and the log keep the English words."""

from __future__ import annotations

import re
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence

_SENTENCES: Final[dict[str, Sentence]] = {
    "ok": _l("answers"),
    "good": _l("good"),
    "revoked": _l("revoked"),
    "good, stale": _l("good, but the answer is too old"),
    "revoked, stale": _l("revoked, but the answer is too old"),
    "as in the register": _l("as in the register"),
    "another certificate than the register's": _l("another certificate than the register's"),
    "signature does not hold": _l("the signature does not hold"),
    "another nonce than was sent": _l("answers to another question than was asked"),
    "a certificate in the register is unknown": _l("does not know a certificate of the register"),
    "signed with another certificate than the register's": _l("signed with another certificate than the register's"),
    "the clock is off by more than two seconds": _l("the clock is off by more than two seconds"),
    "granted, the clock agrees": _l("answers, and the clock is right"),
    "no usable certificate": _l("no certificate that can be used"),
}
# With numbers or technical words in them.
_FORMS: Final[tuple[tuple[re.Pattern[str], Sentence], ...]] = (
    (re.compile(r"no\. (?P<number>\d+)"), _l("number %(number)s")),
    (re.compile(r"no\. (?P<number>\d+), stale"), _l("number %(number)s, too old")),
    (
        re.compile(r"no\. (?P<number>\d+), the register has no\. (?P<least>\d+)"),
        _l("number %(number)s, but the register has number %(least)s"),
    ),
    (re.compile(r"(?P<days>-?\d+) days left"), _l("%(days)s days left")),
    (re.compile(r"HTTP (?P<code>\d+)"), _l("answers with error %(code)s")),
    (re.compile(r"no answer: (?P<what>\w+)"), _l("does not answer (%(what)s)")),
    (re.compile(r"cannot be accepted: (?P<what>\w+)"), _l("cannot be accepted (%(what)s)")),
)


def in_words(detail: str) -> str:
    """Return `detail` of a finding in the reader's language."""
    if detail in _SENTENCES:
        return str(_SENTENCES[detail])
    for form, sentence in _FORMS:
        found = form.fullmatch(detail)
        if found:
            return f"{sentence}" % found.groupdict()
    return str(_("answers with “%(words)s”", words=detail))
