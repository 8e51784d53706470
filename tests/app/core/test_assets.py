"""The front end as pages get it: tags with the page's nonce, compressed files, a clear word when nothing is built."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound

from app.core.assets import MANIFEST, Assets, BuildMissing
from app.core.static_files import send

NEAR = {"file": "assets/near-1.js", "imports": ["_far.js"], "css": ["assets/near-1.css"]}
FAR = {"file": "assets/far-1.js", "imports": ["_near.js"]}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / MANIFEST).parent.mkdir()
    (tmp_path / MANIFEST).write_text(
        json.dumps(
            {
                "src/entries/sign.ts": {"file": "assets/sign-1.js", "imports": ["_near.js"]},
                "_near.js": NEAR,
                "_far.js": FAR,
            }
        )
    )
    return tmp_path


def test_script_tags_name_the_entry_once_and_everything_it_imports_with_the_nonce(dist: Path) -> None:
    tags = Assets.read(dist).script_tags("sign", "n0nce").splitlines()
    assert tags == [
        '<link rel="stylesheet" href="/static/dist/assets/near-1.css">',
        '<link rel="modulepreload" href="/static/dist/assets/near-1.js" nonce="n0nce">',
        '<link rel="modulepreload" href="/static/dist/assets/far-1.js" nonce="n0nce">',
        '<script type="module" src="/static/dist/assets/sign-1.js" nonce="n0nce"></script>',
    ]


def test_reading_the_assets_says_what_to_run_when_nothing_is_built(tmp_path: Path) -> None:
    with pytest.raises(BuildMissing, match="npm run build"):
        Assets.read(tmp_path)


def test_asking_for_an_entry_that_was_not_built_names_it(dist: Path) -> None:
    with pytest.raises(BuildMissing, match=r"src/entries/gate\.ts"):
        Assets.read(dist).script_tags("gate", "n0nce")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "static" / "dist" / "assets"
    built.mkdir(parents=True)
    (built / "a-1.css").write_text("a{}")
    (built / "a-1.css.gz").write_bytes(gzip.compress(b"a{}"))
    (tmp_path / "static" / "mark.svg").write_text("<svg/>")
    (tmp_path / "secret").write_text("no")
    return tmp_path / "static"


def test_a_built_file_is_sent_compressed_and_for_good_when_the_browser_takes_gzip(folder: Path) -> None:
    with Flask("files").test_request_context(headers={"Accept-Encoding": "gzip, br"}):
        response = send(folder, "dist/assets/a-1.css")
    response.direct_passthrough = False
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.mimetype == "text/css"
    assert response.cache_control.immutable
    assert gzip.decompress(response.data) == b"a{}"


@pytest.mark.parametrize("accepted", ["", "gzip;q=0", "br"])
def test_a_built_file_is_sent_plain_when_the_browser_does_not_take_gzip(folder: Path, accepted: str) -> None:
    with Flask("files").test_request_context(headers={"Accept-Encoding": accepted}):
        response = send(folder, "dist/assets/a-1.css")
    response.direct_passthrough = False
    assert "Content-Encoding" not in response.headers
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.data == b"a{}"


def test_a_file_without_a_hash_in_its_name_is_asked_for_again(folder: Path) -> None:
    with Flask("files").test_request_context():
        response = send(folder, "mark.svg")
    assert response.cache_control.max_age is None
    assert not response.cache_control.immutable


def test_a_file_outside_the_folder_is_not_found(folder: Path) -> None:
    with Flask("files").test_request_context(), pytest.raises(NotFound):
        send(folder, "../secret")
