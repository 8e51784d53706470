"""What both sides of the limited process agree on. Imports nothing heavy: the child starts for every file."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

# Plain JSON values by name.
Facts = Mapping[str, Any]
Job = Callable[[Facts, bytes], tuple[Facts, bytes]]

CPU_SECONDS: Final = 10
MEMORY_BYTES: Final = 1024**3
_LENGTH: Final = struct.Struct(">I")


def pack(facts: Facts, content: bytes) -> bytes:
    """Return a frame: the length of the JSON text in four octets, the text, the file."""
    text = json.dumps(dict(facts)).encode()
    return _LENGTH.pack(len(text)) + text + content


def unpack(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what was packed. Raises ValueError for anything else."""
    if len(frame) < _LENGTH.size:
        raise ValueError("no frame")
    end = _LENGTH.size + _LENGTH.unpack_from(frame)[0]
    facts = json.loads(frame[_LENGTH.size : end])
    if not isinstance(facts, dict) or len(frame) < end:
        raise ValueError("no frame")
    return facts, frame[end:]
