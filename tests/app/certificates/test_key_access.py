"""Where keys are looked for: in one place, as it is now."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.certificates import key_access
from app.core.settings import Settings, load
from pki.authority import spki
from pki.errors import KeyUnavailable
from pki.keys import Curve
from tests.factories import tokens

NAME = "worker/issuing_tests"


@pytest.fixture
def files(tmp_path: Path) -> Settings:
    return load({"KYVAO_DATA": str(tmp_path)})


def test_a_key_that_was_taken_away_is_gone_though_it_was_used(files: Settings):
    key_access.make(files, NAME, Curve.P256)
    key_access.load(files, NAME)
    (files.data_dir / "keys" / f"{NAME}.pem").unlink()
    with pytest.raises(KeyUnavailable):
        key_access.load(files, NAME)


def test_a_key_that_was_replaced_is_the_new_one(files: Settings):
    path = files.data_dir / "keys" / f"{NAME}.pem"
    key_access.make(files, NAME, Curve.P256)
    before = key_access.load(files, NAME)
    path.rename(path.with_suffix(".old"))
    after = key_access.make(files, NAME, Curve.P256)
    loaded = key_access.load(files, NAME)
    assert spki(loaded.public_key) == spki(after.public_key) != spki(before.public_key)


def test_a_key_that_is_used_again_is_not_decrypted_again(files: Settings):
    key_access.make(files, NAME, Curve.P256)
    assert key_access.load(files, NAME) is key_access.load(files, NAME)


def test_another_passphrase_does_not_open_a_key_that_is_in_use(files: Settings):
    key_access.make(files, NAME, Curve.P256)
    key_access.load(files, NAME)
    other = load({"KYVAO_DATA": str(files.data_dir), "KYVAO_KEY_PASSPHRASE": "another one that is long enough"})
    with pytest.raises(KeyUnavailable):
        key_access.load(other, NAME)


def test_a_key_in_both_places_is_refused(files: Settings):
    key_access.make(files, "worker/twofold", Curve.P256)
    token = load({"KYVAO_DATA": str(files.data_dir), **tokens.environ()})
    with pytest.raises(KeyUnavailable, match="in a file too"):
        key_access.load(token, "worker/twofold")


def test_only_the_keys_that_the_settings_name_live_in_the_token(files: Settings):
    token = load({"KYVAO_DATA": str(files.data_dir), **tokens.environ(), "KYVAO_TOKEN_KEYS": "worker/in_token_*"})
    key_access.make(token, "worker/in_token_only", Curve.P256)
    key_access.make(token, "worker/in_file", Curve.P256)
    assert [path.name for path in (files.data_dir / "keys" / "worker").iterdir()] == ["in_file.pem"]
    assert key_access.exists(token, "worker/in_token_only")
    assert not key_access.exists(files, "worker/in_token_only")
