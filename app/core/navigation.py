"""The places of the header and what waits for a person on the home page, gathered from the capabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flask import Flask, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session

from app.core.errors import Sentence
from app.core.permissions import Actor, Permission
from app.core.settings import Settings


@dataclass(frozen=True)
class Place:
    """An entry of the header and the home page, shown to holders of `permission` (None: everyone signed in)."""

    label: Sentence
    endpoint: str
    permission: Permission | None
    # One line below the link on the home page.
    purpose: Sentence
    in_header: bool = True


@dataclass(frozen=True)
class Waiting:
    """Something that waits for this person: a sentence, where to go, how many."""

    sentence: str
    href: str
    count: int


WaitingProvider = Callable[[Session, Actor], Sequence[Waiting]]


@dataclass
class Directory:
    places: list[Place] = field(default_factory=list)
    waiting: list[WaitingProvider] = field(default_factory=list)


def directory(app: Flask) -> Directory:
    found = app.extensions.setdefault("kyvao_directory", Directory())
    if not isinstance(found, Directory):
        raise TypeError("kyvao_directory")
    return found


def add_place(app: Flask, place: Place) -> None:
    directory(app).places.append(place)


def add_waiting(app: Flask, provider: WaitingProvider) -> None:
    directory(app).waiting.append(provider)


def places_for(app: Flask, actor: Actor) -> list[Place]:
    """Return the places of `actor`; what is used every day, and so stands in the header, comes first."""
    open_to = [place for place in directory(app).places if place.permission is None or actor.may(place.permission)]
    return sorted(open_to, key=lambda place: not place.in_header)


def init_navigation(app: Flask, settings: Settings) -> None:
    """Give every template `navigation`, `signed_in`, and what the frame of a page shows of the settings."""

    def frame() -> dict[str, object]:
        actor = getattr(current_user, "actor", None)
        shown = places_for(app, actor) if isinstance(actor, Actor) else []
        navigation = [
            {
                "label": str(place.label),
                "href": url_for(place.endpoint),
                "current": request.blueprint is not None and place.endpoint.startswith(f"{request.blueprint}."),
            }
            for place in shown
            if place.in_header
        ]
        return {
            "navigation": navigation,
            "signed_in": current_user if isinstance(actor, Actor) else None,
            "demonstration": settings.demonstration,
            "city": settings.city,
            "support_phone": settings.support_phone,
            "status_url": settings.status_url,
            "known_endpoints": app.view_functions.keys(),
        }

    app.context_processor(frame)
