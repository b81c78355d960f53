"""Runs one program that dies with its parent and is never root; started as a script by the embedded launcher.

Usage: confined.py PARENT_PID WAY PROGRAM ARGUMENT..., where WAY is ``as-is`` or ``namespace`` (a user
namespace that maps this user to an ordinary one) or ``UID:GID`` (become that user). See user_namespaces(7)
and PR_SET_PDEATHSIG(2const).
"""

import ctypes
import os
import signal
import sys

CLONE_NEWUSER = 0x1000_0000
PR_SET_PDEATHSIG = 1
MAPPED_ID = 1000
EXIT_REFUSED = 77  # the namespace or the change of user was refused


def enter_namespace(library: ctypes.CDLL) -> None:
    """Become an ordinary user in a user namespace of its own; files look the same from outside."""
    user, group = os.geteuid(), os.getegid()
    if library.unshare(CLONE_NEWUSER) != 0:
        sys.exit(EXIT_REFUSED)
    for name, text in (
        ("uid_map", f"{MAPPED_ID} {user} 1"),
        ("setgroups", "deny"),
        ("gid_map", f"{MAPPED_ID} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to import
            file.write(text)


def become(user: int, group: int) -> None:
    """Give up root for another user."""
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


def die_with(parent: int, library: ctypes.CDLL) -> None:
    """Ask for PostgreSQL's fast shutdown (SIGINT) when the parent ends, however it ends.

    Set last: a change of credentials clears it. The parent may have ended before it was set.
    """
    library.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(EXIT_REFUSED)


def main(parent: str, way: str, *command: str) -> None:
    """Confine this process, then turn into the program."""
    library = ctypes.CDLL(None, use_errno=True)
    os.umask(0o077)
    try:
        if way == "namespace":
            enter_namespace(library)
        elif way != "as-is":
            user, group = map(int, way.split(":"))
            become(user, group)
    except OSError:
        sys.exit(EXIT_REFUSED)
    if sys.platform == "linux":
        die_with(int(parent), library)
    os.execv(command[0], command)  # noqa: S606 - becoming the program is the purpose


if __name__ == "__main__":
    main(*sys.argv[1:])
