"""Keys in a token: they sign as keys in files do and never leave it; whatever goes wrong is one kind of error."""

from __future__ import annotations

import os
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pkcs11 import Attribute, KeyType, ObjectClass

from pki.errors import KeyUnavailable, SignatureMismatch
from pki.keys import Curve
from pki.keys.pkcs11 import Token, TokenKey
from pki.keys.signing import check_signature
from tests.factories import tokens


@pytest.fixture
def token() -> Token:
    return tokens.token()


def name() -> str:
    return f"test/{uuid.uuid4().hex}"


def rsa_key(token: Token) -> TokenKey:
    label = name()
    with token._opened() as opened:
        opened.session.generate_keypair(KeyType.RSA, 2048, label=label, store=True)
    return token.key(label)


@pytest.mark.parametrize("curve", list(Curve))
def test_a_key_on_a_curve_signs_what_verifies(token: Token, curve: Curve) -> None:
    made = token.generate(name(), curve)
    assert made.public_key.key_size == (256 if curve is Curve.P256 else 384)
    check_signature(made.public_key, made.sign(b"text"), b"text")
    with pytest.raises(SignatureMismatch):
        check_signature(made.public_key, made.sign(b"text"), b"other")


def test_an_rsa_key_signs_what_verifies(token: Token) -> None:
    made = rsa_key(token)
    assert isinstance(made.public_key, rsa.RSAPublicKey)
    check_signature(made.public_key, made.sign(b"text"), b"text")


def test_openssl_accepts_a_signature_with_another_hash(token: Token, tmp_path: Path) -> None:
    made = token.generate(name(), Curve.P256)
    (tmp_path / "text").write_bytes(b"text")
    (tmp_path / "signature").write_bytes(made.sign(b"text", hash=hashes.SHA512()))
    (tmp_path / "key.pem").write_bytes(
        made.public_key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    words = ["openssl", "dgst", "-sha512", "-verify", "key.pem", "-signature", "signature", "text"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "Verified OK\n"


def test_a_private_key_cannot_be_taken_out_and_lies_nowhere_in_clear(token: Token) -> None:
    made = token.generate(name(), Curve.P256)
    with token._opened() as opened:
        (private,) = opened.session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: made.name})
        assert private[Attribute.EXTRACTABLE] is False
        assert private[Attribute.SENSITIVE] is True
        with pytest.raises(pkcs11.PKCS11Error):
            private[Attribute.VALUE]
    # What the private half of a key on P-256 begins with in any encoding of ours (RFC 5915).
    mark = bytes.fromhex("020101") + b"\x04\x20"
    files = [path for path in (tokens.folder() / "tokens").rglob("*") if path.is_file()]
    assert files
    assert not any(mark in path.read_bytes() for path in files)


def test_neither_the_pin_nor_the_key_is_printed(token: Token) -> None:
    made = token.generate(name(), Curve.P256)
    assert tokens.PIN not in repr(token)
    assert tokens.PIN not in repr(made)


def test_a_key_is_found_by_its_label_and_a_label_is_used_once(token: Token) -> None:
    made = token.generate(name(), Curve.P256)
    assert token.has(made.name)
    assert token.key(made.name).public_key == made.public_key
    with pytest.raises(KeyUnavailable, match="exists already"):
        token.generate(made.name, Curve.P256)
    missing = name()
    assert not token.has(missing)
    with pytest.raises(KeyUnavailable, match="no key"):
        token.key(missing)


def test_many_threads_sign_at_once(token: Token) -> None:
    keys = [token.generate(name(), Curve.P256) for _ in range(2)]

    def sign(number: int) -> None:
        key, text = keys[number % 2], b"%d" % number
        check_signature(key.public_key, key.sign(text), text)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(sign, range(200)))


def test_several_sessions_are_opened_where_they_are_allowed(token: Token) -> None:
    made = token.generate(name(), Curve.P256)
    wide = Token(token.module, token.label, token.pin, sessions=3)
    with wide._opened() as first, wide._opened() as second:
        assert first.session is not second.session
    key = wide.key(made.name)
    check_signature(key.public_key, key.sign(b"text"), b"text")


def test_a_child_of_a_fork_opens_the_token_anew(token: Token) -> None:
    made = token.generate(name(), Curve.P256)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, made.sign(b"text"))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        signature = pipe.read()
    os.waitpid(child, 0)
    check_signature(made.public_key, signature, b"text")
    check_signature(made.public_key, made.sign(b"more"), b"more")


def test_a_session_that_was_lost_is_opened_again(token: Token) -> None:
    made = token.generate(name(), Curve.P256)
    made.sign(b"text")
    with token._opened() as opened:
        opened.session.close()
    check_signature(made.public_key, made.sign(b"more"), b"more")


def test_a_key_that_is_gone_is_said_so(token: Token) -> None:
    made = token.generate(name(), Curve.P256)
    with token._opened() as opened:
        for one in opened.session.get_objects({Attribute.LABEL: made.name}):
            one.destroy()
    with pytest.raises(KeyUnavailable):
        made.sign(b"text")


def test_a_module_or_a_token_that_is_not_there_is_said_so(tmp_path: Path, token: Token) -> None:
    with pytest.raises(KeyUnavailable, match="module"):
        Token(tmp_path / "no.so", "kyvao", "1234").has("x")
    with pytest.raises(KeyUnavailable, match="refuses"):
        Token(token.module, "another", "1234").has("x")
