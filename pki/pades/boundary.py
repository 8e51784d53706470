"""The one place where what foreign PDF code throws becomes a typed refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pki.errors import PdfRefused, PkiError
from pki.pades.faults import PdfFault


@contextmanager
def refusing(fault: PdfFault) -> Iterator[None]:
    """Turn anything thrown inside, but for our own errors, into PdfRefused(fault).

    A parser fed with hostile bytes throws RecursionError, AssertionError, KeyError, OSError, struct.error and more
    (measured on public corpora); naming them one by one let some through.
    """
    try:
        yield
    except PkiError:
        raise
    except Exception as error:
        raise PdfRefused(fault) from error
