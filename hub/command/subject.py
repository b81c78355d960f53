"""Reads whom a command is about from standard input: on the command line it would stand in histories."""

from __future__ import annotations

import sys
from getpass import getpass

import typer

from hub.subjects.model import Scheme, Subject
from hub.subjects.rules import resident_id, uscc


def subject_on_standard_input(option: str | None = None) -> Subject:
    """The person or business whose number stands in the first line; typed unseen on a terminal.

    Raises typer.BadParameter, which names ``option`` and never the number.
    """
    text = getpass("ID number or USCC 证件号码: ") if sys.stdin.isatty() else sys.stdin.readline()
    person, business = resident_id(text.strip()), uscc(text.strip().upper())
    if person is not None:
        return Subject(Scheme.RESIDENT_ID, person)
    if business is not None:
        return Subject(Scheme.USCC, business)
    raise typer.BadParameter(
        "standard input holds no valid ID number or USCC 标准输入中没有有效的证件号码", param_hint=option
    )
