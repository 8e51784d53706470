"""Landlock of the Linux kernel: from now on this process opens files below a few folders only, and none for writing.

Called by hand, because no library of ours does: three system calls (kernel documentation, userspace-api/landlock).
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path
from typing import Final

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG: Final = 1
_PATH_BENEATH: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
# How many rights on files each version of the interface knows.
_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_RIGHTS: Final = 16
_TCP: Final = 0b11
_HOUSE: Final = Path(__file__).parent.parent
# Programs and libraries of the system, of Python and of the house.
_READABLE: Final = (
    "/usr", "/lib", "/lib64", "/bin", "/etc/fonts", "/etc/ld.so.cache", "/dev/null", "/dev/urandom", "/dev/zero",
    sys.prefix, sys.base_prefix, str(_HOUSE), str(_HOUSE.parent / "pki"),
)  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)


def restrict() -> bool:
    """Restrict this process and all that it starts; say whether the kernel can."""
    version = _libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    if version < 1:
        return False
    attributes = struct.pack("=Q", (1 << _RIGHTS.get(version, _NEWEST_RIGHTS)) - 1)
    if version >= 4:
        attributes += struct.pack("=Q", _TCP)
    ruleset = _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    for path in _READABLE:
        _allow(ruleset, path)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    done: int = _libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return done == 0


def _allow(ruleset: int, path: str) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rights = _EXECUTE | _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0)
    rule = struct.pack("=Qi", rights, handle)
    _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    os.close(handle)
