"""A token of SoftHSM in a folder of its own, made once for each pytest process."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from pki.keys.pkcs11 import Token

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
LABEL = "kyvao-test"
PIN = "246813579"


@cache
def folder() -> Path:
    """The folder of the token's files. The module reads its settings once, when it is loaded first."""
    made = Path(mkdtemp(prefix="kyvao-token-"))
    (made / "tokens").mkdir()
    (made / "softhsm2.conf").write_text(f"directories.tokendir = {made}/tokens\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(made / "softhsm2.conf")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "97531"],
        check=True,
        capture_output=True,
    )
    return made


@cache
def token() -> Token:
    folder()
    return Token(MODULE, LABEL, PIN)


@cache
def environ() -> dict[str, str]:
    """The settings of an installation whose keys all live in the token."""
    made = folder()
    pin = made / "pin"
    pin.write_text(f"{PIN}\n")
    pin.chmod(0o600)
    return {
        "KYVAO_TOKEN_MODULE": str(MODULE),
        "KYVAO_TOKEN_LABEL": LABEL,
        "KYVAO_TOKEN_PIN_FILE": str(pin),
        "SOFTHSM2_CONF": str(made / "softhsm2.conf"),
    }
