"""Rolling an authority over, taking one in from a ceremony, and ending one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from sqlalchemy import func, select, update

from app.accounts import service as accounts
from app.alarms.models import Alarm
from app.audit.models import AuditEntry
from app.certificates import authorities, authority_generations, crls, issuance, key_access, register, tasks
from app.certificates.commands import authority
from app.certificates.key_access import Keyholder, reference
from app.certificates.models import Authority, Certificate, Crl
from app.core import db
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Role, house
from app.core.settings import Settings
from app.status import published
from pki.authority import issue, new_serial_number, prepare
from pki.chains import PathVerdict, Purpose, TrustStore, validate_path
from pki.keys import Curve
from pki.names import ServiceName
from pki.profiles import PROFILES, ProfileName
from pki.revocation import RevocationReason
from pki.status_evidence import StatusEvidence
from tests.factories.certificates import issued_to
from tests.factories.pki import authority as factory_authority
from tests.interop.judges import certificate_file, crl_file, run

HOUSE = house("test")
CITIZENS = ProfileName.ISSUING_CITIZENS
TWO = authority_generations.Approval(("dung", "oanh"))


@pytest.fixture
def second(city: Settings) -> Settings:
    """The city after the citizens' authority was rolled over."""
    with db.transaction() as session:
        authority_generations.roll_over(session, city, CITIZENS, 2, actor=HOUSE, approval=TWO, now=datetime.now(UTC))
    return city


def of(name: str) -> Authority:
    with db.transaction() as session:
        return session.scalars(select(Authority).where(Authority.name == name)).one()


def newest(name: str, shard: int = 0) -> Crl:
    with db.transaction() as session:
        found = crls.newest(session, of(name).id, shard)
    assert found is not None
    return found


def acts(name: str) -> list[AuditEntry]:
    with db.transaction() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.act == name)))


def revoke(name: str, reason: RevocationReason = RevocationReason.CA_COMPROMISE) -> None:
    with db.transaction() as session:
        authority_generations.revoke(session, name, reason=reason, actor=HOUSE, approval=TWO, now=datetime.now(UTC))


def openssl(folder: Path, certificate: Certificate, authority_name: str) -> str:
    """Let OpenSSL judge a certificate with the newest lists of its authority and of the root."""
    assert certificate.der is not None
    files = [
        *("-CAfile", certificate_file(folder / "root.pem", of("root").certificate_der)),
        *("-untrusted", certificate_file(folder / "ca.pem", of(authority_name).certificate_der)),
        *("-CRLfile", crl_file(folder / "root.crl", newest("root").der)),
        *("-CRLfile", crl_file(folder / "ca.crl", newest(authority_name, certificate.shard).der)),
        certificate_file(folder / "leaf.pem", certificate.der),
    ]
    done = run("openssl", "verify", "-x509_strict", "-crl_check_all", "-extended_crl", *files)
    return done.stdout + done.stderr


def gnutls(folder: Path, certificate: Certificate, authority_name: str) -> int:
    assert certificate.der is not None
    chain = certificate_file(folder / "chain.pem", certificate.der, of(authority_name).certificate_der)
    anchor = certificate_file(folder / "root.pem", of("root").certificate_der)
    words = ("certtool", "--verify", "--verify-profile=high", "--infile", chain, "--load-ca-certificate", anchor)
    return run(*words).returncode


def test_what_the_old_and_the_new_generation_issued_verifies_alike(city: Settings, tmp_path: Path) -> None:
    officials = ProfileName.ISSUING_OFFICIALS
    old = issued_to("minh")
    with db.transaction() as session:
        authority_generations.roll_over(session, city, officials, 2, actor=HOUSE, approval=TWO, now=datetime.now(UTC))
    new = issued_to("hanh")
    assert (old.authority.name, new.authority.name) == ("issuing_officials", "issuing_officials-g2")
    tasks.publish_crl.func("issuing_officials", old.shard)
    for certificate in (old, new):
        name = certificate.authority.name
        assert "leaf.pem: OK" in openssl(tmp_path, certificate, name)
        assert gnutls(tmp_path, certificate, name) == 0
        with db.transaction() as session:
            roots, below = register.trust_material(session)
            evidence = StatusEvidence(register.newest_crls(session, {(name, certificate.shard)}))
        assert certificate.der is not None
        now = datetime.now(UTC) + timedelta(seconds=2)
        ours = validate_path(
            certificate.der, trust=TrustStore(roots, below), at=now, purpose=Purpose.SIGNING, evidence=evidence
        )
        assert ours.verdict is PathVerdict.VALID
    assert "issuer certificate" in openssl(tmp_path, old, "issuing_officials-g2")


def test_the_new_generation_has_its_own_key_lists_and_responder(second: Settings) -> None:
    old, new = of("issuing_citizens"), of("issuing_citizens-g2")
    assert (new.generation, new.retired_at, new.shards) == (2, None, old.shards)
    assert old.retired_at is not None
    assert new.key_reference == "worker/issuing_citizens-g2"
    certificates = [x509.load_der_x509_certificate(one.certificate_der) for one in (old, new)]
    assert certificates[0].public_key() != certificates[1].public_key()
    assert certificates[1].subject.rfc4514_string() == certificates[0].subject.rfc4514_string().replace("G1", "G2")
    for shard in range(new.shards):
        point = x509.load_der_x509_crl(newest(new.name, shard).der).extensions.get_extension_for_class(
            x509.IssuingDistributionPoint
        )
        assert point.value.full_name is not None
        assert point.value.full_name[0].value.endswith(f"/crl/issuing_citizens-g2/{shard}.crl")
    with db.transaction() as session:
        responder = register.service_certificate(
            session, ProfileName.OCSP_RESPONDER, now=datetime.now(UTC), authority_id=new.id
        )
    assert responder is not None
    (entry,) = acts("authority_rolled_over")
    assert entry.facts == {
        "authority": "issuing_citizens-g2", "previous": "issuing_citizens", "approved_by": "dung oanh"
    }  # fmt: skip


def test_the_lists_of_a_retired_generation_go_on(second: Settings) -> None:
    before = newest("issuing_citizens").number
    tasks.publish_crl.func("issuing_citizens", 0)
    assert newest("issuing_citizens").number == before + 1


def test_rolling_over_again_changes_nothing_and_another_number_is_refused(second: Settings) -> None:
    now = datetime.now(UTC)
    with db.transaction() as session:
        again = authority_generations.roll_over(session, second, CITIZENS, 2, actor=HOUSE, approval=TWO, now=now)
        assert again.name == "issuing_citizens-g2"
    with pytest.raises(Conflict), db.transaction() as session:
        authority_generations.roll_over(session, second, CITIZENS, 4, actor=HOUSE, approval=TWO, now=now)
    with db.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Authority)) == 7


def test_without_the_roots_key_a_ceremony_is_asked_for(city: Settings) -> None:
    with db.transaction() as session:
        session.execute(update(Authority).where(Authority.name == "root").values(key_reference=None))
    with pytest.raises(Conflict), db.transaction() as session:
        authority_generations.roll_over(session, city, CITIZENS, 2, actor=HOUSE, approval=TWO, now=datetime.now(UTC))
    assert of("issuing_citizens").retired_at is None


def made_in_a_ceremony(city: Settings, profile: ProfileName = CITIZENS) -> tuple[bytes, str]:
    """Return a certificate of the root and where its key lies, made beside the database."""
    key_reference = reference(Keyholder.WORKER, "brought-in")
    key = key_access.make(city, key_reference, Curve.P384)
    root = of("root")
    prepared = prepare(
        PROFILES[profile],
        ServiceName("Authority from a ceremony", city.city),
        key.public_key,
        issuer_certificate_der=root.certificate_der,
        issuer_profile=ProfileName.ROOT,
        serial_number=new_serial_number(),
        now=datetime.now(UTC) + timedelta(seconds=1),
        urls=issuance.urls_of(city, "root", 0),
    )
    return issue(prepared, key_access.load(city, root.key_reference)), key_reference


def take_in(city: Settings, certificate_der: bytes, key_reference: str) -> None:
    with db.transaction() as session:
        authority_generations.take_in(
            session, city, CITIZENS, certificate_der, key_reference,
            actor=HOUSE, approval=TWO, now=datetime.now(UTC),
        )  # fmt: skip


def test_a_generation_from_a_ceremony_is_taken_in(city: Settings, tmp_path: Path) -> None:
    take_in(city, *made_in_a_ceremony(city))
    certificate = issued_to("lan")
    assert certificate.authority.name == "issuing_citizens-g2"
    assert "leaf.pem: OK" in openssl(tmp_path, certificate, "issuing_citizens-g2")


def test_a_certificate_of_another_profile_key_or_root_is_not_taken_in(city: Settings) -> None:
    certificate_der, key_reference = made_in_a_ceremony(city)
    seals, _ = made_in_a_ceremony(city, ProfileName.ISSUING_SEALS)
    foreign = factory_authority(CITIZENS, "foreign").certificate_der
    for der, key in ((certificate_der, "worker/issuing_seals"), (seals, key_reference), (foreign, key_reference)):
        with pytest.raises(Invalid):
            take_in(city, der, key)
    assert of("issuing_citizens").retired_at is None


def test_a_revoked_authority_is_on_the_roots_list_and_nothing_below_it_verifies(city: Settings, tmp_path: Path) -> None:
    certificate = issued_to("lan")
    assert "leaf.pem: OK" in openssl(tmp_path, certificate, "issuing_citizens")
    revoke("issuing_citizens")
    tasks.publish_due.func()
    (entry,) = x509.load_der_x509_crl(newest("root").der)
    assert entry.serial_number == x509.load_der_x509_certificate(of("issuing_citizens").certificate_der).serial_number
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.ca_compromise
    assert "certificate revoked" in openssl(tmp_path, certificate, "issuing_citizens")
    tasks.publish_crl.func("root", 0)
    assert len(x509.load_der_x509_crl(newest("root").der)) == 1


def test_an_authority_whose_key_is_lost_makes_no_more_lists_and_nobody_waits_for_them(city: Settings) -> None:
    revoke("issuing_seals", RevocationReason.CA_COMPROMISE)
    revoke("issuing_officials", RevocationReason.CESSATION_OF_OPERATION)
    before = {name: newest(name).number for name in ("issuing_seals", "issuing_officials")}
    tasks.publish_due.func()
    after = {name: newest(name).number for name in before}
    assert after == {"issuing_seals": before["issuing_seals"], "issuing_officials": before["issuing_officials"] + 1}
    with db.transaction() as session:
        session.execute(update(Crl).where(Crl.authority_id == of("issuing_seals").id).values(next_update=city_began()))
        ends = published.stalest(session)
        assert ends is not None
        assert ends > datetime.now(UTC)


def city_began() -> datetime:
    return datetime.now(UTC) - timedelta(days=30)


def test_a_revoked_authority_issues_nothing_until_the_next_generation(city: Settings) -> None:
    revoke("issuing_citizens")
    with pytest.raises(Conflict), db.transaction() as session:
        authorities.find(session, CITIZENS)
    with db.transaction() as session:
        authority_generations.roll_over(session, city, CITIZENS, 2, actor=HOUSE, approval=TWO, now=datetime.now(UTC))
    with db.transaction() as session:
        assert authorities.find(session, CITIZENS).name == "issuing_citizens-g2"


def test_revoking_an_authority_twice_keeps_the_first_and_the_root_is_not_revoked(city: Settings) -> None:
    revoke("issuing_seals")
    first = of("issuing_seals").revoked_at
    revoke("issuing_seals")
    assert of("issuing_seals").revoked_at == first
    assert len(acts("authority_revoked")) == 1
    with pytest.raises(Conflict):
        revoke("issuing_seals", RevocationReason.SUPERSEDED)
    with pytest.raises(Conflict):
        revoke("root")
    with pytest.raises(NotFound):
        revoke("issuing_nobody")
    with pytest.raises(Forbidden):
        revoke("issuing_citizens", RevocationReason.CERTIFICATE_HOLD)


def test_an_authority_stops_issuing_before_what_it_issues_would_outlive_it(city: Settings) -> None:
    seals = of("issuing_seals")
    until = authorities.issues_until(seals)
    ends = x509.load_der_x509_certificate(seals.certificate_der).not_valid_after_utc
    assert ends - until == PROFILES[ProfileName.AGENCY_SEAL].validity
    with db.transaction() as session:
        assert authorities.find(session, ProfileName.ISSUING_SEALS, now=until).id == seals.id
        with pytest.raises(Conflict):
            authorities.find(session, ProfileName.ISSUING_SEALS, now=until + timedelta(seconds=1))


def test_a_year_before_that_it_is_told(city: Settings) -> None:
    until = authorities.issues_until(of("issuing_seals"))
    for now, expected in ((until - timedelta(days=366), []), (until - timedelta(days=364), ["issuing_seals"])):
        with db.transaction() as session:
            authority_generations.warn_of_ends(session, now=now)
            assert list(session.scalars(select(Alarm.object_id))) == expected


@pytest.fixture
def kyvao(city: Settings, database: str) -> Callable[..., Result]:
    with db.transaction() as session:
        account = accounts.create_account(session, login="second", label="Second", person_id=None)
        accounts.grant_role(session, account, Role.ADMINISTRATOR, agency_id=None, actor=HOUSE)

    def run_words(*words: str) -> Result:
        environ = {"KYVAO_DATABASE_URL": database, "KYVAO_DATA": str(city.data_dir)}
        result = CliRunner().invoke(authority, words, env=environ)
        db.configure(database)
        return result

    return run_words


@pytest.mark.parametrize("people", [("oanh",), ("oanh", "oanh"), ("oanh", "dung"), ("oanh", "nobody")])
def test_two_administrators_must_be_named(kyvao: Callable[..., Result], people: tuple[str, ...]) -> None:
    words = [word for one in people for word in ("--approved-by", one)]
    for act in (("roll-over", "issuing_citizens"), ("revoke", "issuing_citizens", "--reason", "superseded")):
        assert kyvao(*act, *words).exit_code == 1
    assert of("issuing_citizens").retired_at is None


def test_the_command_rolls_over_revokes_publishes_and_lists(kyvao: Callable[..., Result]) -> None:
    two = ("--approved-by", "oanh", "--approved-by", "second")
    rolled = kyvao("roll-over", "issuing_citizens", *two)
    assert rolled.exit_code == 0, rolled.output
    assert "issuing_citizens-g2 issues from now on" in rolled.output
    assert kyvao("revoke", "issuing_citizens", "--reason", "ca_compromise", *two).exit_code == 0
    assert "Every list is fresh" in kyvao("publish").output
    assert len(x509.load_der_x509_crl(newest("root").der)) == 1
    said = kyvao("list").output
    for line in ("issuing_citizens  revoked", "issuing_citizens-g2  issues until", "root  the root"):
        assert line in said
    before = newest("issuing_seals").number
    assert kyvao("publish", "--all").exit_code == 0
    assert newest("issuing_seals").number == before + 1


def test_the_command_says_which_list_was_refused(kyvao: Callable[..., Result], city: Settings) -> None:
    (city.data_dir / "keys" / "worker" / "issuing_seals.pem").unlink()
    said = kyvao("publish", "--all")
    assert said.exit_code == 1
    assert "issuing_seals/0: KeyUnavailable" in said.output


def test_the_command_takes_in_what_a_ceremony_made(
    kyvao: Callable[..., Result], city: Settings, tmp_path: Path
) -> None:
    certificate_der, key_reference = made_in_a_ceremony(city)
    (tmp_path / "made.cer").write_bytes(certificate_der)
    words = ("--certificate", str(tmp_path / "made.cer"), "--key", key_reference)
    two = ("--approved-by", "oanh", "--approved-by", "second")
    assert kyvao("take-in", "issuing_citizens", *words, *two).exit_code == 0
    assert of("issuing_citizens-g2").certificate_der == certificate_der
