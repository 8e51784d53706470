"""Where the keys of the house lie: one folder for each process that may use them.

`web` never calls this. `worker` holds issuing, seal, pass and list keys; `status` the OCSP and timestamp keys.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from app.core.settings import Settings
from pki.errors import KeyUnavailable
from pki.keys import Curve, SigningKey, files


class Keyholder(StrEnum):
    WORKER = "worker"
    STATUS = "status"


def reference(holder: Keyholder, name: str) -> str:
    """Return what stands in the database for a key: `worker/issuing_citizens`."""
    return f"{holder}/{name}"


def load(settings: Settings, key_reference: str | None) -> SigningKey:
    """Return the key. Raises KeyUnavailable."""
    if key_reference is None:
        raise KeyUnavailable("the key is not held here")
    return files.load(_path(settings, key_reference), passphrase=settings.key_passphrase.encode())


def make(settings: Settings, key_reference: str, curve: Curve) -> SigningKey:
    """Make a key, or return the one that an interrupted attempt left behind. Raises KeyUnavailable."""
    path = _path(settings, key_reference)
    if path.exists():
        return load(settings, key_reference)
    return files.generate(path, curve=curve, passphrase=settings.key_passphrase.encode())


def _path(settings: Settings, key_reference: str) -> Path:
    holder, _, name = key_reference.partition("/")
    if not name.replace("_", "").replace("-", "").replace(".", "").isalnum():
        raise KeyUnavailable("not the name of a key")
    return settings.data_dir / "keys" / Keyholder(holder) / f"{name}.pem"
