"""What of a profile is set at run time: its validity in days, within bounds, by an act that two people agreed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.approvals import service as approvals
from app.approvals.kinds import LIFETIME, ActKind, Description
from app.approvals.models import Act
from app.audit import service as audit
from app.certificates.words import PROFILES as WORDS
from app.core.db import Base
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from pki.profiles import PROFILES, Profile, ProfileName

KIND: Final = "profile_change"
# Profile -> fewest and most days. What is not here is not set at run time: authorities, responders, timestamps.
BOUNDS: Final[Mapping[ProfileName, tuple[int, int]]] = {
    ProfileName.CITIZEN_SIGNING: (30, 365),
    ProfileName.OFFICIAL_SIGNING: (30, 365),
    ProfileName.AGENCY_SEAL: (365, 1095),
    ProfileName.PASS_SIGNER: (30, 180),
    ProfileName.DEVICE: (30, 365),
}


class ProfileSetting(Base):
    """One version of a profile's settings; the highest is in force. Rows are only added."""

    __tablename__ = "profile_setting"
    __table_args__ = (CheckConstraint("validity_days >= 1", name="validity_is_positive"),)

    profile: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    validity_days: Mapped[int]
    act_id: Mapped[UUID] = mapped_column(ForeignKey("act_request.id"), unique=True)
    set_at: Mapped[datetime]


def profiles_in_force(session: Session) -> dict[ProfileName, Profile]:
    """Return every profile as certificates are made now."""
    newest = select(ProfileSetting).distinct(ProfileSetting.profile)
    rows = session.scalars(newest.order_by(ProfileSetting.profile, ProfileSetting.version.desc()))
    return PROFILES | {ProfileName(row.profile): _with(row) for row in rows}


def in_force(session: Session, name: ProfileName) -> Profile:
    """Return one profile as certificates are made now."""
    row = _newest(session, name)
    return PROFILES[name] if row is None else _with(row)


def history(session: Session, name: ProfileName) -> list[ProfileSetting]:
    """Return the versions of a profile's settings, newest first."""
    query = select(ProfileSetting).where(ProfileSetting.profile == name)
    return list(session.scalars(query.order_by(ProfileSetting.version.desc())))


def changeable(name: str) -> ProfileName:
    """Return the profile of that name. Raises NotFound if nothing of it is set at run time."""
    if name not in set(BOUNDS):
        raise NotFound(_l("There is no such profile."))
    return ProfileName(name)


def ask_for_validity(session: Session, actor: Actor, name: ProfileName, days: int, *, now: datetime) -> Act:
    """Ask for another validity; another administrator approves. It holds for certificates made from then on.

    Raises Invalid outside the bounds, Conflict if it is so already.
    """
    fewest, most = BOUNDS[name]
    if not fewest <= days <= most:
        raise Invalid(_l("The validity must be from %(fewest)s to %(most)s days.", fewest=fewest, most=most))
    current = _newest(session, name)
    if days == in_force(session, name).validity.days:
        raise Conflict(_l("This is the validity already."))
    return approvals.request(
        session,
        actor,
        KIND,
        {"profile": name.value, "days": days, "after_version": current.version if current else 0},
        agency_id=None,
        object_kind="profile",
        object_id=name.value,
        now=now,
    )


def _execute(session: Session, actor: Actor, act: Act, now: datetime) -> None:
    name, days, after = _read(act)
    newest = _newest(session, name)
    if (newest.version if newest else 0) != after:
        raise Conflict(_l("The profile was changed in the meantime."), _l("Look at it, then ask again."))
    session.add(ProfileSetting(profile=name, version=after + 1, validity_days=days, act_id=act.id, set_at=now))
    audit.record(session, actor, "profile_changed", object_kind="profile", object_id=name, days=days, version=after + 1)
    session.flush()


def _describe(session: Session, act: Act) -> Description:
    name, days, after = _read(act)
    before = next((row.validity_days for row in history(session, name) if row.version == after), None)
    standard = PROFILES[name].validity.days
    return Description(
        _l("Certificates “%(use)s” are valid for %(days)s days", use=WORDS[name], days=days),
        rows=[
            (_l("Use"), WORDS[name]),
            (_l("Validity before"), _l("%(days)s days", days=before or standard)),
            (_l("Validity from then on"), _l("%(days)s days", days=days)),
        ],
        impact=[
            _l("It holds for certificates issued after the approval."),
            _l("Certificates that exist stay as they are."),
        ],
    )


def _read(act: Act) -> tuple[ProfileName, int, int]:
    payload = act.payload
    return ProfileName(payload["profile"]), int(payload["days"]), int(payload["after_version"])


def _newest(session: Session, name: ProfileName) -> ProfileSetting | None:
    query = select(ProfileSetting).where(ProfileSetting.profile == name)
    return session.scalar(query.order_by(ProfileSetting.version.desc()).limit(1))


def _with(row: ProfileSetting) -> Profile:
    """Return the profile with a setting; its version rises, so that its digest tells the two apart."""
    base = PROFILES[ProfileName(row.profile)]
    return replace(base, validity=timedelta(days=row.validity_days), version=base.version + row.version)


approvals.register(ActKind(KIND, Permission.MANAGE_PROFILES, 1, LIFETIME, _execute, _describe))
