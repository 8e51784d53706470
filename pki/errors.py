"""What the library refuses, as types; each carries its facts as attributes.

The Fault enumerations live with the module that raises them; here they are any `StrEnum`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class PkiError(Exception):
    """Base of every error that leaves a public function of this library."""


class ProfileViolation(PkiError):
    """What was asked for does not fit the profile or a limit of a standard."""


class LintFailure(PkiError):
    """A blocking check found something in what was about to be signed; `findings` says what."""

    def __init__(self, findings: Sequence[object]) -> None:
        super().__init__("; ".join(str(finding) for finding in findings))
        self.findings = tuple(findings)


class _Faulty(PkiError):
    def __init__(self, fault: StrEnum) -> None:
        super().__init__(fault.value)
        self.fault = fault


class CsrRejected(_Faulty):
    """A certification request cannot be used; `fault` is a `pki.csr.CsrFault`."""


class PdfRefused(_Faulty):
    """A PDF cannot be signed or checked; `fault` is a `pki.pades.faults.PdfFault`."""


class PictureRefused(_Faulty):
    """A picture cannot become a mark; `fault` is a `pki.layout.cleaning.PictureFault`."""


class PassRejected(_Faulty):
    """What was scanned is not accepted as a pass; `fault` is a `pki.passes.faults.PassFault`."""


class KeyUnavailable(PkiError):
    """A private key is missing, or its passphrase is wrong."""


class KeyMismatch(PkiError):
    """A private key does not belong to the certificate it is used with."""


class RevocationRefused(PkiError):
    """The reason may not be used by this kind of actor, or the order of states forbids it."""


class CrlRefused(PkiError):
    """A CRL may not follow the one published before it."""


class OcspMalformed(PkiError):
    """An OCSP request is not of the form of RFC 6960, 4.1."""


class TimestampRefused(PkiError):
    """A timestamp request is refused; `failure` is a PKIFailureInfo of RFC 3161, 2.4.2."""

    def __init__(self, failure: StrEnum) -> None:
        super().__init__(failure.value)
        self.failure = failure


class SignatureMismatch(PkiError):
    """A signature value does not verify with the public key it should belong to."""


class TbsMismatch(PkiError):
    """What was signed is not byte for byte what was linted and recorded."""
