"""One record of a file, read into what a campaign needs of it, or the reason why it cannot be."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from email_validator import EmailNotValidError, validate_email

from app.campaigns.columns import Column
from app.campaigns.models import Mode
from app.campaigns.reading import Record
from app.core.settings import Settings
from app.registry.numbers import index_of, read_number
from app.registry.search import fold
from pki import csr
from pki.csr import CsrFault
from pki.errors import CsrRejected, ProfileViolation
from pki.names import clean
from pki.profiles import ProfileName


class Reason(StrEnum):
    """Why a row is rejected; words in app.campaigns.words."""

    HEAD_AGAIN = "head_again"
    NUMBER_MISSING = "number_missing"
    BAD_NUMBER = "bad_number"
    NAME_MISSING = "name_missing"
    NAME_TOO_LONG = "name_too_long"
    BAD_NAME = "bad_name"
    BAD_EMAIL = "bad_email"
    CONSENT_MISSING = "consent_missing"
    AGENCY_MISSING = "agency_missing"
    UNKNOWN_AGENCY = "unknown_agency"
    OUTSIDE_SCOPE = "outside_scope"
    TITLE_MISSING = "title_missing"
    BAD_TITLE = "bad_title"
    KEY_MISSING = "key_missing"
    BAD_KEY = "bad_key"
    WEAK_KEY = "weak_key"
    CSR_NOT_PROVEN = "csr_not_proven"
    TWICE_IN_FILE = "twice_in_file"
    KEY_TWICE = "key_twice"
    KEY_USED = "key_used"
    HAS_CERTIFICATE = "has_certificate"
    HAS_REQUEST = "has_request"
    IN_OTHER_CAMPAIGN = "in_other_campaign"
    INVITED_ALREADY = "invited_already"
    NAME_DIFFERS = "name_differs"
    NOT_CERTIFIABLE = "not_certifiable"


class RowRejected(Exception):
    """This row cannot be taken."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(slots=True)
class ReadRow:
    """What a row says; parts that could be read are kept even when the row is rejected, so that people find it."""

    number: int
    reason: Reason | None = None
    number_index: bytes | None = None
    tail_index: bytes | None = None
    surname: str | None = None
    given_name: str | None = None
    email: str | None = None
    agency_code: str | None = None
    title: str | None = None
    csr_der: bytes | None = None
    spki_der: bytes | None = None
    spki_sha256: bytes | None = None
    # Of the request; not stored, since the request holds it.
    spki_of_csr: bytes | None = None


_LONGEST_NAME: Final = 64
_CONSENT: Final = frozenset({"co", "yes", "x", "1", "y", "true", "dong y", "da dong y"})
# What nearly every address looks like; the others are looked at closely.
_PLAIN_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9_+-]|\.(?=[A-Za-z0-9_+-])){0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
_LONGEST_ADDRESS: Final = 254
_TEN_OR_ELEVEN: Final = re.compile(r"[1-9][0-9]{9,10}")


def read_row(record: Record, mode: Mode, profile: ProfileName, settings: Settings) -> ReadRow:
    """Read everything that one row says by itself; the first thing wrong stands in `reason`."""
    row = ReadRow(record.number)
    try:
        if record.is_head:
            raise RowRejected(Reason.HEAD_AGAIN)
        _read_person(row, record, settings)
        row.agency_code = _needed(record, Column.AGENCY, Reason.AGENCY_MISSING)
        if profile is ProfileName.OFFICIAL_SIGNING:
            row.title = _title(_needed(record, Column.TITLE, Reason.TITLE_MISSING))
        if fold(_needed(record, Column.CONSENT, Reason.CONSENT_MISSING)) not in _CONSENT:
            raise RowRejected(Reason.CONSENT_MISSING)
        if mode is Mode.ISSUE:
            _read_key(row, record)
    except RowRejected as rejected:
        row.reason = rejected.reason
    return row


def restore_zeros(text: str) -> str:
    """Return a citizen number with the leading zeros that a spreadsheet takes from what it thinks is a number.

    Every number begins with 0 (the province, 001 to 096), so ten or eleven digits that begin with another lost them.
    """
    digits = text.replace(" ", "").replace(".", "")
    return digits.zfill(12) if _TEN_OR_ELEVEN.fullmatch(digits) else text


def _read_person(row: ReadRow, record: Record, settings: Settings) -> None:
    # The name first: it is what people look for in the list of rejected rows.
    surname, given_name = _names(record)
    row.surname, row.given_name = surname[:200], given_name[:200]
    number = read_number(restore_zeros(_needed(record, Column.NUMBER, Reason.NUMBER_MISSING)))
    if number is None:
        raise RowRejected(Reason.BAD_NUMBER)
    row.number_index = index_of(settings, number)
    row.tail_index = tail_index(settings, number[-4:], row.number_index)
    if not surname or not given_name:
        raise RowRejected(Reason.NAME_MISSING)
    row.surname, row.given_name = _name(surname), _name(given_name)
    if len(f"{row.surname} {row.given_name}") > _LONGEST_NAME:
        raise RowRejected(Reason.NAME_TOO_LONG)
    if email := record.cells.get(Column.EMAIL):
        row.email = _address(email)


def tail_index(settings: Settings, four_digits: str, number_index: bytes) -> bytes:
    """Return the index of a number's last four digits, bound to its owner, so that it tells nobody who shares them."""
    return index_of(settings, f"{four_digits}/{number_index.hex()}")


def _names(record: Record) -> tuple[str, str]:
    surname, given = record.cells.get(Column.SURNAME, ""), record.cells.get(Column.GIVEN_NAME, "")
    if not surname and not given and (whole := record.cells.get(Column.FULL_NAME)):
        surname, _, given = _spaced(whole).rpartition(" ")
    return _spaced(surname), _spaced(given)


def _spaced(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).replace("\u00a0", " ").split(" ")).strip()


def _name(text: str) -> str:
    if len(text) > _LONGEST_NAME:
        raise RowRejected(Reason.NAME_TOO_LONG)
    single = " ".join(part for part in text.split(" ") if part)
    if not all(letter.isalpha() or letter in " '’.-" or "\u0300" <= letter <= "\u036f" for letter in single):
        raise RowRejected(Reason.BAD_NAME)
    try:
        return clean(single, longest=_LONGEST_NAME)
    except ProfileViolation as error:
        raise RowRejected(Reason.BAD_NAME) from error


def _title(text: str) -> str:
    try:
        return clean(_spaced(text), longest=_LONGEST_NAME)
    except ProfileViolation as error:
        raise RowRejected(Reason.BAD_TITLE) from error


def _address(text: str) -> str:
    if len(text) <= _LONGEST_ADDRESS and _PLAIN_ADDRESS.fullmatch(text):
        return text
    try:
        # ASCII only: too few mail servers take other addresses (RFC 6531).
        valid = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise RowRejected(Reason.BAD_EMAIL) from error
    return valid.ascii_email or valid.normalized


def _needed(record: Record, column: Column, otherwise: Reason) -> str:
    found = record.cells.get(column)
    if not found:
        raise RowRejected(otherwise)
    return found


_REASON_OF_FAULT: Final = {
    CsrFault.BAD_SIGNATURE: Reason.CSR_NOT_PROVEN,
    CsrFault.WEAK_DIGEST: Reason.CSR_NOT_PROVEN,
    CsrFault.KEY_NOT_ALLOWED: Reason.WEAK_KEY,
}


def _read_key(row: ReadRow, record: Record) -> None:
    request, key = record.cells.get(Column.CSR), record.cells.get(Column.KEY)
    try:
        if request:
            row.csr_der = _der(request)
            proven = csr.parse(row.csr_der)
            row.spki_of_csr, row.spki_sha256 = proven.spki_der, bytes.fromhex(proven.spki_sha256)
        elif key:
            row.spki_der = _der(key)
            row.spki_sha256 = bytes.fromhex(csr.key_of_spki(row.spki_der).spki_sha256)
        else:
            raise RowRejected(Reason.KEY_MISSING)
    except CsrRejected as error:
        raise RowRejected(_REASON_OF_FAULT.get(CsrFault(error.fault), Reason.BAD_KEY)) from error


def _der(text: str) -> bytes:
    """Return the DER of a cell that holds PEM or bare base64."""
    body = "".join(line for line in text.split("\n") if not line.strip().startswith("-----"))
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RowRejected(Reason.BAD_KEY) from error
