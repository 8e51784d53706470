"""The process that becomes LibreOffice: without a network, with bounded time, memory and output, in a new profile.

    python -m app.documents.conversion_process DOCUMENT FOLDER

writes FOLDER/out/<name>.pdf. Macros are off, links are not followed, and nothing of the profile outlives the run.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
from pathlib import Path
from typing import Final

from app.documents.no_network import leave_network

PROGRAM: Final = "soffice"
_ROOT: Final = Path(__file__).parent.parent.parent
_CPU_SECONDS: Final = 60
# Addresses, most of which it never fills.
_MEMORY_BYTES: Final = 4 * 1024**3
_OUTPUT_BYTES: Final = 160 * 1024**2
_SETTINGS: Final = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
</oor:items>
"""  # noqa: E501  one setting a line


def environ(folder: Path) -> dict[str, str]:
    """Return what the process may know: nothing of the house."""
    return {
        "HOME": str(folder),
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SAL_USE_VCLPLUGIN": "svp",
    }


def main(document: str, folder: str) -> None:
    """Bound this process and become LibreOffice."""
    leave_network()
    for kind, most in (
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, _OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    profile = Path(folder) / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(_SETTINGS)
    program = shutil.which(PROGRAM)
    if program is None:
        raise SystemExit(1)
    os.execv(  # noqa: S606  a fixed program
        program,
        [
            program,
            f"-env:UserInstallation={profile.parent.as_uri()}",
            "--headless",
            "--norestore",
            "--nolockcheck",
            "--nodefault",
            "--convert-to",
            "pdf:writer_pdf_Export",
            "--outdir",
            str(Path(folder) / "out"),
            document,
        ],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
