"""Ceremonies from a reviewed file to a certificate, with keys in files and in a token; OpenSSL judges what was made."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from app.certificates import (
    authorities,
    authority_generations,
    ceremony,
    ceremony_file,
    crls,
    crls_from_ceremony,
    key_access,
)
from app.certificates.ceremony import Approval
from app.certificates.ceremony_commands import ceremony_group
from app.certificates.commands import authority
from app.certificates.models import Authority
from app.core import db
from app.core.errors import Conflict, Invalid
from app.core.permissions import house
from app.core.settings import Settings, load
from pki.errors import PkiError, ProfileViolation
from pki.profiles import ProfileName
from tests.factories import tokens

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ZEROS = "0" * 64


class Room:
    """A folder with the files of ceremonies, and the settings that say where keys lie."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self.environ = {**environ, "KYVAO_DATA": str(folder / "data")}
        self.settings: Settings = load(self.environ)
        # The token is one for all tests of a process: keys have names of their own.
        self.mark = uuid4().hex[:8]

    def write(self, name: str, act: dict[str, object]) -> Path:
        path = self.folder / name
        path.write_text(yaml.safe_dump(act, allow_unicode=True))
        return path

    def root(self) -> dict[str, object]:
        return {
            "act": "root",
            "generation": 1,
            "organization": "Sông Biếc",
            "common_name": "Sông Biếc Gốc G1",
            "key": f"worker/root-{self.mark}",
        }

    def below(self, act: str = "issuing_authority", generation: int = 1, **changes: object) -> dict[str, object]:
        return {
            "act": act,
            "profile": "issuing_citizens",
            "generation": generation,
            "organization": "Sông Biếc",
            "common_name": f"Sông Biếc Cấp cho người dân G{generation}",
            "key": f"worker/citizens-{self.mark}-g{generation}",
            "root": self.named("root.cer"),
            "root_key": f"worker/root-{self.mark}",
            "status_url": "http://status.example",
            **changes,
        }

    def root_list(self, number: int, **changes: object) -> dict[str, object]:
        return {
            "act": "crl",
            "root": self.named("root.cer"),
            "root_key": f"worker/root-{self.mark}",
            "number": number,
            "revoked": [],
            **changes,
        }

    def named(self, name: str) -> dict[str, str]:
        return {"file": name, "sha256": hashlib.sha256((self.folder / name).read_bytes()).hexdigest()}

    def hold(self, act: dict[str, object], kept_as: str = "made", *, now: datetime = NOW) -> Path:
        """Hold the ceremony with two people; what it made is kept beside the files. Return its folder."""
        path = self.write(f"{kept_as}.yaml", act)
        out = self.folder / f"out-{kept_as}"
        made = ceremony.run(self.settings, ceremony_file.read(path), approved(path), out, now=now)
        result = "root.crl" if act["act"] == "crl" else "certificate.cer"
        (self.folder / kept_as).write_bytes(made[result])
        return out

    def check(self, act: dict[str, object]) -> list[str]:
        reviewed = ceremony_file.read(self.write("checked.yaml", act))
        return ceremony.check(self.settings, reviewed, now=NOW + timedelta(seconds=2))


def approved(path: Path) -> list[Approval]:
    seen = hashlib.sha256(path.read_bytes()).hexdigest()
    return [Approval("Oanh", seen), Approval("Hạnh", seen)]


@pytest.fixture(params=["files", "token"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    return Room(tmp_path, tokens.environ() if request.param == "token" else {})


@pytest.fixture
def desk(tmp_path: Path) -> Room:
    """A room where the rules are tried; where keys lie does not matter to them."""
    return Room(tmp_path, {})


def openssl(*arguments: str | Path) -> str:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=True).stdout


def pem(path: Path) -> Path:
    out = path.with_suffix(".pem")
    out.write_bytes(x509.load_der_x509_certificate(path.read_bytes()).public_bytes(Encoding.PEM))
    return out


def test_root_authority_and_next_generation_form_chains_that_openssl_accepts(room: Room):
    room.hold(room.root(), "root.cer")
    room.hold(room.below(), "g1.cer", now=NOW + timedelta(seconds=1))
    again = room.below("re_key", 2, previous=room.named("g1.cer"))
    room.hold(again, "g2.cer", now=NOW + timedelta(seconds=2))
    for name in ("g1.cer", "g2.cer"):
        arguments = ("-x509_strict", "-CAfile", pem(room.folder / "root.cer"), pem(room.folder / name))
        assert "OK" in openssl("verify", "-attime", str(int(NOW.timestamp()) + 60), *arguments)


def test_the_list_of_a_root_names_the_authority_that_was_taken_back(room: Room):
    room.hold(room.root(), "root.cer")
    room.hold(room.root_list(1), "1.crl")
    revoked = {"serial": "01ab", "revoked_at": NOW, "reason": "superseded"}
    second = room.root_list(2, previous=room.named("1.crl"), revoked=[revoked])
    assert "Revoked: 01ab" in "\n".join(room.check(second))
    room.hold(second, "2.crl", now=NOW + timedelta(seconds=2))
    said = openssl("crl", "-inform", "DER", "-in", room.folder / "2.crl", "-noout", "-text")
    assert "01AB" in said
    assert "Superseded" in said


def test_the_transcript_is_signed_by_the_new_key(room: Room):
    out = room.hold(room.root(), "root.cer")
    arguments = ("dgst", "-sha384", "-verify", out / "signer.pem", "-signature", out / "transcript.sig")
    assert "Verified OK" in openssl(*arguments, out / "transcript.json")
    assert hashlib.sha256((out / "certificate.cer").read_bytes()).hexdigest() in (out / "transcript.json").read_text()
    (out / "transcript.json").write_text((out / "transcript.json").read_text().replace("Oanh", "Dung"))
    with pytest.raises(subprocess.CalledProcessError):
        openssl(*arguments, out / "transcript.json")


def test_a_check_makes_no_key_and_no_file(room: Room):
    room.check(room.root())
    assert not key_access.exists(room.settings, str(room.root()["key"]))
    assert [one.name for one in room.folder.iterdir() if one.is_dir()] == []


def test_a_file_that_was_changed_after_the_approval_is_refused(desk: Room):
    path = desk.write("root.yaml", desk.root())
    seen = approved(path)
    path.write_text(path.read_text().replace("Gốc G1", "Gốc G9"))
    with pytest.raises(ProfileViolation, match="approved another file"):
        ceremony.run(desk.settings, ceremony_file.read(path), seen, desk.folder / "out", now=NOW)
    assert not (desk.folder / "out").exists()
    assert not (desk.folder / "data").exists()


@pytest.mark.parametrize("names", [("Oanh",), ("Oanh", " oanh "), ("Oanh", "OANH"), ("Oanh", ""), ()])
def test_one_person_is_not_two(desk: Room, names: tuple[str, ...]):
    path = desk.write("root.yaml", desk.root())
    seen = [Approval(name, hashlib.sha256(path.read_bytes()).hexdigest()) for name in names]
    with pytest.raises(ProfileViolation, match="Two different people"):
        ceremony.run(desk.settings, ceremony_file.read(path), seen, desk.folder / "out", now=NOW)


def test_what_a_ceremony_made_is_not_written_over(desk: Room):
    out = desk.hold(desk.root(), "root.cer")
    before = {one.name: one.read_bytes() for one in out.iterdir()}
    path = desk.write("again.yaml", {**desk.root(), "key": "worker/another"})
    with pytest.raises(ProfileViolation, match="exists already"):
        ceremony.run(desk.settings, ceremony_file.read(path), approved(path), out, now=NOW)
    assert {one.name: one.read_bytes() for one in out.iterdir()} == before
    assert not key_access.exists(desk.settings, "worker/another")


def test_a_key_that_exists_is_not_certified_again(room: Room):
    room.hold(room.root(), "root.cer")
    with pytest.raises(ProfileViolation, match="exists already"):
        room.hold(room.root(), "second.cer")


def test_a_finding_of_the_lint_leaves_nothing(desk: Room):
    desk.hold(desk.root(), "root.cer")
    before = sorted((desk.folder / "data").rglob("*"))
    # A space at its end is what the library refuses in a name.
    with pytest.raises(PkiError):
        desk.hold(desk.below(common_name="Sông Biếc "), "bad.cer")
    assert sorted((desk.folder / "data").rglob("*")) == before
    assert not (desk.folder / "out-bad.cer").exists()


def test_a_folder_that_cannot_be_written_leaves_nothing(desk: Room):
    (desk.folder / "x").write_text("a file, not a folder")
    path = desk.write("root.yaml", desk.root())
    with pytest.raises(ProfileViolation, match="could not be written"):
        ceremony.run(desk.settings, ceremony_file.read(path), approved(path), desk.folder / "x" / "out", now=NOW)
    assert not key_access.exists(desk.settings, str(desk.root()["key"]))


def test_an_authority_below_another_root_than_was_reviewed_is_refused(desk: Room):
    desk.hold(desk.root(), "root.cer")
    act = desk.below()
    (desk.folder / "root.cer").write_bytes((desk.folder / "root.cer").read_bytes() + b"\0")
    with pytest.raises(ProfileViolation, match="not the file that was reviewed"):
        desk.check(act)


def test_the_next_generation_needs_a_name_of_its_own(desk: Room):
    desk.hold(desk.root(), "root.cer")
    desk.hold(desk.below(), "g1.cer", now=NOW + timedelta(seconds=1))
    same = desk.below("re_key", 2, previous=desk.named("g1.cer"), common_name=desk.below()["common_name"])
    with pytest.raises(ProfileViolation, match="name of its own"):
        desk.check(same)


def test_the_next_generation_follows_one_of_the_same_root(desk: Room):
    desk.hold({**desk.root(), "key": "worker/other"}, "other.cer")
    under_other = {"root": desk.named("other.cer"), "root_key": "worker/other"}
    desk.hold(desk.root(), "root.cer")
    desk.hold(desk.below(**under_other), "g1.cer", now=NOW + timedelta(seconds=1))
    with pytest.raises(ProfileViolation, match="another root"):
        desk.check(desk.below("re_key", 2, previous=desk.named("g1.cer")))


@pytest.mark.parametrize(("number", "names_previous"), [(1, True), (2, False)])
def test_every_list_but_the_first_names_the_one_before(desk: Room, number: int, names_previous: bool):
    desk.hold(desk.root(), "root.cer")
    desk.hold(desk.root_list(1), "1.crl")
    previous = {"previous": desk.named("1.crl")} if names_previous else {}
    with pytest.raises(ProfileViolation, match="number 1"):
        desk.check(desk.root_list(number, **previous))


def test_a_list_that_forgets_an_entry_is_refused(desk: Room):
    desk.hold(desk.root(), "root.cer")
    revoked = {"serial": "01ab", "revoked_at": NOW, "reason": "superseded"}
    desk.hold(desk.root_list(1, revoked=[revoked]), "1.crl")
    with pytest.raises(ProfileViolation, match="missing"):
        desk.check(desk.root_list(2, previous=desk.named("1.crl")))


def test_a_revocation_in_the_future_is_refused(desk: Room):
    desk.hold(desk.root(), "root.cer")
    revoked = {"serial": "01ab", "revoked_at": NOW + timedelta(days=1), "reason": "superseded"}
    with pytest.raises(ProfileViolation, match="future"):
        desk.check(desk.root_list(1, revoked=[revoked]))


@pytest.mark.parametrize(
    "change",
    [
        {"validity": 99},
        {"act": "anything"},
        {"key": "status/ocsp"},
        {"key": "worker/../../root"},
        {"generation": "1"},
        {"generation": 0},
        {"organization": ""},
    ],
)
def test_a_file_with_anything_unknown_is_refused(desk: Room, change: dict[str, object]):
    with pytest.raises(ProfileViolation, match="not that of a ceremony"):
        ceremony_file.read(desk.write("bad.yaml", {**desk.root(), **change}))


@pytest.mark.parametrize(
    "text", ["act: root\nact: crl\n", "a: &a {act: root}\n<<: *a\n", "!!python/object:x.y {}", "["]
)
def test_yaml_that_reads_in_two_ways_is_refused(desk: Room, text: str):
    (desk.folder / "bad.yaml").write_text(text)
    with pytest.raises(ProfileViolation, match="not the YAML"):
        ceremony_file.read(desk.folder / "bad.yaml")


def test_a_file_named_in_another_folder_is_refused(desk: Room):
    desk.hold(desk.root(), "root.cer")
    with pytest.raises(ProfileViolation):
        ceremony_file.read(desk.write("bad.yaml", desk.below(root={"file": "../root.cer", "sha256": ZEROS})))


@pytest.mark.parametrize("path", sorted(Path("docs/ceremonies").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_ceremonies(path: Path):
    assert ceremony_file.read(path).sha256


def test_the_command_says_the_hash_and_makes_what_two_people_approved(desk: Room):
    path, out = desk.write("root.yaml", desk.root()), desk.folder / "made"
    runner = CliRunner(env=desk.environ)
    said = runner.invoke(ceremony_group, ["check", str(path)])
    seen = hashlib.sha256(path.read_bytes()).hexdigest()
    assert said.exit_code == 0, said.output
    assert seen in said.output
    one = runner.invoke(ceremony_group, ["run", str(path), "--approve", f"oanh={seen}", "--out", str(out)])
    assert one.exit_code == 1
    assert "Two different people must approve." in one.output
    both = ["--approve", f"oanh={seen}", "--approve", f"hanh={seen}"]
    answer = runner.invoke(ceremony_group, ["run", str(path), *both, "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    assert {path.name for path in out.iterdir()} == {
        "ceremony.yaml", "certificate.cer", "signer.pem", "transcript.json", "transcript.sig",
    }  # fmt: skip


def test_what_a_ceremony_made_is_taken_into_service(city: Settings, tmp_path: Path):
    with db.transaction() as session:
        certificates = {one.name: one.certificate_der for one in authorities.all_authorities(session)}
    room = Room(tmp_path, {})
    room.settings = city
    for name in ("root", "issuing_citizens"):
        (tmp_path / f"{name}.cer").write_bytes(certificates[name])
    act = room.below(
        "re_key", 2, previous=room.named("issuing_citizens.cer"), root_key="worker/root", status_url=city.status_url
    )
    room.hold(act, "g2.cer", now=datetime.now(UTC) + timedelta(seconds=1))
    with db.transaction() as session:
        new = authority_generations.take_in(
            session, city, ProfileName.ISSUING_CITIZENS, (tmp_path / "g2.cer").read_bytes(), str(act["key"]),
            actor=house("test"), approval=authority_generations.Approval(("dung", "oanh")), now=datetime.now(UTC),
        )  # fmt: skip
        assert new.name == "issuing_citizens-g2"


def test_an_installation_begins_with_what_ceremonies_made(database: str, tmp_path: Path):
    room, now = Room(tmp_path, {}), datetime.now(UTC)
    room.hold({**room.root(), "key": "worker/root"}, "root.cer", now=now)
    below = room.below(key="worker/issuing_citizens", root_key="worker/root", status_url="http://127.0.0.1:8081")
    room.hold(below, "issuing_citizens.cer", now=now + timedelta(seconds=1))
    answer = CliRunner(env={**room.environ, "KYVAO_DATABASE_URL": database}).invoke(
        authority, ["create", "--from", str(tmp_path)]
    )
    db.configure(database)
    assert answer.exit_code == 0, answer.output
    with db.transaction() as session:
        found = {one.name: one.certificate_der for one in authorities.all_authorities(session)}
    assert len(found) == 6
    for name in ("root", "issuing_citizens"):
        assert found[name] == (tmp_path / f"{name}.cer").read_bytes()


def test_an_installation_does_not_begin_with_the_certificate_of_another_key(database: str, tmp_path: Path):
    room = Room(tmp_path, {})
    room.hold(room.root(), "root.cer", now=datetime.now(UTC))
    room.hold({**room.root(), "key": "worker/root"}, "other.cer", now=datetime.now(UTC))
    answer = CliRunner(env={**room.environ, "KYVAO_DATABASE_URL": database}).invoke(
        authority, ["create", "--from", str(tmp_path)]
    )
    db.configure(database)
    assert answer.exit_code == 1
    with db.transaction() as session:
        assert authorities.all_authorities(session) == []


def list_of_the_root(city: Settings, folder: Path, *, revoked: list[dict[str, object]]) -> Path:
    """Hold the ceremony of the root's second list; return the file."""
    with db.transaction() as session:
        root = session.scalars(select(Authority).where(Authority.name == "root")).one()
        last = crls.newest(session, root.id, 0)
        assert last is not None
        (folder / "root.cer").write_bytes(root.certificate_der)
        (folder / "last.crl").write_bytes(last.der)
        number = last.number + 1
    room = Room(folder, {})
    room.settings = city
    act = room.root_list(number, root_key="worker/root", previous=room.named("last.crl"), revoked=revoked)
    room.hold(act, "next.crl", now=datetime.now(UTC) + timedelta(seconds=1))
    return folder / "next.crl"


def take_in_list(file: Path) -> str:
    with db.transaction() as session:
        return str(crls_from_ceremony.take_in(session, file.read_bytes(), actor=house("test")).number)


def test_the_roots_list_from_a_ceremony_is_published_once(city: Settings, tmp_path: Path):
    file = list_of_the_root(city, tmp_path, revoked=[])
    assert take_in_list(file) == take_in_list(file) == "2"
    with db.transaction() as session:
        newest = crls.newest(session, session.scalars(select(Authority.id).where(Authority.name == "root")).one(), 0)
        assert newest is not None
        assert newest.der == file.read_bytes()
    # With the key back, the next list follows it.
    with db.transaction() as session:
        root = session.scalars(select(Authority).where(Authority.name == "root")).one()
        later = datetime.now(UTC) + timedelta(seconds=2)
        assert crls.publish(session, city, root, 0, now=later).number == 3


def test_a_list_that_names_others_than_the_register_is_not_published(city: Settings, tmp_path: Path):
    revoked: dict[str, object] = {"serial": "01ab", "revoked_at": NOW, "reason": "superseded"}
    file = list_of_the_root(city, tmp_path, revoked=[revoked])
    with pytest.raises(Conflict):
        take_in_list(file)


@pytest.mark.parametrize("content", [b"", b"0\x80", b"nothing"])
def test_what_is_no_list_of_the_root_is_not_published(city: Settings, tmp_path: Path, content: bytes):
    (tmp_path / "bad.crl").write_bytes(content)
    with pytest.raises(Invalid):
        take_in_list(tmp_path / "bad.crl")
