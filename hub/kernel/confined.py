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
EXIT_REFUSED = 77  # the namespace, the change of user or the tie to the parent was refused


def enter_namespace() -> None:
    """Become an ordinary user in a user namespace of its own; files look the same from outside."""
    user, group = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
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


def die_with(parent: int, last: signal.Signals) -> None:
    """Send this process a last signal when its parent ends, also by kill -9 (Linux only).

    It hangs on the parent's thread that started this process, which must be one that lives on. Set it
    last: a change of credentials clears it. Ends at once when the parent ended before it was set.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, last, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(EXIT_REFUSED)


def main(parent: str, way: str, *command: str) -> None:
    """Confine this process, then turn into the program."""
    os.umask(0o077)
    try:
        if way == "namespace":
            enter_namespace()
        elif way != "as-is":
            user, group = map(int, way.split(":"))
            become(user, group)
    except OSError:
        sys.exit(EXIT_REFUSED)
    die_with(int(parent), signal.SIGINT)  # PostgreSQL's fast shutdown
    os.execv(command[0], command)  # noqa: S606 - becoming the program is the purpose


if __name__ == "__main__":
    main(*sys.argv[1:])
