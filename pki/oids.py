"""Object identifiers by the names their standards give them. What is ours lies under a documentation arc."""

from __future__ import annotations

from typing import Final

# Placeholder until the city registers a private enterprise number (RFC 5612 keeps 32473 for documentation).
CITY_ARC: Final = "1.3.6.1.4.1.32473"
POLICY_CITIZEN: Final = f"{CITY_ARC}.1.1"
POLICY_OFFICIAL: Final = f"{CITY_ARC}.1.2"
POLICY_SEAL: Final = f"{CITY_ARC}.1.3"
POLICY_SERVICE: Final = f"{CITY_ARC}.1.4"
POLICY_TIMESTAMP: Final = f"{CITY_ARC}.1.5"
EKU_PASS_SIGNING: Final = f"{CITY_ARC}.2.1"
EKU_TRUST_LIST_SIGNING: Final = f"{CITY_ARC}.2.2"

# RFC 9336, Microsoft, RFC 5280 4.2.1.12.
EKU_DOCUMENT_SIGNING: Final = "1.3.6.1.5.5.7.3.36"
EKU_MS_DOCUMENT_SIGNING: Final = "1.3.6.1.4.1.311.10.3.12"
EKU_EMAIL_PROTECTION: Final = "1.3.6.1.5.5.7.3.4"
EKU_CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
EKU_TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
EKU_OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"

# RFC 3739 3.2.6 and EN 319 412-1 5.1.
QC_STATEMENTS: Final = "1.3.6.1.5.5.7.1.3"
QCS_PKIX_QC_SYNTAX_V2: Final = "1.3.6.1.5.5.7.11.2"
SEMANTICS_NATURAL: Final = "0.4.0.194121.1.1"
SEMANTICS_LEGAL: Final = "0.4.0.194121.1.2"

# RFC 5758 3.2, RFC 4055 5.
ECDSA_WITH_SHA256: Final = "1.2.840.10045.4.3.2"
ECDSA_WITH_SHA384: Final = "1.2.840.10045.4.3.3"
SHA256_WITH_RSA: Final = "1.2.840.113549.1.1.11"

SHA1: Final = "1.3.14.3.2.26"
SHA256: Final = "2.16.840.1.101.3.4.2.1"
SHA384: Final = "2.16.840.1.101.3.4.2.2"
SHA512: Final = "2.16.840.1.101.3.4.2.3"

# RFC 5280 5.2 and 5.3.
SUBJECT_KEY_IDENTIFIER: Final = "2.5.29.14"
CRL_NUMBER: Final = "2.5.29.20"
REASON_CODE: Final = "2.5.29.21"
INVALIDITY_DATE: Final = "2.5.29.24"
DELTA_CRL_INDICATOR: Final = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT: Final = "2.5.29.28"
FRESHEST_CRL: Final = "2.5.29.46"
AUTHORITY_KEY_IDENTIFIER: Final = "2.5.29.35"

# RFC 6960 4.2.1 and 4.4.1.
OCSP_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
OCSP_NONCE: Final = "1.3.6.1.5.5.7.48.1.2"

# RFC 5652 4, 5.1 and 11, RFC 3161 2.4.2 and appendix A, RFC 5035 3.
DATA: Final = "1.2.840.113549.1.7.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
SIGNATURE_TIME_STAMP: Final = "1.2.840.113549.1.9.16.2.14"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"

# RFC 5126 5.11.1, kept by ETSI EN 319 122-1 5.2.3.
COMMITMENT_TYPE: Final = "1.2.840.113549.1.9.16.2.16"
PROOF_OF_ORIGIN: Final = "1.2.840.113549.1.9.16.6.1"
PROOF_OF_RECEIPT: Final = "1.2.840.113549.1.9.16.6.2"
PROOF_OF_APPROVAL: Final = "1.2.840.113549.1.9.16.6.5"

# RFC 2985 5.4.1.
CHALLENGE_PASSWORD: Final = "1.2.840.113549.1.9.7"  # noqa: S105  an identifier
