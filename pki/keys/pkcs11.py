"""Private keys in a token (PKCS#11 v2.40): they are made there, sign there, and never leave it.

A process logs in once and keeps a few sessions; after a fork the child begins anew, because a session of the parent
is nothing to it (PKCS #11 usage guide, 2.6.6).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

import pkcs11
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import encode_rsa_public_key

from pki.errors import KeyUnavailable
from pki.keys.signing import Curve, PublicKey, signature_algorithm

# PKCS #1 v1.5 over the hash that the token makes itself (PKCS#11 v2.40 mechanisms, 2.1.6).
_RSA: Final = {
    "sha256": Mechanism.SHA256_RSA_PKCS,
    "sha384": Mechanism.SHA384_RSA_PKCS,
    "sha512": Mechanism.SHA512_RSA_PKCS,
}


@dataclass
class _Open:
    """A session, and the private keys that were looked up in it."""

    session: Any
    keys: dict[str, Any] = field(default_factory=dict)


@dataclass
class Token:
    """A token by its label, opened with a PIN. Shared by the threads of a process; there is one for each module.

    `sessions` is how many threads may use it at once. More than one only where the module is made for it: SoftHSM 2.6
    fails at random, and crashes, when two threads sign.
    """

    module: Path
    label: str
    pin: str = field(repr=False)
    sessions: int = 1
    _pid: int = field(default=0, init=False, repr=False)
    _free: list[_Open] = field(default_factory=list, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _places: threading.BoundedSemaphore = field(init=False, repr=False)
    # The session that logged in; the login lasts as long as it is open.
    _first: Any = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self._places = threading.BoundedSemaphore(self.sessions)

    def key(self, name: str) -> TokenKey:
        """Return the key with that label. Raises KeyUnavailable if there is none, or several."""
        return TokenKey(self, name, self._read_public_key(name))

    def has(self, name: str) -> bool:
        """Say whether there is a private key with that label. Raises KeyUnavailable if the token does not answer."""
        with self._opened() as opened:
            return bool(_found(opened.session, ObjectClass.PRIVATE_KEY, name))

    def generate(self, name: str, curve: Curve) -> TokenKey:
        """Make a key that cannot leave the token. Raises KeyUnavailable if the label is taken, or the token refuses."""
        with self._opened() as opened:
            if _found(opened.session, ObjectClass.PRIVATE_KEY, name):
                raise KeyUnavailable(f"{name} exists already")
            domain = opened.session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(curve.value)}, local=True
            )
            domain.generate_keypair(
                label=name,
                store=True,
                private_template={
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                    Attribute.PRIVATE: True,
                    Attribute.SIGN: True,
                },
                public_template={Attribute.VERIFY: True},
            )
        return self.key(name)

    def sign(self, name: str, data: bytes, mechanism: Mechanism) -> bytes:
        """Return what the key with that label makes of `data`. A lost session is opened again, once.

        Raises KeyUnavailable.
        """
        try:
            return self._sign(name, data, mechanism)
        except KeyUnavailable:
            return self._sign(name, data, mechanism)

    def _sign(self, name: str, data: bytes, mechanism: Mechanism) -> bytes:
        with self._opened() as opened:
            if name not in opened.keys:
                opened.keys[name] = opened.session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=name)
            made: bytes = opened.keys[name].sign(data, mechanism=mechanism)
            return made

    @contextmanager
    def _opened(self) -> Iterator[_Open]:
        """Give a session of this process, logged in. Raises KeyUnavailable for whatever the token answers with."""
        with self._places:
            try:
                opened = self._take()
                yield opened
            except pkcs11.PKCS11Error as error:
                # The session may be lost with the token; the next one is opened anew.
                self._forget()
                raise KeyUnavailable(f"the token “{self.label}” refuses: {type(error).__name__}") from error
            else:
                with self._lock:
                    self._free.append(opened)

    def _take(self) -> _Open:
        with self._lock:
            if self._pid != os.getpid():
                self._open()
            return self._free.pop() if self._free else _Open(self._first.token.open(rw=True))

    def _open(self) -> None:
        try:
            library = pkcs11.lib(str(self.module))
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise KeyUnavailable("the module of the token cannot be loaded") from error
        if self._pid:
            # A child of a fork: what the parent opened is not ours.
            library.reinitialize()  # pragma: no cover  in the child, where coverage does not look
        token = library.get_token(token_label=self.label)
        try:
            self._first = token.open(rw=True, user_pin=self.pin)
        except pkcs11.UserAlreadyLoggedIn:
            # Another Token of this process has logged in.
            self._first = token.open(rw=True)
        self._free, self._pid = [], os.getpid()

    def _forget(self) -> None:
        with self._lock:
            self._free, self._pid = [], 0

    def _read_public_key(self, name: str) -> PublicKey:
        with self._opened() as opened:
            found = _found(opened.session, ObjectClass.PUBLIC_KEY, name)
            if len(found) != 1 or len(_found(opened.session, ObjectClass.PRIVATE_KEY, name)) != 1:
                raise KeyUnavailable(f"the token holds no key {name}, or several")
            encode = encode_ec_public_key if found[0].key_type == KeyType.EC else encode_rsa_public_key
            public_key = load_der_public_key(encode(found[0]))
        # One of the two, as they were encoded; a key of another kind has no such attributes, and the token says so.
        return cast("ec.EllipticCurvePublicKey | rsa.RSAPublicKey", public_key)


@dataclass(frozen=True)
class TokenKey:
    """A private key in a token; see SigningKey."""

    token: Token = field(repr=False)
    name: str
    public_key: PublicKey

    def sign(self, data: bytes, *, hash: hashes.HashAlgorithm | None = None) -> bytes:  # noqa: A002  the field's word
        """Return the signature over `data`; see SigningKey."""
        chosen = hash or self._hash
        if isinstance(self.public_key, rsa.RSAPublicKey):
            return self.token.sign(self.name, data, _RSA[chosen.name])
        digest = hashes.Hash(chosen)
        digest.update(data)
        raw = self.token.sign(self.name, digest.finalize(), Mechanism.ECDSA)
        # PKCS#11 gives r and s side by side (v2.40 mechanisms, 2.3.1); X.509 wants ECDSA-Sig-Value.
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))

    @cached_property
    def _hash(self) -> hashes.HashAlgorithm:
        return signature_algorithm(self.public_key).hash


def _found(session: Any, kind: ObjectClass, name: str) -> list[Any]:
    return list(session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: name}))
