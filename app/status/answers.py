"""OCSP: from the bytes of a request to the bytes of an answer (RFC 6960, RFC 5019, RFC 9654).

An answer is stored, or signed now: for a nonce, for another form of CertID, for a certificate newer than the file of
answers, for one that was changed since, and for all of them while this worker does not hear the database. At most one
indexed query is needed, and none for what the file holds.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from app.status.feed import Book, Feed
from app.status.lookups import UNKNOWN_STATE, Register, State, octets
from app.status.material import Material, Served
from app.status.wire import Said, quick
from pki import der
from pki.errors import OcspMalformed
from pki.ocsp import CertId, OcspError, OcspRequest, error_response, parse_request

# A stored answer in the last quarter of its life is signed again on the way: whoever makes the file is late.
_FRESH: Final = 0.75
_MOST_KEPT: Final = 10_000
_ERRORS: Final[Mapping[OcspError, bytes]] = {error: error_response(error) for error in OcspError}

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Answer(NamedTuple):
    """An OCSPResponse, and its times in seconds since 1970; 0 where another client must not be given the same bytes."""

    der: bytes
    this_update: int = 0
    next_update: int = 0


class Kept(Generic[K, V]):
    """A small memory; full, it forgets everything and begins anew."""

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most, self._values = most, dict[K, V]()

    def get(self, key: K) -> V | None:
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        if len(self._values) >= self._most:
            self._values = {}
        self._values[key] = value


class Answers:
    """Answers requests from the books, or from the register."""

    def __init__(self, feed: Feed, register: Register, lifetime: timedelta) -> None:
        """`lifetime` is how long an answer signed now may be believed."""
        self._feed, self._register, self._lifetime = feed, register, int(lifetime.total_seconds())
        # States of what changed since the file, under the book and the count of changes they were read at.
        self._changed: Kept[tuple[UUID, bytes], tuple[Book, int, State]] = Kept()
        # Answers to other forms of CertID than the stored one, for what the file holds.
        self._other_forms: Kept[tuple[bytes, bytes, Said], bytes] = Kept()

    def answer(self, material: Material, request_der: bytes, now: datetime) -> Answer:
        """Return the answer; a request that cannot be read or is not for us gets an error of OCSP itself.

        Raises SQLAlchemyError when the register must be asked and cannot be, KeyUnavailable.
        """
        if not material.served:
            # The database has not been there yet, or the authorities are still to be made.
            return error(OcspError.TRY_LATER)
        seconds = int(now.timestamp())
        common = quick(request_der)
        served = material.by_prefix.get(common.prefix) if common is not None else None
        if common is not None and served is not None:
            return self._one(served, *common, common.serial, seconds)
        try:
            request = parse_request(request_der)
        except OcspMalformed:
            return error(OcspError.MALFORMED_REQUEST)
        return self._read(material, request, seconds)

    def _read(self, material: Material, request: OcspRequest, now: int) -> Answer:
        """Answer a request of any form.

        A responder speaks for one authority: certificates of two of ours in one request are `unauthorized`, so that
        the client asks again for each; issuers that are not ours beside one that is are `unknown` (RFC 6960, 2.2, 2.3).
        """
        asked = {one.issuer: material.served.get(one.issuer) for one in request.cert_ids if one.issuer is not None}
        ours = {served.authority_id: served for served in asked.values() if served is not None}
        if len(ours) != 1:
            return error(OcspError.UNAUTHORIZED)
        (served,) = ours.values()
        if len(request.cert_ids) == 1:
            (cert_id,) = request.cert_ids
            return self._one(served, *_parts(cert_id), request.nonce, _register_serial(cert_id), now)
        return self._several(material, served, request, now)

    def _one(
        self, served: Served, prefix: bytes, serial_in_request: bytes, nonce: bytes | None, serial: bytes, now: int
    ) -> Answer:
        """Answer for one; `serial` is how the register keeps the number, which a request may write otherwise."""
        book = self._feed.book(served.authority_id)
        slot = book.look_up(serial) if book is not None else None
        # One whose life is over says nothing any more: the changes since may be forgotten (see `Keeper`).
        if book is None or slot is None or now >= slot.this_update + book.file.header.lifetime:
            said = self._said(self._state(served, book, serial), now)
            return self._signed(served, prefix, serial_in_request, said, nonce)
        said = Said(
            slot.status, slot.reason, slot.revoked_at, slot.this_update, slot.this_update + book.file.header.lifetime
        )
        if nonce is not None or now >= slot.this_update + book.file.header.lifetime * _FRESH:
            return self._signed(served, prefix, serial_in_request, _renewed(said, now, self._lifetime), nonce)
        composer = served.composer
        if prefix != served.prefix or book.file.header.responder_sha256 != composer.sha256:
            return self._other_form(served, prefix, serial_in_request, said)
        data = composer.to_be_signed(prefix, serial_in_request, said)
        return Answer(composer.response(data, slot.signature), said.this_update, said.next_update)

    def _signed(self, served: Served, prefix: bytes, serial: bytes, said: Said, nonce: bytes | None) -> Answer:
        data = served.composer.to_be_signed(prefix, serial, said, nonce)
        response = served.composer.response(data, served.composer.sign(data))
        return Answer(response, said.this_update, said.next_update) if nonce is None else Answer(response)

    def _other_form(self, served: Served, prefix: bytes, serial: bytes, said: Said) -> Answer:
        key = (served.composer.sha256 + prefix, serial, said)
        response = self._other_forms.get(key)
        if response is None:
            response = self._signed(served, prefix, serial, said, None).der
            self._other_forms.put(key, response)
        return Answer(response, said.this_update, said.next_update)

    def _several(self, material: Material, served: Served, request: OcspRequest, now: int) -> Answer:
        ours = [one for one in request.cert_ids if one.issuer is not None and material.served.get(one.issuer) is served]
        states = self._states(served, {_register_serial(one) for one in ours})
        said = [
            (
                one.der,
                self._said(states.get(_register_serial(one), UNKNOWN_STATE) if one in ours else UNKNOWN_STATE, now),
            )
            for one in request.cert_ids
        ]
        data = served.composer.to_be_signed_for(said, request.nonce)
        response = served.composer.response(data, served.composer.sign(data))
        return Answer(response, now, now + self._lifetime) if request.nonce is None else Answer(response)

    def _state(self, served: Served, book: Book | None, serial: bytes) -> State:
        """Return the status of one that the file does not settle."""
        authority = served.authorities.get(serial)
        if authority is not None:
            return authority
        # Read before the register is: a change between the two makes what was read void.
        count = book.changed.get(serial) if book is not None else None
        if book is None or count is None:
            return self._ask(served, serial)
        kept = self._changed.get((served.authority_id, serial))
        if kept is not None and kept[0] is book and kept[1] == count:
            return kept[2]
        state = self._ask(served, serial)
        self._changed.put((served.authority_id, serial), (book, count, state))
        return state

    def _ask(self, served: Served, serial: bytes) -> State:
        return self._register.look_up(served.authority_id, [serial]).get(serial, UNKNOWN_STATE)

    def _states(self, served: Served, serials: set[bytes]) -> dict[bytes, State]:
        found = {serial: state for serial, state in served.authorities.items() if serial in serials}
        if rest := serials - found.keys():
            found |= self._register.look_up(served.authority_id, rest)
        return found

    def _said(self, state: State, now: int) -> Said:
        return Said(state.status, state.reason, state.revoked_at, now, now + self._lifetime)


def error(word: OcspError) -> Answer:
    """Return an answer that says only what went wrong."""
    return Answer(_ERRORS[word])


def _renewed(said: Said, now: int, lifetime: int) -> Said:
    return Said(said.status, said.reason, said.revoked_at, now, now + lifetime)


def _parts(cert_id: CertId) -> tuple[bytes, bytes]:
    """Return what stands before the serial number in a CertID, and the number as it was sent."""
    body = der.read(cert_id.der).body
    serial = der.read_all(body)[-1]
    return body[: len(body) - len(serial.der)], serial.body


def _register_serial(cert_id: CertId) -> bytes:
    return octets(cert_id.serial_number) if cert_id.serial_number > 0 else b""
