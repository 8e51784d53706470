"""What was done to a file when it was brought, or what to look at before one signs, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flask_babel import lazy_gettext as _l

from app.core.errors import Sentence
from app.documents import conversion
from pki.pades.intake_notices import Notice

_WORDS: Final[Mapping[str, Sentence]] = {
    conversion.CONVERTED: _l("The document was turned into a PDF. Look at every page before you sign."),
    conversion.FONTS_REPLACED: _l("A font of the document is not here; another one stands in for it."),
    conversion.LINKS_LEFT_OUT: _l("Pictures that lie elsewhere on the network were left out."),
    Notice.SCRIPTS_REMOVED: _l("Programs inside the file were taken out."),
    Notice.ACTIONS_REMOVED: _l("Buttons that start programs, open files or send the form were taken out."),
    Notice.MEDIA_REMOVED: _l("Films and sounds were taken out."),
    Notice.XFA_REMOVED: _l("The part of the form that only one program shows (XFA) was taken out."),
    Notice.FORM_FLATTENED: _l("The fields of the form became part of the page, with what was filled in."),
    Notice.FORM_KEPT: _l("The fields of the form stayed, because the pages would not have looked the same."),
    Notice.DECRYPTED: _l("The protection that needed no password was taken off."),
    Notice.REPAIRED: _l("The file was damaged and was repaired. Compare it with the original."),
    Notice.READ_LENIENTLY: _l("The file bends the rules of PDF; other programs may judge its signatures otherwise."),
    Notice.LAYERS_OFF: _l("The file has layers that are switched off: somebody could switch them on later."),
    Notice.ANNOTATIONS_COVER: _l("A note lies over text and may hide it."),
    Notice.FILES_ATTACHED: _l("Other files are attached inside; the pages do not show them."),
}
# What may change what a reader sees.
_TO_LOOK_AT: Final = frozenset(
    {
        conversion.CONVERTED,
        conversion.FONTS_REPLACED,
        conversion.LINKS_LEFT_OUT,
        Notice.REPAIRED,
        Notice.READ_LENIENTLY,
        Notice.LAYERS_OFF,
        Notice.ANNOTATIONS_COVER,
        Notice.FILES_ATTACHED,
    }
)


@dataclass(frozen=True)
class Remark:
    sentence: Sentence
    # Somebody should look before they sign.
    is_warning: bool


def in_words(codes: Iterable[str]) -> list[Remark]:
    """Return the notices of a version, what is to be looked at first; codes of a later program are passed over."""
    known = [Remark(_WORDS[code], code in _TO_LOOK_AT) for code in codes if code in _WORDS]
    return sorted(known, key=lambda one: not one.is_warning)
