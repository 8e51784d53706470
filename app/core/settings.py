"""What an operator can set, read once from the environment and refused early when it is unsafe.

Every setting is listed in SETTINGS; docs/operations.md must name each one (tests/architecture holds it to that).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

DEVELOPMENT_SECRET: Final = "development-only-secret-not-for-production"  # noqa: S105  refused in production below
DEVELOPMENT_NUMBER_KEY: Final = "development-only-key-of-citizen-numbers"
DEVELOPMENT_PASSPHRASE: Final = "development-only-passphrase"  # noqa: S105  refused in production below


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SettingsError(Exception):
    """One or more settings are missing or unsafe; `problems` holds a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


# Name of the variable -> what it does. The defaults stand in Settings.
SETTINGS: Final[Mapping[str, str]] = {
    "KYVAO_ENV": "`development` (default) or `production`",
    "KYVAO_DATA": "folder for the embedded database, stored files and software keys; default `var`",
    "KYVAO_DATABASE_URL": "a PostgreSQL server of yours; without it an embedded one runs in the data folder",
    "KYVAO_DEMO": "`1` shows the demonstration start page with one-click sign-in; refused in production",
    "KYVAO_DEBUG": "`1` turns on Flask's debugger; refused in production",
    "KYVAO_FAILPOINT": "ends the process at a named point, for tests; refused in production",
    "KYVAO_SECRET_KEY": "at least 32 characters; signs cookies and form tokens",
    "KYVAO_KEY_PASSPHRASE": "at least 20 characters; protects the software keys on disk",
    "KYVAO_NUMBER_KEY": "at least 32 characters; finds people by their citizen number, must never change",
    "KYVAO_SOFTWARE_KEYS": "`allow` lets production run with authority keys in files; otherwise it refuses",
    "KYVAO_APPROVERS": "more people for a kind of act, such as `bulk_revocation=2`; never fewer than the rule",
    "KYVAO_RATES": "approvals of certificates, as `officer=20,agency=500`: per hour an officer, per day an agency",
    "KYVAO_SHARDS": "lists for the certificates of each new authority, such as `issuing_citizens=128`; fixed for good",
    "KYVAO_DELTA_CRLS": "`1` publishes with each list its delta, and names it in the list; default `0`",
    "KYVAO_FULL_CRLS": "`1` publishes for each authority one list of all its shards every hour; default `0`",
    "KYVAO_OCSP_LIFETIME": "minutes that an OCSP answer may be believed, 10 to 10080; default 60",
    "KYVAO_TOKEN_MODULE": "PKCS#11 module of the token that holds keys; without it they lie in files",
    "KYVAO_TOKEN_LABEL": "label of the token; default `kyvao`",
    "KYVAO_TOKEN_PIN_FILE": "file whose first line is the PIN of the token; readable by its owner alone",
    "KYVAO_TOKEN_KEYS": "which keys live in the token: patterns such as `worker/*,status/tsa_*`; default `*`",
    "KYVAO_TOKEN_SESSIONS": "how many threads may use the token at once; default 1",
    "KYVAO_BIND": "address the servers listen on; default `127.0.0.1`",
    "KYVAO_WEB_PORT": "port of `web`; default 8080",
    "KYVAO_STATUS_PORT": "port of `status`; default 8081",
    "KYVAO_WEB_URL": "address people use for `web`; default http://127.0.0.1:<port>",
    "KYVAO_STATUS_URL": "address written into certificates for OCSP, CRL and issuers; default http://127.0.0.1:<port>",
    "KYVAO_STATUS_INTERNAL_URL": "where `web` and `worker` reach the timestamp service; default KYVAO_STATUS_URL",
    "KYVAO_SMTP_URL": "`smtp://[user:password@]host:port` or `smtps://…`; without it mail stays in the outbox",
    "KYVAO_MAIL_FROM": "sender of notices; default `kyvao@localhost`",
    "KYVAO_RENEWAL_GRACE_DAYS": "days that a renewed certificate still signs; default 7, at most 30",
    "KYVAO_MAIL_RATE": "letters a minute at most; default 600",
    "KYVAO_DKIM_KEY": "file with the RSA key that signs letters (DKIM), readable by its owner alone; default none",
    "KYVAO_DKIM_SELECTOR": "selector of that key in the DNS; default `kyvao`",
    "KYVAO_BOUNCE_FROM": "address to which undeliverable letters come back, such as bounce@city.vn; default none",
    "KYVAO_BOUNCE_MAILDIR": "Maildir in which the mail server puts what comes back to it; default none",
    "KYVAO_PASS_KEY_DAYS": "days that an agency's key signs passes before a new one is made; default 7, 1 to 7",
    "KYVAO_CITY": "name of the city, as it stands in certificates and pages",
    "KYVAO_SUPPORT_PHONE": "phone number shown to people who need help",
}

_SHARDED: Final = {"issuing_citizens", "issuing_officials", "issuing_seals", "issuing_services", "tsa_authority"}
_MINIMUM_SECRET: Final = 32
_MINIMUM_PASSPHRASE: Final = 20


@dataclass(frozen=True)
class TokenSettings:
    """Where the token is, and which keys live in it, by patterns of `fnmatch` on their references."""

    module: Path
    label: str
    pin_file: Path
    keys: tuple[str, ...]
    sessions: int


@dataclass(frozen=True)
class Settings:
    """Checked settings; build with `load`."""

    environment: Environment
    data_dir: Path
    database_url: str | None = field(repr=False)
    demonstration: bool
    debug: bool
    secret_key: str = field(repr=False)
    key_passphrase: str = field(repr=False)
    number_key: str = field(repr=False)
    # None where every key lies in a file.
    token: TokenSettings | None
    bind: str
    web_port: int
    status_port: int
    web_url: str
    status_url: str
    status_internal_url: str
    smtp_url: str | None = field(repr=False)
    mail_from: str
    # Letters a minute.
    mail_rate: int
    city: str
    support_phone: str
    # How long a certificate goes on after its holder renewed it, so that signing under way is not cut.
    renewal_grace: timedelta
    # Kind of act -> people besides the requester.
    approvers: Mapping[str, int] = field(default_factory=dict)
    # `officer` and `agency` -> approvals of certificates; an absent one has the default of app.approvals.policy.
    rates: Mapping[str, int] = field(default_factory=dict)
    # Name of an authority's profile -> lists; an absent one has the default of app.certificates.authorities.
    shards: Mapping[str, int] = field(default_factory=dict)
    delta_crls: bool = False
    full_crls: bool = False
    ocsp_lifetime: timedelta = timedelta(hours=1)
    dkim_key: Path | None = None
    dkim_selector: str = "kyvao"
    # Letters leave with a sender of their own below this address, so that a report of their loss finds them.
    bounce_from: str | None = None
    bounce_maildir: Path | None = None
    # How long a key signs passes.
    pass_key_life: timedelta = timedelta(days=7)

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def secure_cookies(self) -> bool:
        return self.web_url.startswith("https://")


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings of `environ`. Raises SettingsError with one sentence for each problem found."""
    problems: list[str] = []
    environment = _environment(environ, problems)
    web_port = _port(environ, "KYVAO_WEB_PORT", 8080, problems)
    status_port = _port(environ, "KYVAO_STATUS_PORT", 8081, problems)
    status_url = _url(environ, "KYVAO_STATUS_URL", f"http://127.0.0.1:{status_port}", problems)
    settings = Settings(
        environment=environment,
        data_dir=Path(environ.get("KYVAO_DATA") or "var").absolute(),
        database_url=environ.get("KYVAO_DATABASE_URL") or None,
        demonstration=_flag(environ, "KYVAO_DEMO", problems),
        debug=_flag(environ, "KYVAO_DEBUG", problems),
        secret_key=environ.get("KYVAO_SECRET_KEY") or DEVELOPMENT_SECRET,
        key_passphrase=environ.get("KYVAO_KEY_PASSPHRASE") or DEVELOPMENT_PASSPHRASE,
        number_key=environ.get("KYVAO_NUMBER_KEY") or DEVELOPMENT_NUMBER_KEY,
        token=_token(environ, problems),
        bind=environ.get("KYVAO_BIND") or "127.0.0.1",
        web_port=web_port,
        status_port=status_port,
        web_url=_url(environ, "KYVAO_WEB_URL", f"http://127.0.0.1:{web_port}", problems),
        status_url=status_url,
        status_internal_url=_url(environ, "KYVAO_STATUS_INTERNAL_URL", status_url, problems),
        smtp_url=environ.get("KYVAO_SMTP_URL") or None,
        mail_from=environ.get("KYVAO_MAIL_FROM") or "kyvao@localhost",
        mail_rate=_rate(environ, "KYVAO_MAIL_RATE", 600, problems),
        city=environ.get("KYVAO_CITY") or "Thành phố Sông Biếc",
        support_phone=environ.get("KYVAO_SUPPORT_PHONE") or "1022",
        renewal_grace=_days(environ, "KYVAO_RENEWAL_GRACE_DAYS", 7, 30, problems),
        approvers=_counts(environ, "KYVAO_APPROVERS", problems),
        rates=_counts(environ, "KYVAO_RATES", problems, names={"officer", "agency"}),
        shards=_counts(environ, "KYVAO_SHARDS", problems, names=_SHARDED),
        delta_crls=_flag(environ, "KYVAO_DELTA_CRLS", problems),
        full_crls=_flag(environ, "KYVAO_FULL_CRLS", problems),
        ocsp_lifetime=timedelta(minutes=_minutes(environ, "KYVAO_OCSP_LIFETIME", 60, problems)),
        pass_key_life=_days(environ, "KYVAO_PASS_KEY_DAYS", 7, 7, problems) or timedelta(days=1),
        dkim_key=_private_file(environ, "KYVAO_DKIM_KEY", problems),
        dkim_selector=environ.get("KYVAO_DKIM_SELECTOR") or "kyvao",
        bounce_from=_address(environ, "KYVAO_BOUNCE_FROM", problems),
        bounce_maildir=Path(environ["KYVAO_BOUNCE_MAILDIR"]) if environ.get("KYVAO_BOUNCE_MAILDIR") else None,
    )
    if settings.is_production:
        problems.extend(_production_problems(settings, environ))
    if problems:
        raise SettingsError(problems)
    return settings


def _production_problems(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    checks = [
        (settings.demonstration, "The demonstration cannot run in production. Remove KYVAO_DEMO."),
        (settings.debug, "Debugging cannot be on in production. Remove KYVAO_DEBUG."),
        ("KYVAO_FAILPOINT" in environ, "Failpoints cannot be armed in production. Remove KYVAO_FAILPOINT."),
        (
            settings.secret_key == DEVELOPMENT_SECRET or len(settings.secret_key) < _MINIMUM_SECRET,
            f"Production needs its own KYVAO_SECRET_KEY of at least {_MINIMUM_SECRET} characters.",
        ),
        (
            settings.key_passphrase == DEVELOPMENT_PASSPHRASE or len(settings.key_passphrase) < _MINIMUM_PASSPHRASE,
            f"Production needs its own KYVAO_KEY_PASSPHRASE of at least {_MINIMUM_PASSPHRASE} characters.",
        ),
        (
            settings.number_key == DEVELOPMENT_NUMBER_KEY or len(settings.number_key) < _MINIMUM_SECRET,
            f"Production needs its own KYVAO_NUMBER_KEY of at least {_MINIMUM_SECRET} characters.",
        ),
        (
            environ.get("KYVAO_SOFTWARE_KEYS") != "allow" and not _all_in_hardware(settings.token),
            "The authority's keys would lie in files. Set KYVAO_SOFTWARE_KEYS=allow if that is meant.",
        ),
        (
            "KYVAO_WEB_URL" not in environ or "KYVAO_STATUS_URL" not in environ,
            "Production needs KYVAO_WEB_URL and KYVAO_STATUS_URL: they stand in mails and in every certificate.",
        ),
    ]
    return [sentence for wrong, sentence in checks if wrong]


def _token(environ: Mapping[str, str], problems: list[str]) -> TokenSettings | None:
    module = environ.get("KYVAO_TOKEN_MODULE")
    if not module:
        return None
    pin_file = environ.get("KYVAO_TOKEN_PIN_FILE") or ""
    if not pin_file or not Path(pin_file).is_file() or Path(pin_file).stat().st_mode & 0o077:
        problems.append("KYVAO_TOKEN_PIN_FILE must name a file that only its owner can read (mode 0600).")
    sessions = environ.get("KYVAO_TOKEN_SESSIONS") or "1"
    if not sessions.isascii() or not sessions.isdigit() or not 1 <= int(sessions) <= 64:
        problems.append(f"KYVAO_TOKEN_SESSIONS is “{sessions}”; it must be a number from 1 to 64.")
        sessions = "1"
    keys = tuple(part.strip() for part in (environ.get("KYVAO_TOKEN_KEYS") or "*").split(",") if part.strip())
    return TokenSettings(Path(module), environ.get("KYVAO_TOKEN_LABEL") or "kyvao", Path(pin_file), keys, int(sessions))


def _all_in_hardware(token: TokenSettings | None) -> bool:
    # SoftHSM is a file with another name.
    return token is not None and token.keys == ("*",) and "softhsm" not in str(token.module).lower()


def _environment(environ: Mapping[str, str], problems: list[str]) -> Environment:
    value = environ.get("KYVAO_ENV") or Environment.DEVELOPMENT
    try:
        return Environment(value)
    except ValueError:
        problems.append(f"KYVAO_ENV is “{value}”; it must be “development” or “production”.")
        # An unknown word must never be weaker than the strict one.
        return Environment.PRODUCTION


def _flag(environ: Mapping[str, str], name: str, problems: list[str]) -> bool:
    value = environ.get(name) or "0"
    if value not in {"0", "1"}:
        problems.append(f"{name} is “{value}”; it must be 0 or 1.")
    return value == "1"


def _counts(
    environ: Mapping[str, str], name: str, problems: list[str], *, names: set[str] | None = None
) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in filter(None, (environ.get(name) or "").split(",")):
        word, _, count = part.strip().partition("=")
        known = re.fullmatch(r"[a-z_]{1,50}", word) and (names is None or word in names)
        if not known or not re.fullmatch(r"[1-9][0-9]{0,5}", count):
            problems.append(f"{name} has “{part.strip()}”; it must be words with whole numbers, such as a=2,b=3.")
            continue
        found[word] = int(count)
    return found


def _days(environ: Mapping[str, str], name: str, default: int, most: int, problems: list[str]) -> timedelta:
    value = environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or int(value) > most:
        problems.append(f"{name} is “{value}”; it must be a number of days from 0 to {most}.")
        return timedelta(days=default)
    return timedelta(days=int(value))


def _port(environ: Mapping[str, str], name: str, default: int, problems: list[str]) -> int:
    value = environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65536:
        problems.append(f"{name} is “{value}”; it must be a port number from 1 to 65535.")
        return default
    return int(value)


def _minutes(environ: Mapping[str, str], name: str, default: int, problems: list[str]) -> int:
    value = environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not 10 <= int(value) <= 7 * 24 * 60:
        problems.append(f"{name} is “{value}”; it must be a number of minutes from 10 to 10080.")
        return default
    return int(value)


def _rate(environ: Mapping[str, str], name: str, default: int, problems: list[str]) -> int:
    value = environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not 0 < int(value) <= 1_000_000:
        problems.append(f"{name} is “{value}”; it must be a number from 1 to 1,000,000.")
        return default
    return int(value)


def _private_file(environ: Mapping[str, str], name: str, problems: list[str]) -> Path | None:
    value = environ.get(name)
    if not value:
        return None
    if not Path(value).is_file() or Path(value).stat().st_mode & 0o077:
        problems.append(f"{name} must name a file that only its owner can read (mode 0600).")
    return Path(value)


def _address(environ: Mapping[str, str], name: str, problems: list[str]) -> str | None:
    value = environ.get(name)
    # What is put between the name and the host takes 40 of the 64 letters that a name may have.
    if value and not re.fullmatch(r"[A-Za-z0-9._-]{1,24}@[A-Za-z0-9.-]+", value):
        problems.append(f"{name} is “{value}”; it must be a short address such as bounce@example.vn.")
    return value or None


def _url(environ: Mapping[str, str], name: str, default: str, problems: list[str]) -> str:
    value = (environ.get(name) or default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        problems.append(f"{name} is “{value}”; it must begin with http:// or https:// and name a host.")
    return value
