"""Languages: Vietnamese by default, English complete; dates and times as the city writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from flask import Flask, request
from flask_babel import Babel, force_locale, get_locale
from flask_login import current_user

from app.core.form_words import init_form_words

LANGUAGES: Final = ("vi", "en")
CITY_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
LANGUAGE_COOKIE: Final = "kyvao-language"
TRANSLATIONS: Final = Path(__file__).parent.parent / "translations"


def init_i18n(app: Flask) -> None:
    """Load one catalogue per capability and add the filters `moment`, `day`, `clock_time` and `number`."""
    folders = (
        sorted(str(folder) for folder in TRANSLATIONS.iterdir() if folder.is_dir()) if TRANSLATIONS.exists() else []
    )
    app.config.update(
        BABEL_DEFAULT_LOCALE="vi",
        BABEL_DEFAULT_TIMEZONE="Asia/Ho_Chi_Minh",
        BABEL_TRANSLATION_DIRECTORIES=";".join(folders) or str(TRANSLATIONS),
    )
    Babel(app, locale_selector=choose_language)
    init_form_words(app)
    app.jinja_env.filters.update(moment=moment, day=day, clock_time=clock_time, number=number)
    app.jinja_env.globals["current_language"] = current_language


def choose_language() -> str:
    """Return the reader's language: their cookie, their account, Vietnamese; for a program what it asks for."""
    if request.path.startswith("/api/"):
        return request.accept_languages.best_match(LANGUAGES) or "vi"
    for choice in (request.cookies.get(LANGUAGE_COOKIE), getattr(current_user, "language", None)):
        if choice in LANGUAGES:
            return str(choice)
    return "vi"


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let the block, in a process without pages, find its sentences in a language."""
    with _speaker().app_context(), force_locale(language):
        yield


@cache
def _speaker() -> Flask:
    app = Flask("app")
    init_i18n(app)
    return app


def current_language() -> str:
    return str(get_locale() or "vi")


def local(moment_utc: datetime) -> datetime:
    """Return an aware `datetime` in the city's zone."""
    return moment_utc.astimezone(CITY_ZONE)


def moment(value: datetime) -> str:
    """Format as `22/11/2026 14:05`, in the city's zone, in every language."""
    return local(value).strftime("%d/%m/%Y %H:%M")


def day(value: datetime) -> str:
    return local(value).strftime("%d/%m/%Y")


def clock_time(value: datetime) -> str:
    return local(value).strftime("%H:%M")


def number(value: int) -> str:
    """Format as `470.000` in Vietnamese, `470,000` in English."""
    return f"{value:,}".replace(",", "." if current_language() == "vi" else ",")
