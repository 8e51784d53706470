"""What an operator may set, and what production refuses."""

from __future__ import annotations

import pytest

from app.core.settings import SettingsError, load

PRODUCTION = {
    "KYVAO_ENV": "production",
    "KYVAO_SECRET_KEY": "k" * 32,
    "KYVAO_KEY_PASSPHRASE": "p" * 20,
    "KYVAO_NUMBER_KEY": "n" * 32,
    "KYVAO_SOFTWARE_KEYS": "allow",
    "KYVAO_WEB_URL": "https://kyvao.songbiec.example",
    "KYVAO_STATUS_URL": "http://pki.songbiec.example",
}


def test_production_starts_when_everything_is_set() -> None:
    settings = load(PRODUCTION)
    assert settings.is_production
    assert settings.secure_cookies


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"KYVAO_DEMO": "1"}, "demonstration"),
        ({"KYVAO_DEBUG": "1"}, "Debugging"),
        ({"KYVAO_SECRET_KEY": ""}, "KYVAO_SECRET_KEY"),
        ({"KYVAO_SECRET_KEY": "k" * 31}, "KYVAO_SECRET_KEY"),
        ({"KYVAO_KEY_PASSPHRASE": ""}, "KYVAO_KEY_PASSPHRASE"),
        ({"KYVAO_KEY_PASSPHRASE": "p" * 19}, "KYVAO_KEY_PASSPHRASE"),
        ({"KYVAO_NUMBER_KEY": ""}, "KYVAO_NUMBER_KEY"),
        ({"KYVAO_NUMBER_KEY": "n" * 31}, "KYVAO_NUMBER_KEY"),
        ({"KYVAO_SOFTWARE_KEYS": ""}, "KYVAO_SOFTWARE_KEYS"),
        ({"KYVAO_FAILPOINT": "issue.signed:kill"}, "Failpoints"),
    ],
)
def test_production_refuses_to_start_when_one_setting_is_unsafe(changed: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(PRODUCTION | changed)
    assert len(refused.value.problems) == 1
    assert word in refused.value.problems[0]


def test_production_refuses_to_start_when_its_addresses_are_missing() -> None:
    with pytest.raises(SettingsError, match="KYVAO_WEB_URL"):
        load({name: value for name, value in PRODUCTION.items() if name != "KYVAO_WEB_URL"})


def test_an_unknown_environment_is_refused_and_treated_as_production() -> None:
    with pytest.raises(SettingsError) as refused:
        load({"KYVAO_ENV": "prod", "KYVAO_DEMO": "1"})
    assert "“prod”" in refused.value.problems[0]
    assert any("demonstration" in problem for problem in refused.value.problems)


@pytest.mark.parametrize(
    "environ",
    [
        {"KYVAO_DEMO": "yes"},
        {"KYVAO_WEB_PORT": "0"},
        {"KYVAO_WEB_PORT": "65536"},
        {"KYVAO_STATUS_PORT": "http"},
        {"KYVAO_WEB_URL": "kyvao.example"},
        {"KYVAO_STATUS_URL": "ftp://kyvao.example"},
        {"KYVAO_APPROVERS": "bulk_revocation"},
        {"KYVAO_APPROVERS": "bulk_revocation=0"},
        {"KYVAO_RATES": "clerk=20"},
    ],
)
def test_a_setting_that_cannot_be_read_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(environ))):
        load(environ)


def test_more_approvers_and_other_rates_are_read() -> None:
    settings = load({"KYVAO_APPROVERS": "bulk_revocation=2, release=3", "KYVAO_RATES": "officer=5"})
    assert settings.approvers == {"bulk_revocation": 2, "release": 3}
    assert settings.rates == {"officer": 5}


def test_secrets_do_not_appear_when_settings_are_printed() -> None:
    printed = repr(load(PRODUCTION | {"KYVAO_SMTP_URL": "smtp://clerk:hunter2@mail.example"}))
    assert "k" * 32 not in printed
    assert "p" * 20 not in printed
    assert "hunter2" not in printed
