"""Files by content: written once under their SHA-256, flushed and renamed, never changed."""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import sys
from pathlib import Path
from typing import IO, Final

from flask_babel import lazy_gettext as _l

from app.core.errors import NotFound, TooLarge
from app.core.failpoints import reach

_GONE = _l("The file is not there any more, or it is damaged.")
_PIECE: Final = 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Joined(io.RawIOBase):
    """An open file and what follows it, read as one from the beginning to the end."""

    def __init__(self, base: IO[bytes], tail: bytes) -> None:
        super().__init__()
        self._base, self._tail = base, io.BytesIO(tail)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._base.read(size) or self._tail.read(size)

    def close(self) -> None:
        self._base.close()
        super().close()


class Storage:
    """A folder of immutable files. Names of people's files are never used as paths."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """Store `content` durably and return its SHA-256 in lower-case hex; storing twice is the same as once."""
        digest_hex = hashlib.sha256(content).hexdigest()
        path = self._path(digest_hex)
        if path.exists():
            return digest_hex
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{secrets.token_hex(8)}")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        self._flush_folder(path.parent)
        return digest_hex

    def put_stream(self, stream: IO[bytes] | Joined, *, largest: int) -> str:
        """Store what `stream` holds, without ever holding it all, and return its SHA-256. Raises TooLarge."""
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{secrets.token_hex(8)}"
        digest, size = hashlib.sha256(), 0
        try:
            with temporary.open("wb") as file:
                while piece := stream.read(_PIECE):
                    size += len(piece)
                    if size > largest:
                        raise TooLarge(_l("What you sent is too large. Nothing was changed."))
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            reach("storage.written_before_name")
            path = self._path(digest.hexdigest())
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(path)
            self._flush_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest()

    def path_of(self, digest_hex: str) -> Path:
        """Return where the content lies, for a reader of streams. It may be gone."""
        return self._path(digest_hex)

    def open(self, digest_hex: str) -> IO[bytes]:
        """Return the content as an open file, checked against its name. Raises NotFound. The caller closes it."""
        try:
            file = self._path(digest_hex).open("rb")
        except FileNotFoundError as error:
            raise NotFound(_GONE) from error
        digest = hashlib.sha256()
        while piece := file.read(_PIECE):
            digest.update(piece)
        if digest.hexdigest() != digest_hex:
            file.close()
            raise NotFound(_GONE)
        file.seek(0)
        return file

    def put_after(self, base_hex: str, tail: bytes) -> str:
        """Store what `base_hex` names followed by `tail`, and return its SHA-256. Raises NotFound."""
        with self.open(base_hex) as base:
            return self.put_stream(Joined(base, tail), largest=sys.maxsize)

    def get(self, digest_hex: str) -> bytes:
        """Return the content, checked against its name. Raises NotFound."""
        try:
            content = self._path(digest_hex).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(_GONE) from error
        if hashlib.sha256(content).hexdigest() != digest_hex:
            raise NotFound(_GONE)
        return content

    def remove(self, digest_hex: str) -> None:
        """Delete the content for good; removing it twice is the same as once. The caller knows that nobody needs it."""
        self._path(digest_hex).unlink(missing_ok=True)

    def _path(self, digest_hex: str) -> Path:
        if not _DIGEST.fullmatch(digest_hex):
            raise NotFound(_GONE)
        return self._folder / digest_hex[:2] / digest_hex[2:4] / digest_hex

    @staticmethod
    def _flush_folder(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
