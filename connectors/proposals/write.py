"""Writes what was found and guessed as two TOML texts, each guess marked for confirmation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.manifest.model import Kind
from connectors.mapping import Path
from connectors.proposals.guess import BUSINESS, RESIDENT, Guessed, Guesses, guess
from connectors.proposals.model import Asked, Findings, Line, Note, Proposal, Words
from connectors.proposals.naming import CHINESE, Namer, by_parts, connector_id, snake
from connectors.proposals.toml import inline, listed, quoted, value
from connectors.proposals.words import vocabulary

MARK = "# ?"
SHOWN = 80  # characters of a foreign name in a comment
ROW_KINDS = (Kind.REST, Kind.GRAPHQL, Kind.SQL)


def propose(findings: Findings, asked: Asked, words: Words) -> Proposal:
    """The proposal; ``words`` says each note in the languages of whoever will confirm it."""
    guesses = guess(findings)
    record = _record(findings, asked)
    made = asked.id or connector_id(snake(findings.title) or by_parts(findings.title))
    manifest = [*_head(findings, asked, made), *_offering(findings, guesses, record)]
    sheet = _sheet(findings, guesses, record)
    return Proposal(
        made,
        _written(manifest, words),
        _written(sheet, words),
        sum(bool(line.notes) for line in (*manifest, *sheet)),
        tuple(one.column.name for one in guesses.all if Note.DIGITS_LOST in one.notes),
    )


def _record(findings: Findings, asked: Asked) -> str:
    wanted = snake(findings.title) or by_parts(findings.title) or snake(asked.id or "") or "record"
    return Namer(vocabulary().reserved_records, "record").take(wanted)[0]


def _head(findings: Findings, asked: Asked, made: str) -> list[Line]:
    zh, en = _titles(findings.title, made)
    return [
        Line("[connector]"),
        Line(f"id = {quoted(made)}", () if asked.id else (Note.ID,)),
        Line(f"agency = {quoted(asked.agency or '')}", () if asked.agency else (Note.FILL_AGENCY,)),
        Line(f"kind = {quoted(findings.kind)}"),
        Line(f"name = {inline({'zh': quoted(zh), 'en': quoted(en)})}", (Note.NAME,)),
        Line(f"tell = {quoted('none')}"),
        *_section("[connector.address]", findings.address),
        *_section("[connector.credentials]", findings.credentials),
    ]


def _section(title: str, lines: Sequence[Line]) -> list[Line]:
    return [Line(""), Line(title), *lines] if lines else []


def _titles(title: str, made: str) -> tuple[str, str]:
    shown = _one_line(title) or made
    english = made.replace("-", " ").replace("_", " ").capitalize()
    return shown, english if CHINESE.search(shown) else shown


def _offering(findings: Findings, guesses: Guesses, record: str) -> list[Line]:
    lines = [
        Line(""),
        Line("[[offerings]]"),
        Line(f"name = {quoted(record)}"),
        Line(f"record = {quoted(record)}", (Note.RECORD,)),
        Line(f"key = {quoted(guesses.key.code)}", guesses.key.notes, ".".join(findings.key.path)),
        Line(f"many = {str(findings.many).lower()}", (Note.MANY,)),
        *([Line(f"batch = {findings.batch}", (Note.BATCH,))] if findings.batch > 1 else []),
        Line(f"freshness = {quoted('P1D')}", (Note.FRESHNESS,)),
        *([Line(f"absent = {quoted('missing')}", (Note.ABSENT,))] if findings.absent_when_missing else []),
        *_as_of(findings, guesses),
        *findings.source,
        Line(""),
        Line("[offerings.fields]"),
        *([_scheme(guesses.scheme)] if guesses.scheme else []),
        *(_field(one) for one in guesses.fields),
        *(Line("", (Note.LEFT_OUT,), name) for name in findings.left_out),
    ]
    return lines + list(findings.outcomes)


def _as_of(findings: Findings, guesses: Guesses) -> list[Line]:
    """A file has a time of its own, and needs none in its rows."""
    if guesses.as_of is None or findings.kind not in ROW_KINDS:
        return []
    rule = f"{{ path = {path_text(guesses.as_of.column.path)}, {guesses.as_of.reading.rule}, row = true }}"
    return [Line(f"as_of = {rule}", (Note.AS_OF,), guesses.as_of.column.name)]


def _scheme(scheme: str) -> Line:
    return Line(f"holder_scheme = {inline({'constant': quoted(scheme)})}", (Note.HOLDERS,))


def _field(one: Guessed) -> Line:
    path = path_text(one.column.path)
    rule = f"{{ path = {path}, {one.reading.rule} }}" if one.reading.rule else path
    return Line(f"{one.code} = {rule}", one.notes)


def path_text(path: Path) -> str:
    """A path as a manifest writes it."""
    return quoted(".".join(path))


def _sheet(findings: Findings, guesses: Guesses, record: str) -> list[Line]:
    zh, en = _titles(findings.title, record)
    scheme = guesses.scheme or RESIDENT
    own = [one for one in guesses.all if not one.is_common]
    return [
        Line(f"[records.{record}]"),
        Line(f"kind = {quoted('evidence')}"),
        Line(f"name = {inline({'zh': quoted(zh), 'en': quoted(en)})}", (Note.NAME,)),
        Line(f"holders = {listed([scheme])}", (Note.HOLDERS,)),
        Line(f"sharing = {quoted('conditional')}", (Note.SHARING,)),
        Line(f"legal_basis = {quoted('')}", (Note.FILL_BASIS,)),
        Line(
            f"sensitivity = {quoted('internal' if scheme == BUSINESS else 'personal')}", (Note.SENSITIVITY,)
        ),
        *(line for one in own for line in _sheet_field(record, one)),
    ]


def _sheet_field(record: str, one: Guessed) -> Iterable[Line]:
    reading = one.reading
    yield Line("")
    yield Line(f"[records.{record}.fields.{one.code}]")
    yield Line(f"type = {quoted(reading.type)}", one.notes)
    names = {"zh": quoted(_one_line(one.zh)), "en": quoted(_one_line(one.en))}
    yield Line(f"name = {inline(names)}", (Note.NAME,))
    if one.unit is not None and reading.type == "number":
        yield Line(f"unit = {quoted(one.unit)}", (Note.NAME,))
    sensitivity = reading.sensitivity or one.sensitivity
    if sensitivity is not None:
        yield Line(f"sensitivity = {quoted(sensitivity)}", (Note.SENSITIVITY,))
    if reading.codes:
        labels = {code: {"zh": zh, "en": en} for code, (zh, en) in reading.codes.items()}
        yield Line(f"codes = {value(labels)}", (Note.CODES,))


def _one_line(text: str) -> str:
    """A foreign name cut to a length that can be shown, without control characters."""
    return "".join(one if one.isprintable() else " " for one in text).strip()[:SHOWN]


def _written(lines: Iterable[Line], words: Words) -> str:
    return "".join(f"{_with_notes(line, words)}\n" for line in lines)


def _with_notes(line: Line, words: Words) -> str:
    if not line.notes:
        return line.text
    said = " · ".join(words[note] for note in dict.fromkeys(line.notes))
    about = _one_line(line.about)
    comment = f"{MARK} {said}" + (f" [{about}]" if about else "")
    return f"{line.text}  {comment}" if line.text else comment
