"""Where the keys of the house lie: in a token, or in one folder for each process that may use them.

`web` never calls this. `worker` holds issuing, seal, pass and list keys; `status` the OCSP and timestamp keys.
"""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path

from app.core.settings import Settings, TokenSettings
from pki.errors import KeyUnavailable
from pki.keys import Curve, SigningKey, files
from pki.keys.pkcs11 import Token


class Keyholder(StrEnum):
    WORKER = "worker"
    STATUS = "status"


def reference(holder: Keyholder, name: str) -> str:
    """Return what stands in the database for a key: `worker/issuing_citizens`."""
    return f"{holder}/{name}"


def load(settings: Settings, key_reference: str | None) -> SigningKey:
    """Return the key from where the settings say that it lives. Raises KeyUnavailable."""
    if key_reference is None:
        raise KeyUnavailable("the key is not held here")
    path = _path(settings, key_reference)
    if not _is_in_token(settings, key_reference):
        return _from_file(path, settings.key_passphrase)
    if path.exists():
        # Which of the two signs must not depend on who looks first.
        raise KeyUnavailable(f"{path.name} lies in a file too; take the file away, or KYVAO_TOKEN_KEYS says wrong")
    return _token(settings).key(key_reference)


def exists(settings: Settings, key_reference: str) -> bool:
    """Say whether there is a key of that name, in a file or in the token. Raises KeyUnavailable."""
    in_token = _is_in_token(settings, key_reference) and _token(settings).has(key_reference)
    return in_token or _path(settings, key_reference).exists()


def make(settings: Settings, key_reference: str, curve: Curve) -> SigningKey:
    """Make a key, or return the one that an interrupted attempt left behind. Raises KeyUnavailable."""
    path = _path(settings, key_reference)
    if _is_in_token(settings, key_reference):
        token = _token(settings)
        return token.key(key_reference) if token.has(key_reference) else token.generate(key_reference, curve)
    if path.exists():
        return load(settings, key_reference)
    return files.generate(path, curve=curve, passphrase=settings.key_passphrase.encode())


def destroy(settings: Settings, key_reference: str) -> bool:
    """Take away the file of a key that is used no more; False if there is none. Keys in a token are left to its own
    tools: an operator destroys them there.
    """
    path = _path(settings, key_reference)
    if not path.exists():
        return False
    path.unlink()
    return True


def _from_file(path: Path, passphrase: str) -> SigningKey:
    try:
        found = path.stat()
    except OSError as error:
        raise KeyUnavailable(f"{path.name} cannot be read, or the passphrase does not fit") from error
    return _decrypted(path, passphrase, (found.st_ino, found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=64)
def _decrypted(path: Path, passphrase: str, version: tuple[int, int, int]) -> SigningKey:
    """Opening a file (0.4 ms) once for each version of it; `_from_file` looks whether it is still there."""
    return files.load(path, passphrase=passphrase.encode())


def _is_in_token(settings: Settings, key_reference: str) -> bool:
    patterns = settings.token.keys if settings.token else ()
    return any(fnmatchcase(key_reference, pattern) for pattern in patterns)


def _token(settings: Settings) -> Token:
    if settings.token is None:
        raise KeyUnavailable("there is no token")
    return _opened(settings.token)


@cache
def _opened(token: TokenSettings) -> Token:
    """One Token for the process: it logs in once, and counts who uses it."""
    try:
        pin = token.pin_file.read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError) as error:
        raise KeyUnavailable("the PIN of the token cannot be read") from error
    return Token(token.module, token.label, pin, token.sessions)


def _path(settings: Settings, key_reference: str) -> Path:
    holder, _, name = key_reference.partition("/")
    if not name.replace("_", "").replace("-", "").replace(".", "").isalnum():
        raise KeyUnavailable("not the name of a key")
    return settings.data_dir / "keys" / Keyholder(holder) / f"{name}.pem"
