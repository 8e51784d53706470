"""Many files before pkilint in one process; run with the Python of `.venv-interop`, which has pkilint and not us.

    .venv-interop/bin/python scripts/bench/pkilint_many.py certificate|crl|ocsp FILE…

Prints each file with findings at WARNING or above, then the number of such files; exits with 1 if there is one.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pkilint.bin import lint_crl, lint_etsi_cert, lint_ocsp_response, lint_pkix_cert  # type: ignore[import-not-found]

_PROGRAMS = {
    "certificate": (
        (lint_etsi_cert, ["-t", "NCP-NATURAL-PERSON-CERTIFICATE"]),
        (lint_pkix_cert, []),
    ),
    "crl": ((lint_crl, ["-t", "CRL", "-p", "PKIX"]),),
    "arl": ((lint_crl, ["-t", "ARL", "-p", "PKIX"]),),
    "ocsp": ((lint_ocsp_response, []),),
}


def main() -> int:
    kind, *paths = sys.argv[1:]
    bad = [path for path in paths if not _is_clean(kind, Path(path))]
    print(f"{len(bad)} of {len(paths)} files with findings")
    return int(bool(bad))


def _is_clean(kind: str, path: Path) -> bool:
    findings: int = sum(
        program.main(["lint", "-s", "WARNING", *words, str(path)]) for program, words in _PROGRAMS[kind]
    )
    if findings:
        print(path)
    return findings == 0


if __name__ == "__main__":
    sys.exit(main())
