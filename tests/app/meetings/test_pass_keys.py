"""Keys that sign passes for some days, and what ends them: time, or the seal of their agency."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from app.certificates import authorities, register, revocations
from app.certificates.models import Certificate
from app.core import db
from app.core.permissions import house
from app.core.settings import Settings
from app.gate import admissions, signers
from app.gate.admissions import Keys
from app.meetings import pass_keys, passes, sealing
from app.registry.models import Agency
from pki.passes.decision import Reason
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.factories import meetings as made
from tests.factories.certificates import actor

HOUSE = house("test")
CODE = "H99.02"


def keys_of(code: str = CODE, *, at: datetime | None = None) -> list[register.PassSigner]:
    with db.transaction() as session:
        return [one for one in register.pass_signers(session, now=at or made.now()) if one.agency.code == code]


def trusted(at: datetime | None = None) -> dict[bytes, signers.Signer]:
    with db.transaction() as session:
        return {one.kid: one for one in signers.trusted(session, now=at or made.now()) if one.agency_code == CODE}


def age(days: float) -> None:
    """Let the keys of the agency have been made so many days ago."""
    with db.transaction() as session:
        agency = session.scalars(select(Agency.id).where(Agency.code == CODE)).one()
        earlier = made.now() - timedelta(days=days)
        session.execute(
            update(Certificate)
            .where(Certificate.agency_id == agency, Certificate.profile == ProfileName.PASS_SIGNER)
            .values(not_before=earlier)
        )


def read(city: Settings, digits: str) -> admissions.Found:
    with db.transaction() as session:
        return admissions.read_pass(digits, Keys.read(session, city, now=made.now()), made.now())


def file_of(city: Settings, signer: register.PassSigner) -> Path:
    assert signer.certificate.key_reference
    return city.data_dir / "keys" / f"{signer.certificate.key_reference}.pem"


def digits_of(city: Settings, guest_id: object) -> str:
    row = made.passes_of(guest_id)[-1]  # type: ignore[arg-type]
    return sealing.open_sealed(city, row.id, row.sealed).digits


def test_a_key_that_has_signed_for_its_days_is_followed_by_another_and_its_passes_stay_good(city: Settings) -> None:
    meeting_id, early = made.invited(city)
    (first,) = keys_of()
    age(7.1)
    late = made.add(meeting_id, made.NewGuest("Trần Bình", "binh@example.vn", ""))
    made.send(meeting_id)
    made.run_jobs(city)
    assert len(keys_of()) == 2
    second = next(one for one in keys_of() if one.kid != first.kid)
    assert made.passes_of(late)[0].signer_certificate_id == second.certificate.id
    for guest_id in (early, late):
        assert read(city, digits_of(city, guest_id)).fault is None
    assert set(trusted()) == {first.kid, second.kid}
    assert file_of(city, first).exists()
    with db.transaction() as session:
        assert pass_keys.destroy_old(session, city, now=made.now()) == 1
        assert pass_keys.destroy_old(session, city, now=made.now()) == 0
    assert not file_of(city, first).exists()
    assert file_of(city, second).exists()
    # Once its last pass has ended by time, nothing names the old key any more.
    assert set(trusted(at=made.now() + timedelta(days=4))) == {second.kid}


def test_the_next_key_is_made_ahead_for_who_invites_and_for_nobody_else(city: Settings) -> None:
    made.invited(city)
    others = len(keys_of("H99.01"))

    def renewed() -> int:
        with db.transaction() as session:
            return pass_keys.renew_ahead(session, city, actor=HOUSE, now=made.now())

    assert renewed() == 0
    age(6.6)
    assert renewed() == 1
    assert renewed() == 0
    assert len(keys_of()) == 2
    assert len(keys_of("H99.01")) == others


def test_the_trust_list_names_the_buildings_and_zones_that_a_keys_passes_lead_to(city: Settings) -> None:
    (before,) = trusted().values()
    assert before.buildings == ()
    meeting_id, _ = made.invited(city)
    (after,) = trusted().values()
    assert after.buildings == (made.meeting(meeting_id).room.building.code,)
    assert after.zones == 1


def test_revoking_the_seal_of_an_agency_ends_its_passes_with_its_letters(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    assert read(city, digits_of(city, guest_id)).fault is None
    with db.transaction() as session:
        agency = session.scalars(select(Agency).where(Agency.code == CODE)).one()
        seal = register.seal_of(session, agency.id, now=made.now())
        assert seal is not None
        revocations.revoke(session, actor("oanh"), seal.id, reason=RevocationReason.KEY_COMPROMISE, now=made.now())
    assert trusted() == {}
    fault = read(city, digits_of(city, guest_id)).fault
    assert fault is not None
    assert fault.reason is Reason.AGENCY_KEY_ENDED
    with db.transaction() as session:
        agency = session.scalars(select(Agency).where(Agency.code == CODE)).one()
        found = register.pass_signer_of(session, agency.id, now=made.now())
        assert found is None or found.agency.code != CODE
        authorities.certify_pass_signer(session, city, agency, actor=HOUSE, now=made.now())
    with db.transaction() as session:
        assert passes.may_sign(session, made.meeting(meeting_id), now=made.now())
    assert len(trusted()) == 1
    assert read(city, digits_of(city, guest_id)).fault is not None
