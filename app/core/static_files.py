"""Files of the front end, compressed when it was built, and kept for a year by browsers where the name is a hash."""

from __future__ import annotations

from datetime import timedelta
from mimetypes import guess_type
from pathlib import Path
from typing import Final

from flask import Flask, Response, request, send_from_directory

# Vite puts a hash of the content into every name below this folder.
HASHED: Final = "dist/assets/"
YEAR: Final = timedelta(days=365)


def init_static_files(app: Flask) -> None:
    """Let the endpoint `static` of `app` answer with the compressed neighbour of a file where the browser takes it."""
    folder = Path(app.static_folder or "static")

    def static(filename: str) -> Response:
        return send(folder, filename)

    app.view_functions["static"] = static


def send(folder: Path, filename: str) -> Response:
    """Return `filename` of `folder`. Raises werkzeug's NotFound if there is none, or if it lies outside."""
    hashed = filename.startswith(HASHED)
    max_age = int(YEAR.total_seconds()) if hashed else None
    if hashed and request.accept_encodings.quality("gzip") > 0 and (folder / f"{filename}.gz").is_file():
        kind = guess_type(filename)[0] or "application/octet-stream"
        response = send_from_directory(folder, f"{filename}.gz", mimetype=kind, max_age=max_age)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = send_from_directory(folder, filename, max_age=max_age)
    if hashed:
        response.cache_control.immutable = True
        response.vary.add("Accept-Encoding")
    return response
