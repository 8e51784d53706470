"""What both sides of the limited process agree on."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import IO, Any, Final

# Plain JSON values by name.
Facts = Mapping[str, Any]
Job = Callable[[Facts, IO[bytes], IO[bytes]], Facts]

CPU_SECONDS: Final = 40
MEMORY_BYTES: Final = 1024**3
# What a job may write into its output: a file of 100 MB that was rewritten may have grown a little.
OUTPUT_BYTES: Final = 160 * 1024**2
LENGTH: Final = struct.Struct(">I")


def pack(facts: Facts) -> bytes:
    """Return a frame: the length of the JSON text in four octets, and the text."""
    text = json.dumps(dict(facts)).encode()
    return LENGTH.pack(len(text)) + text


def unpack(frame: bytes) -> dict[str, Any]:
    """Return what was packed. Raises ValueError for anything else."""
    if len(frame) < LENGTH.size or len(frame) != LENGTH.size + LENGTH.unpack_from(frame)[0]:
        raise ValueError("no frame")
    facts = json.loads(frame[LENGTH.size :])
    if not isinstance(facts, dict):
        raise ValueError("no frame")
    return facts
