"""RFC 3161: what is asked is read strictly, what is answered holds, what comes back is checked."""

from __future__ import annotations

import hashlib
import random
from datetime import timedelta
from typing import Any

import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki import der, oids, tsa
from pki.errors import TimestampRefused
from pki.keys import Curve, SoftwareKey
from pki.pades.cms import timestamp_request
from pki.profiles import ProfileName
from pki.tsa import TimestampFailure
from tests.factories import pdfs
from tests.factories import pki as factory

DATA = b"the value of a signature"


def unit(**changes: Any) -> tsa.TsaUnit:
    leaf = pdfs.timestamp_leaf()
    facts = {
        "certificate_der": leaf.certificate_der,
        "key": leaf.key,
        "chain_der": (leaf.issuer.certificate_der,),
        "policy_oid": pdfs.POLICY,
    }
    return tsa.TsaUnit(**{**facts, **changes})


def request(**changes: Any) -> bytes:
    facts: dict[str, Any] = {
        "version": "v1",
        "message_imprint": {
            "hash_algorithm": {"algorithm": "sha256"},
            "hashed_message": hashlib.sha256(DATA).digest(),
        },
        "nonce": 4711,
        "cert_req": True,
        **changes,
    }
    return tsp.TimeStampReq({name: value for name, value in facts.items() if value is not None}).dump()


def answer(request_der: bytes, **changes: Any) -> bytes:
    return tsa.respond(tsa.parse_request(request_der), unit=unit(**changes), serial_number=99, now=factory.NOW)


def token_of(response_der: bytes) -> bytes:
    return tsp.TimeStampResp.load(response_der)["time_stamp_token"].dump()


def info_of(response_der: bytes) -> tsp.TSTInfo:
    signed = asn1_cms.ContentInfo.load(token_of(response_der))["content"]
    return tsp.TSTInfo.load(signed["encap_content_info"]["content"].contents)


def failure_of(request_der: bytes) -> TimestampFailure:
    with pytest.raises(TimestampRefused) as caught:
        tsa.parse_request(request_der)
    return TimestampFailure(caught.value.failure)


def imprint(algorithm: str, length: int) -> dict[str, object]:
    return {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": bytes(length)}


@pytest.mark.parametrize(("algorithm", "length"), [("sha256", 32), ("sha384", 48), ("sha512", 64)])
def test_a_request_with_a_hash_from_the_list_is_read(algorithm: str, length: int) -> None:
    read = tsa.parse_request(request(message_imprint=imprint(algorithm, length)))
    assert (read.hash_algorithm, len(read.imprint), read.nonce, read.certificate_wanted) == (
        algorithm,
        length,
        4711,
        True,
    )


@pytest.mark.parametrize(("algorithm", "length"), [("sha1", 20), ("md5", 16), ("sha256", 31), ("sha256", 33)])
def test_a_request_with_a_weak_hash_or_a_wrong_length_is_a_bad_algorithm(algorithm: str, length: int) -> None:
    assert failure_of(request(message_imprint=imprint(algorithm, length))) is TimestampFailure.BAD_ALGORITHM


def test_a_request_over_4_kb_is_not_even_parsed() -> None:
    extension = {"extn_id": "1.2.3.4", "critical": False, "extn_value": core.OctetString(bytes(4096))}
    assert failure_of(request(extensions=[extension])) is TimestampFailure.BAD_DATA_FORMAT


@pytest.mark.parametrize("junk", [b"", b"\x30", b"\x30\x03\x02\x01\x01", b"hello", request() + b"\0"])
def test_what_is_not_a_request_is_a_bad_data_format(junk: bytes) -> None:
    assert failure_of(junk) is TimestampFailure.BAD_DATA_FORMAT


def test_a_critical_extension_is_refused_and_an_uncritical_one_is_not() -> None:
    value = {"extn_id": "1.2.3.4", "extn_value": core.OctetString(b"\5\0")}
    assert failure_of(request(extensions=[{**value, "critical": True}])) is TimestampFailure.UNACCEPTED_EXTENSION
    assert tsa.parse_request(request(extensions=[{**value, "critical": False}])).nonce == 4711


def test_a_nonce_of_257_bits_is_a_bad_request_and_one_of_256_is_not() -> None:
    assert failure_of(request(nonce=1 << 256)) is TimestampFailure.BAD_REQUEST
    assert tsa.parse_request(request(nonce=(1 << 256) - 1)).nonce == (1 << 256) - 1


def test_an_answer_carries_time_serial_policy_accuracy_and_the_nonce() -> None:
    info = info_of(answer(request(), accuracy=timedelta(seconds=1, milliseconds=500)))
    assert info["gen_time"].native == factory.NOW
    assert info["serial_number"].native == 99
    assert info["policy"].dotted == pdfs.POLICY
    assert info["nonce"].native == 4711
    assert (info["accuracy"]["seconds"].native, info["accuracy"]["millis"].native) == (1, 500)


def test_an_answer_without_a_nonce_in_the_request_has_none() -> None:
    assert info_of(answer(request(nonce=None)))["nonce"].native is None


def test_the_time_is_cut_to_whole_seconds() -> None:
    late = factory.NOW + timedelta(microseconds=999_999)
    made = tsa.respond(tsa.parse_request(request()), unit=unit(), serial_number=1, now=late)
    assert info_of(made)["gen_time"].native == factory.NOW


def test_certificates_are_sent_only_when_asked_for() -> None:
    with_them = asn1_cms.ContentInfo.load(token_of(answer(request())))["content"]["certificates"]
    without = asn1_cms.ContentInfo.load(token_of(answer(request(cert_req=False))))["content"]["certificates"]
    assert len(with_them) == 2
    assert not without


def test_another_policy_than_ours_is_refused_and_ours_is_granted() -> None:
    with pytest.raises(TimestampRefused) as caught:
        answer(request(req_policy="1.2.3.4"))
    assert caught.value.failure is TimestampFailure.UNACCEPTED_POLICY
    assert info_of(answer(request(req_policy=pdfs.POLICY)))["policy"].dotted == pdfs.POLICY


def test_a_refusal_says_why_and_grants_nothing() -> None:
    (status,) = core.SequenceOf.load(tsa.refuse(TimestampFailure.BAD_ALGORITHM), spec=tsp.PKIStatusInfo)
    assert status["status"].native == "rejection"
    assert status["fail_info"].native == {"bad_alg"}


def test_what_is_only_ours_is_a_failure_of_the_system_to_others() -> None:
    assert tsa.refuse(TimestampFailure.BAD_TOKEN) == tsa.refuse(TimestampFailure.SYSTEM_FAILURE)


@pytest.mark.parametrize("failure", [one for one in TimestampFailure if one is not TimestampFailure.BAD_TOKEN])
def test_asn1crypto_reads_the_reason_of_a_refusal_and_would_write_the_same(failure: TimestampFailure) -> None:
    (status,) = core.SequenceOf.load(tsa.refuse(failure), spec=tsp.PKIStatusInfo)
    assert status["fail_info"].native == {failure.value}
    written = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {failure.value}}).dump()
    assert tsa.refuse(failure)[2:] == written


def as_asn1crypto_writes(request_der: bytes, made: tsa.TsaUnit, signature: bytes) -> bytes:
    """Return the answer to a request with a nonce, put together from types, around a signature."""
    asked, certificate = tsa.parse_request(request_der), asn1_x509.Certificate.load(made.certificate_der)
    info = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": made.policy_oid,
            "message_imprint": {
                "hash_algorithm": {"algorithm": asked.hash_algorithm},
                "hashed_message": asked.imprint,
            },
            "serial_number": 99,
            "gen_time": factory.NOW,
            "accuracy": {"seconds": 1, **({"millis": 500} if made.accuracy > timedelta(seconds=1) else {})},
            "nonce": asked.nonce,
        }
    ).dump()
    identifier = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(made.certificate_der).digest()})
    attributes = {
        "content_type": "tst_info",
        "message_digest": hashlib.sha256(info).digest(),
        "signing_certificate_v2": tsp.SigningCertificateV2({"certs": [identifier]}),
    }
    named = asn1_cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number})
    signer = {
        "version": "v1",
        "sid": asn1_cms.SignerIdentifier("issuer_and_serial_number", named),
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": asn1_cms.CMSAttributes(
            [asn1_cms.CMSAttribute({"type": kind, "values": [value]}) for kind, value in attributes.items()]
        ),
        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
        "signature": signature,
    }
    signed = {
        "version": "v3",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info)},
        "signer_infos": [asn1_cms.SignerInfo(signer)],
    }
    if asked.certificate_wanted:
        signed["certificates"] = [asn1_x509.Certificate.load(one) for one in (made.certificate_der, *made.chain_der)]
    token = asn1_cms.ContentInfo({"content_type": "signed_data", "content": asn1_cms.SignedData(signed)})
    return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()


@pytest.mark.parametrize("accuracy", [timedelta(seconds=1), timedelta(seconds=1, milliseconds=500)])
@pytest.mark.parametrize("nonce", [0, 127, 128, -5, (1 << 256) - 1])
@pytest.mark.parametrize("wanted", [True, False])
def test_asn1crypto_writes_the_same_token(accuracy: timedelta, nonce: int, wanted: bool) -> None:
    asked, by = request(nonce=nonce, cert_req=wanted), unit(accuracy=accuracy)
    made = tsa.respond(tsa.parse_request(asked), unit=by, serial_number=99, now=factory.NOW)
    signer = asn1_cms.ContentInfo.load(token_of(made))["content"]["signer_infos"][0]
    assert as_asn1crypto_writes(asked, by, signer["signature"].native) == made


def mutated(seed: int, number: int) -> list[bytes]:
    """Return requests with some octets changed, left out or put in, the outer length put right."""
    chance = random.Random(seed)
    value = {"extn_id": "1.2.3.4", "extn_value": core.OctetString(b"\5\0")}
    extensions = [{**value, "critical": True}, {**value, "extn_id": "1.2.3.5", "critical": False}]
    good = [
        request(),
        request(nonce=None, cert_req=None),
        request(req_policy=pdfs.POLICY, message_imprint=imprint("sha512", 64)),
        request(extensions=extensions[1:]),
        request(extensions=extensions),
    ]
    made = []
    for _ in range(number):
        body = bytearray(chance.choice(good)[2:])
        for _ in range(chance.choice([1, 1, 2])):
            at = chance.randrange(len(body))
            body[at : at + chance.randrange(2)] = chance.choice(
                [b"", bytes((chance.randrange(256),)), bytes((body[at] ^ 1 << chance.randrange(8),))]
            )
        made.append(der.sequence(bytes(body)))
    return made


def as_asn1crypto_reads(request_der: bytes) -> tuple[object, ...] | None:
    """Return what a lenient reader of BER makes of a request, or None."""
    try:
        read = tsp.TimeStampReq.load(request_der, strict=True)
        asked = read["message_imprint"]
        if any(one["critical"].native for one in read["extensions"] or ()) or read["version"].native != "v1":
            return None
        return (
            asked["hash_algorithm"]["algorithm"].native,
            asked["hashed_message"].native,
            read["req_policy"].native,
            read["nonce"].native,
            read["cert_req"].native,
        )
    except (ValueError, TypeError):
        return None


@pytest.mark.parametrize("seed", range(4))
def test_no_mutated_request_is_read_otherwise_than_asn1crypto_reads_it(seed: int) -> None:
    accepted = 0
    for request_der in mutated(seed, 2_000):
        try:
            read = tsa.parse_request(request_der)
        except TimestampRefused:
            continue
        accepted += 1
        mine = (read.hash_algorithm, read.imprint, read.policy_oid, read.nonce, read.certificate_wanted)
        assert mine == as_asn1crypto_reads(request_der), request_der.hex()
    assert accepted > 100


HEAD = bytes.fromhex("020101 3031300d06096086480165030402010500 0420") + bytes(32)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (bytes.fromhex("0101fe"), "TRUE that is not FF"),
        (bytes.fromhex("01020000"), "a BOOLEAN of two octets"),
        (bytes.fromhex("02020001"), "an INTEGER not in its shortest form"),
        (bytes.fromhex("0201050601 2a"), "a policy behind the nonce"),
        (bytes.fromhex("0101ff 0101ff"), "certificates wanted twice"),
        (bytes.fromhex("a100"), "extensions under another tag"),
        (bytes.fromhex("a002 3000"), "an extension without anything"),
        (bytes.fromhex("a007 3005 06012a 0500"), "an extension whose value is no OCTET STRING"),
        (bytes.fromhex("a00e 300c 06012a 0101ff 04010004 0100"), "an extension with two values"),
        (bytes.fromhex("a000 0500"), "something behind the extensions"),
    ],
)  # fmt: skip
def test_a_request_that_is_not_der_is_a_bad_data_format(body: bytes, why: str) -> None:
    assert failure_of(der.sequence(HEAD, body)) is TimestampFailure.BAD_DATA_FORMAT, why


def test_certificates_not_wanted_may_be_said_aloud() -> None:
    assert not tsa.parse_request(der.sequence(HEAD, bytes.fromhex("010100"))).certificate_wanted


def test_a_hash_with_two_parameters_is_a_bad_data_format() -> None:
    algorithm = der.sequence(der.oid(oids.SHA256), der.NULL, der.NULL)
    asked = der.sequence(der.integer(1), der.sequence(algorithm, der.octet_string(bytes(32))))
    assert failure_of(asked) is TimestampFailure.BAD_DATA_FORMAT


def test_another_version_is_a_bad_request() -> None:
    assert failure_of(der.sequence(der.integer(2), HEAD[3:])) is TimestampFailure.BAD_REQUEST


def test_a_client_gets_the_token_that_answers_its_request() -> None:
    asked = timestamp_request(DATA, nonce=5)
    token = tsa.read_token(tsa.token_from_response(answer(asked), request_der=asked))
    assert token.gen_time == factory.NOW
    assert token.imprint == hashlib.sha256(DATA).digest()
    assert token.signer_der in token.certificates_der


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (timestamp_request(b"other data", nonce=5), "another imprint"),
        (timestamp_request(DATA, nonce=6), "another nonce"),
    ],
)
def test_a_client_refuses_an_answer_to_another_request(other: bytes, why: str) -> None:
    with pytest.raises(TimestampRefused) as caught:
        tsa.token_from_response(answer(other), request_der=timestamp_request(DATA, nonce=5))
    assert caught.value.failure is TimestampFailure.BAD_TOKEN, why


def test_a_client_learns_why_it_was_refused() -> None:
    with pytest.raises(TimestampRefused) as caught:
        tsa.token_from_response(tsa.refuse(TimestampFailure.TIME_NOT_AVAILABLE), request_der=request())
    assert caught.value.failure is TimestampFailure.TIME_NOT_AVAILABLE


def test_a_refusal_without_a_reason_is_a_bad_token() -> None:
    bare = bytes.fromhex("30053003020102")
    with pytest.raises(TimestampRefused) as caught:
        tsa.token_from_response(bare, request_der=request())
    assert caught.value.failure is TimestampFailure.BAD_TOKEN


@pytest.mark.parametrize("junk", [b"", b"junk", bytes(tsa.MAXIMUM_RESPONSE + 1)])
def test_a_client_refuses_what_is_no_answer(junk: bytes) -> None:
    with pytest.raises(TimestampRefused):
        tsa.token_from_response(junk, request_der=request())


def test_every_flipped_byte_of_the_signed_part_of_a_token_is_noticed() -> None:
    token = token_of(answer(request()))
    info = asn1_cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].contents
    start = token.index(info)
    for at in range(start, start + len(info)):
        with pytest.raises(TimestampRefused):
            tsa.read_token(pdfs.flipped(token, at))


def test_a_token_signed_by_another_key_is_refused() -> None:
    forged = answer(request(), key=SoftwareKey.generate(Curve.P256))
    with pytest.raises(TimestampRefused):
        tsa.read_token(token_of(forged))


def test_a_token_without_its_certificate_is_refused() -> None:
    with pytest.raises(TimestampRefused):
        tsa.read_token(token_of(answer(request(cert_req=False))))


def test_a_token_of_a_p384_unit_is_signed_with_sha384_and_holds() -> None:
    issuer = factory.authority(ProfileName.TSA_AUTHORITY)
    made = token_of(answer(request(), certificate_der=issuer.certificate_der, key=issuer.key))
    signer = asn1_cms.ContentInfo.load(made)["content"]["signer_infos"][0]
    assert signer["digest_algorithm"]["algorithm"].native == "sha384"
    assert tsa.read_token(made).gen_time == factory.NOW


def changed(token_der: bytes, change: Any) -> bytes:
    token = asn1_cms.ContentInfo.load(token_der)
    change(token["content"])
    return token.dump(force=True)


def with_hash(name: str) -> Any:
    def change(signed: asn1_cms.SignedData) -> None:
        signed["signer_infos"][0]["digest_algorithm"] = {"algorithm": name}

    return change


def twice(signed: asn1_cms.SignedData) -> None:
    signed["signer_infos"].append(signed["signer_infos"][0].copy())


def by_key_identifier(signed: asn1_cms.SignedData) -> None:
    signed["signer_infos"][0]["sid"] = asn1_cms.SignerIdentifier("subject_key_identifier", b"12345678")


def with_repeated_attribute(signed: asn1_cms.SignedData) -> None:
    attributes = signed["signer_infos"][0]["signed_attrs"]
    attributes.append(attributes[0].copy())


@pytest.mark.parametrize(
    "change", [with_hash("sha1"), with_hash("md5"), twice, by_key_identifier, with_repeated_attribute]
)
def test_a_token_that_contradicts_itself_is_refused(change: Any) -> None:
    with pytest.raises(TimestampRefused):
        tsa.read_token(changed(token_of(answer(request())), change))


def foreign_leaf(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """Return a certificate of another house, signed by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TSA of others")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5, factory.NOW, factory.NOW + timedelta(days=9))
    hash_algorithm = hashes.SHA256() if isinstance(key, rsa.RSAPrivateKey) else None
    return builder.sign(key, hash_algorithm).public_bytes(Encoding.DER)


def test_a_token_of_a_foreign_unit_with_an_rsa_key_is_read() -> None:
    key = rsa.generate_private_key(65537, 2048)
    made = answer(request(), certificate_der=foreign_leaf(key), key=SoftwareKey(key), chain_der=())
    assert tsa.read_token(token_of(made)).gen_time == factory.NOW


def test_a_token_by_a_kind_of_key_that_we_do_not_know_is_refused() -> None:
    stranger = foreign_leaf(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(TimestampRefused):
        tsa.read_token(token_of(answer(request(), certificate_der=stranger, chain_der=())))


def with_old_identifier(signed: asn1_cms.SignedData) -> None:
    """Name the certificate as RFC 3161 did before RFC 5816, by SHA-1, and sign that."""
    leaf, signer = pdfs.timestamp_leaf(), signed["signer_infos"][0]
    serial_number = signer["sid"].chosen["serial_number"].native
    (certificate_der,) = [
        one.chosen.dump() for one in signed["certificates"] if one.chosen.serial_number == serial_number
    ]
    old = tsp.SigningCertificate({"certs": [{"cert_hash": hashlib.sha1(certificate_der).digest()}]})
    kept = [one for one in signer["signed_attrs"] if one["type"].native != "signing_certificate_v2"]
    named = asn1_cms.CMSAttribute({"type": "signing_certificate", "values": [old]})
    attributes = asn1_cms.CMSAttributes([*kept, named])
    signer["signed_attrs"] = attributes
    signer["signature"] = leaf.key.sign(attributes.dump())


def test_a_token_that_names_its_certificate_in_the_old_way_is_read() -> None:
    assert tsa.read_token(changed(token_of(answer(request())), with_old_identifier)).gen_time == factory.NOW
