"""Reads a whole manifest: either every part of it is right, or every mistake is told at once."""

from __future__ import annotations

import re
import tomllib

from connectors.contract import Tell
from connectors.manifest.connection import read_address, read_credentials, read_limits, read_telling
from connectors.manifest.cursor import Cursor
from connectors.manifest.model import Kind, Manifest, Mistake, Offered
from connectors.manifest.offerings import read_offering

ID = r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]"
USCC = r"[0-9A-HJ-NP-RTUWXY]{18}"
LONGEST = 262_144  # characters
POSITION = re.compile(r"\(at (line \d+, column \d+|end of document)\)")


def read(text: str) -> Manifest | tuple[Mistake, ...]:
    """The manifest, or every mistake with the path of its key, like ``offerings[0].fields.sex.codes``."""
    if len(text) > LONGEST:
        return (Mistake("", f"at most {LONGEST} characters"),)
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = POSITION.search(str(error))
        return (Mistake("", f"TOML: not readable at {found[1] if found else 'some place'}"),)
    mistakes: list[Mistake] = []
    manifest = _read_manifest(Cursor(table, "", mistakes))
    return tuple(mistakes) or manifest


def _read_manifest(cursor: Cursor) -> Manifest:
    head = cursor.table("connector")
    kind = Kind(head.choice("kind", tuple(Kind)))
    tell = Tell(head.choice("tell", tuple(Tell), "none"))
    name = head.table("name")
    offered = tuple(read_offering(one, kind, tell) for one in cursor.tables("offerings"))
    repeatable = frozenset(one.offering.name for one, repeatable in offered if repeatable)
    manifest = Manifest(
        head.text("id", "a name of a-z, 0-9 and -, 2 to 64 characters", ID),
        head.text("agency", "the agency's unified social credit code, 18 characters", USCC),
        kind,
        name.text("zh"),
        name.text("en"),
        tell,
        read_address(head, kind),
        read_credentials(head, kind),
        read_telling(head, kind),
        read_limits(head, repeatable),
        tuple(one for one, _ in offered),
    )
    _check_offerings(cursor, head, manifest)
    name.finish()
    head.finish()
    cursor.finish()
    return manifest


def _check_offerings(cursor: Cursor, head: Cursor, manifest: Manifest) -> None:
    offered = manifest.offerings
    if not offered:
        cursor.mistake("offerings", "at least one offering")
    if len({one.offering.name for one in offered}) < len(offered):
        cursor.mistake("offerings", "a different name for each offering")
    if len({(one.offering.record, one.offering.key) for one in offered}) < len(offered):
        cursor.mistake("offerings", "each record by each key once")
    _check_telling(head, manifest, offered)


def _check_telling(head: Cursor, manifest: Manifest, offered: tuple[Offered, ...]) -> None:
    if manifest.kind is Kind.FILES:
        if manifest.tell is not Tell.NONE:
            head.mistake("tell", '"none": the agency has handed its files over and is not asked')
        return
    aside = bool(manifest.telling.headers or manifest.telling.settings)
    if manifest.tell is Tell.NONE:
        if aside:
            head.mistake("telling", 'nothing, since tell = "none"')
        return
    if not aside and not all(one.tells_inside for one in offered):
        head.mistake("telling", "where the purpose is told: headers, settings, or $client … in every body")
    if manifest.tell is Tell.PER_KEY and aside and any(one.offering.batch > 1 for one in offered):
        head.mistake("telling", "batch = 1 in every offering, or the purpose told inside $each")
