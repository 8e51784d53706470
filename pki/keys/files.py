"""Private keys in files: PKCS#8, encrypted, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pki.errors import KeyUnavailable
from pki.keys.signing import Curve, SoftwareKey


def generate(path: Path, *, curve: Curve, passphrase: bytes) -> SoftwareKey:
    """Make a key, write it to `path` (mode 0600, flushed, put in place whole) and return it.

    Raises KeyUnavailable if `path` exists (a key is never written over) or the passphrase is empty.
    """
    if not passphrase:
        raise KeyUnavailable("a key is not written without a passphrase")
    key = SoftwareKey.generate(curve)
    pem = key.private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        # Not a rename: that would take the place of a key that another process has just made.
        path.hardlink_to(temporary)
    except FileExistsError as error:
        raise KeyUnavailable(f"{path.name} exists already") from error
    finally:
        temporary.unlink()
    _flush_folder(path.parent)
    return key


def load(path: Path, *, passphrase: bytes | None) -> SoftwareKey:
    """Return the key in `path`; `passphrase` None for one that is not encrypted.

    Raises KeyUnavailable if the file is missing, the passphrase is wrong, or the key is of a kind we do not use.
    """
    try:
        private_key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The name only: neither the folder nor the passphrase is anybody's business.
        raise KeyUnavailable(f"{path.name} cannot be read, or the passphrase does not fit") from error
    if not isinstance(private_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyUnavailable(f"{path.name} holds a key of a kind that is not used here")
    return SoftwareKey(private_key)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
