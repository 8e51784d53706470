"""Leaving the network: from now on this process and its children have none, not even loopback."""

from __future__ import annotations

import ctypes
from typing import Final

_CLONE_NEWNET: Final = 0x40000000
_CLONE_NEWUSER: Final = 0x10000000


def leave_network() -> bool:
    """Go where there is no network; say whether the system let us."""
    libc = ctypes.CDLL(None, use_errno=True)
    flags = (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET)
    return any(libc.unshare(one) == 0 for one in flags)
