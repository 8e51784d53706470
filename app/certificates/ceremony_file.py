"""The reviewed file of a ceremony: one act in YAML, read strictly, known by the SHA-256 of its bytes.

What people review is what is done: a key that nobody knows or that stands twice is refused, and every file that the
act relies on is named with its own SHA-256.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, TypeAdapter, ValidationError

from pki.errors import ProfileViolation

_LARGEST: Final = 1024 * 1024

_Name = Annotated[str, Field(min_length=1, max_length=64)]
_KeyReference = Annotated[str, Field(pattern=r"^worker/[a-z0-9_.-]{1,80}$")]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Generation = Annotated[StrictInt, Field(ge=1, le=99)]
Issuing = Literal["issuing_citizens", "issuing_officials", "issuing_seals", "issuing_services", "tsa_authority"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NamedFile(_Strict):
    """A file beside the reviewed one, bound by its hash."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
    sha256: _Sha256


class Root(_Strict):
    """A new trust anchor."""

    act: Literal["root"]
    generation: _Generation
    organization: _Name
    common_name: _Name
    # The key that is made, as the configuration knows it.
    key: _KeyReference


class _UnderRoot(_Strict):
    profile: Issuing
    generation: _Generation
    organization: _Name
    common_name: _Name
    key: _KeyReference
    root: NamedFile
    root_key: _KeyReference
    # Where certificates, lists and OCSP answers of the installation are found: it stands in the certificate.
    status_url: Annotated[str, Field(pattern=r"^http://[a-z0-9.:-]{1,200}$")]


class IssuingAuthority(_UnderRoot):
    """The first generation of an authority below the root."""

    act: Literal["issuing_authority"]
    generation: Annotated[StrictInt, Field(ge=1, le=1)]


class ReKey(_UnderRoot):
    """The next generation of an authority, with a new key; the one before keeps its lists and answers."""

    act: Literal["re_key"]
    generation: Annotated[StrictInt, Field(ge=2, le=99)]
    previous: NamedFile


class RevokedAuthority(_Strict):
    """An authority that the root takes back."""

    serial: Annotated[str, Field(pattern=r"^[0-9a-f]{2,40}$")]
    revoked_at: AwareDatetime
    reason: Literal["ca_compromise", "key_compromise", "superseded", "cessation_of_operation"]


class RootList(_Strict):
    """The next revocation list of the root, complete."""

    act: Literal["crl"]
    root: NamedFile
    root_key: _KeyReference
    number: Annotated[StrictInt, Field(ge=1)]
    lifetime_days: Annotated[StrictInt, Field(ge=1, le=366)] = 180
    revoked: tuple[RevokedAuthority, ...]
    # The list before; there is none for number 1 alone.
    previous: NamedFile | None = None


Act = Root | IssuingAuthority | ReKey | RootList
_ACT: Final[TypeAdapter[Act]] = TypeAdapter(Annotated[Act, Field(discriminator="act")])


@dataclass(frozen=True)
class Reviewed:
    """The file as it was read once: nobody reads it again between the hash and the act."""

    content: bytes
    act: Act
    folder: Path

    @property
    def sha256(self) -> str:
        """What the approvers say that they saw."""
        return hashlib.sha256(self.content).hexdigest()

    def read(self, named: NamedFile) -> bytes:
        """Return a file that the reviewed one names. Raises ProfileViolation if it is missing or another one."""
        content = _content(self.folder / named.file)
        if hashlib.sha256(content).hexdigest() != named.sha256:
            raise ProfileViolation(f"{named.file} is not the file that was reviewed: its SHA-256 is another.")
        return content


def read(path: Path) -> Reviewed:
    """Return the act in the file. Raises ProfileViolation with every field that does not fit."""
    content = _content(path)
    try:
        # A subclass of SafeLoader: plain values only.
        given = yaml.load(content, Loader=_Loader)  # noqa: S506
        act = _ACT.validate_python(given)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProfileViolation(f"The file is not the YAML of a ceremony: {error}") from error
    except ValidationError as error:
        found = (f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
        raise ProfileViolation("The file is not that of a ceremony. " + "; ".join(found)) from error
    return Reviewed(content, act, path.parent)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice: people read the first one, YAML takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        if twice or any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            raise yaml.YAMLError(f"a key stands twice, or is a merge: {', '.join(sorted(twice)) or '<<'}")
        return super().construct_mapping(node, deep=deep)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ProfileViolation(f"{path.name} cannot be read.") from error
    if len(content) > _LARGEST:
        raise ProfileViolation(f"{path.name} is too large for a ceremony.")
    return content
