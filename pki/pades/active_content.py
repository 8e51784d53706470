"""Content of a PDF that acts by itself: scripts, programs, forms that send themselves, films, XFA.

Names are compared after qpdf has read them, so an escaped `/J#61vaScript` and one inside an object stream count too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pikepdf

from pki.errors import PdfRefused
from pki.pades.faults import PdfFault
from pki.pades.intake_notices import Notice

_DEEPEST: Final = 40
# Types of actions (ISO 32000-2, table 201) that run, open, send or fetch something.
_ACTIONS: Final = {
    "/JavaScript": Notice.SCRIPTS_REMOVED,
    "/Launch": Notice.ACTIONS_REMOVED,
    "/SubmitForm": Notice.ACTIONS_REMOVED,
    "/ImportData": Notice.ACTIONS_REMOVED,
    "/GoToE": Notice.ACTIONS_REMOVED,
    "/Rendition": Notice.MEDIA_REMOVED,
    "/RichMediaExecute": Notice.MEDIA_REMOVED,
}
_PLAYERS: Final = frozenset({"/RichMedia", "/Screen", "/Movie", "/Sound", "/3D"})
_KEYS: Final = {
    "/JS": Notice.SCRIPTS_REMOVED,
    # The name tree of scripts that run when the file is opened.
    "/JavaScript": Notice.SCRIPTS_REMOVED,
    "/XFA": Notice.XFA_REMOVED,
}
# They start something without a click; without what they start they are of no use.
_TRIGGERS: Final = ("/AA", "/OpenAction")


def dictionaries(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Yield every dictionary and stream of the file, reachable or not, and those written inside others.

    Raises PdfRefused(TOO_COMPLEX) where they lie more than 40 deep in each other.
    """
    for one in pdf.objects:
        yield from _inside(one, 0)


def find(pdf: pikepdf.Pdf) -> frozenset[Notice]:
    """Return what acts by itself in the file, as the notices that taking it away would earn."""
    return frozenset(notice for one in dictionaries(pdf) for notice in _kinds(one))


def remove(pdf: pikepdf.Pdf) -> None:
    """Take everything away that acts by itself, wherever it is referred to; also what opens a page by itself."""
    for one in dictionaries(pdf):
        for key, value in list(one.items()):
            if key in _TRIGGERS or key in _KEYS or _acting(value) is not None:
                del one[key]
            elif isinstance(value, pikepdf.Array) and any(_acting(item) is not None for item in value.as_list()):
                one[key] = pikepdf.Array([item for item in value.as_list() if _acting(item) is None])


def _inside(value: object, depth: int) -> Iterator[pikepdf.Object]:
    if depth > _DEEPEST:
        raise PdfRefused(PdfFault.TOO_COMPLEX)
    children: Iterable[pikepdf.Object]
    if isinstance(value, pikepdf.Array):
        children = value.as_list()
    elif isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
        yield value
        children = [value[key] for key in list(value.keys()) if key != "/Length"]
    else:
        return
    for child in children:
        # What is referred to is an object of its own and met by itself.
        if isinstance(child, pikepdf.Object) and not child.is_indirect:
            yield from _inside(child, depth + 1)


def _kinds(one: pikepdf.Object) -> Iterator[Notice]:
    yield from (notice for key, notice in _KEYS.items() if key in one)
    acting = _acting(one)
    if acting is not None:
        yield acting


def _acting(value: object) -> Notice | None:
    """Return the notice for an action that runs something or an annotation that plays something, else None."""
    if not isinstance(value, pikepdf.Dictionary):
        return None
    if str(value.get("/Subtype", "")) in _PLAYERS and "/Rect" in value:
        return Notice.MEDIA_REMOVED
    return _ACTIONS.get(str(value.get("/S", "")))
