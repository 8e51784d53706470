"""The blocking check that a certificate is DER and nothing looser: what two readers may read in two ways is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pki import der

_CONSTRUCTED: Final = 0x20
_FALSE: Final = b"\x01\x01\x00"
_TIMES: Final = {
    der.UTC_TIME: re.compile(rb"[0-9]{12}Z"),
    der.GENERALIZED_TIME: re.compile(rb"[0-9]{14}Z"),
}


def find_in_encoding(certificate_der: bytes) -> str | None:
    """Return what is not DER in a certificate, its extensions included; None when all is (RFC 5280, 4.1)."""
    try:
        tbs = der.read(certificate_der).expect(der.SEQUENCE).children()[0]
        _walk(certificate_der)
        for extension in _extensions(tbs):
            _, *criticality, value = extension.expect(der.SEQUENCE).children()
            if any(one.der != der.TRUE for one in criticality):
                return "a criticality that is written although it is the default"
            _walk(value.expect(der.OCTET_STRING).body)
    except (der.DerError, ValueError, IndexError) as error:
        return str(error)
    return None


def _extensions(tbs: der.Element) -> Iterator[der.Element]:
    last = tbs.expect(der.SEQUENCE).children()[-1]
    if last.tag == 0xA3:
        (extensions,) = last.children()
        yield from extensions.expect(der.SEQUENCE).children()


def _walk(encoded: bytes) -> None:
    """Return if `encoded` is a row of elements in DER, to their depth. Raises DerError."""
    for element in der.read_all(encoded):
        _check(element)
        if element.tag & _CONSTRUCTED:
            _walk(element.body)


def _check(element: der.Element) -> None:
    if element.tag == der.INTEGER:
        element.as_integer()
    elif element.tag == der.OBJECT_IDENTIFIER:
        element.as_oid()
    elif element.tag == der.BOOLEAN and element.der not in (der.TRUE, _FALSE):
        raise der.DerError("a BOOLEAN that is neither 00 nor FF")
    elif element.tag == der.BIT_STRING:
        _check_bits(element.body)
    elif element.tag in _TIMES and not _TIMES[element.tag].fullmatch(element.body):
        raise der.DerError("a time with a zone, a fraction or without seconds")


def _check_bits(body: bytes) -> None:
    # X.690, 11.2.1: unused bits are zero.
    if not body or body[0] > 7 or body[-1] & ((1 << body[0]) - 1) or (body[0] and len(body) == 1):
        raise der.DerError("a BIT STRING with something in its unused bits")
