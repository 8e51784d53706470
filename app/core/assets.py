"""The built front end: the manifest of Vite turned into tags that carry the nonce of the page.

Nothing is built here. A missing build is said once in the log at the start, and stops the first page that needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Flask
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from markupsafe import Markup

from app.core.logs import log
from app.core.security import csp_nonce
from app.core.static_files import init_static_files

DIST_URL: Final = "/static/dist/"
MANIFEST: Final = Path(".vite") / "manifest.json"
STYLE: Final = "src/styles/site.scss"


class BuildMissing(RuntimeError):
    """The front end is not built, or has no entry of that name."""


@dataclass(frozen=True)
class Chunk:
    """One built file, with what the browser needs before it; paths are relative to the build's folder."""

    file: str
    css: tuple[str, ...]
    # Keys of the manifest that this file imports at once.
    imports: tuple[str, ...]


class Assets:
    """The manifest of a build, read once."""

    def __init__(self, chunks: Mapping[str, Chunk]) -> None:
        self._chunks = chunks

    @classmethod
    def read(cls, dist: Path) -> Assets:
        """Return the assets built in `dist`. Raises BuildMissing if there is no readable manifest."""
        try:
            entries = json.loads((dist / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BuildMissing("The front end is not built. Run “npm ci && npm run build” in app/frontend.") from error
        return cls(
            {
                key: Chunk(entry["file"], tuple(entry.get("css", ())), tuple(entry.get("imports", ())))
                for key, entry in entries.items()
            }
        )

    def chunk(self, key: str) -> Chunk:
        if key not in self._chunks:
            raise BuildMissing(f"The front end has no “{key}”. Run “npm run build” in app/frontend again.")
        return self._chunks[key]

    def preloads(self, key: str) -> Iterator[Chunk]:
        """Yield what `key` imports, near and far, each once."""
        seen = {key}
        waiting = list(self.chunk(key).imports)
        while waiting:
            name = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            chunk = self.chunk(name)
            yield chunk
            waiting.extend(chunk.imports)

    def script_tags(self, name: str, nonce: str) -> Markup:
        """Return the tags for `src/entries/<name>.ts`: its styles, its preloads, itself."""
        key = f"src/entries/{name}.ts"
        chunk, preloads = self.chunk(key), tuple(self.preloads(key))
        styles = dict.fromkeys(css for part in (*preloads, chunk) for css in part.css)
        lines = [_style_tag(css) for css in styles]
        lines += [
            Markup('<link rel="modulepreload" href="{}{}" nonce="{}">').format(DIST_URL, part.file, nonce)
            for part in preloads
        ]
        lines.append(
            Markup('<script type="module" src="{}{}" nonce="{}"></script>').format(DIST_URL, chunk.file, nonce)
        )
        return Markup("\n").join(lines)

    def style_tags(self) -> Markup:
        return _style_tag(self.chunk(STYLE).file)


def _style_tag(path: str) -> Markup:
    return Markup('<link rel="stylesheet" href="{}{}">').format(DIST_URL, path)


class LazyAssets:
    """Reads the build when the first page asks, so that commands and tests without pages need none."""

    def __init__(self, dist: Path) -> None:
        self._dist = dist
        self._read: Assets | None = None

    def get(self) -> Assets:
        if self._read is None:
            self._read = Assets.read(self._dist)
        return self._read


def init_assets(app: Flask) -> None:
    """Give templates `script_entry(name)` and `style_entry()`, and the GOV.UK components under their prefix."""
    dist = Path(app.static_folder or "static") / "dist"
    assets = LazyAssets(dist)
    if not (dist / MANIFEST).exists():
        log.warning("front_end_not_built", remedy="npm ci && npm run build in app/frontend")

    def script_entry(name: str) -> Markup:
        return assets.get().script_tags(name, csp_nonce())

    def style_entry() -> Markup:
        return assets.get().style_tags()

    init_static_files(app)
    # For the one script whose address may not change (app/claims/views.py).
    app.extensions["kyvao_assets"] = assets
    app.jinja_env.globals.update(script_entry=script_entry, style_entry=style_entry)
    components = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    own = app.jinja_loader
    app.jinja_env.loader = ChoiceLoader([own, components] if own else [components])
