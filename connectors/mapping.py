"""The closed mapping language: how one raw row of an agency becomes the typed values of a record.

It is total: a compiled mapping returns a row or a Misfit for any input whatsoever. It compiles; it
never grows into a language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from connectors.contract import Row
from connectors.dates import DateForm, WrongForm, compile_date
from connectors.documents import Format, NotADocument, decode

Path = tuple[str, ...]
Reader = Callable[[object], object]
NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,20})?")
CURRENCY = re.compile(r"[A-Z]{3}")
DIGITS = 40
PLACES = 20
INDEX = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text, trimmed."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """A native true or false."""


@dataclass(frozen=True, slots=True)
class Codes:
    """A code table; a code that is not in it does not fit."""

    table: Mapping[str, str | bool]


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal string, multiplied by ``times`` (10000 for 万)."""

    times: int = 1


@dataclass(frozen=True, slots=True)
class Money:
    """``AMOUNT CURRENCY``: the currency (ISO 4217) is fixed, or a text at ``path`` through ``codes``."""

    currency: str | None
    path: Path = ()
    codes: Mapping[str, str] | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts, or one text to be split; ``each`` leads to the text inside an element."""

    separator: str | None = None
    each: Path = ()


@dataclass(frozen=True, slots=True)
class Mask:
    """A text of which only the first and last characters are kept; one too short is masked whole."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value in every row."""

    value: str | bool


Form = Text | Boolean | Codes | DateForm | Number | Money | Texts | Mask | Constant


@dataclass(frozen=True, slots=True)
class Unpack:
    """A document written as text inside a value, and where to look in it."""

    format: Format
    path: Path


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where a field's raw value stands in a row, and the form it has there."""

    path: Path
    form: Form
    unpack: Unpack | None = None

    def sources(self) -> tuple[Path, ...]:
        """Every path that must be asked of the agency for this field."""
        match self.form:
            case Constant():
                return ()
            case Money(path=path) if path and self.unpack is None:
                return (self.path, path)
            case Texts(each=each) if each and self.unpack is None:
                return (self.path + each,)
            case _:
                return (self.path,)


@dataclass(frozen=True, slots=True)
class Misfit:
    """The field whose value has the wrong form."""

    field: str


RowReader = Callable[[object, str], Row | Misfit]


def compile_row(rules: Mapping[str, FieldRule], columns: tuple[str, ...], key: str) -> RowReader:
    """A function from (raw row, its key) to the values in the order of ``columns``, or a Misfit."""
    readers = tuple((column, None if column == key else compile_field(rules[column])) for column in columns)

    def read(row: object, key_value: str) -> Row | Misfit:
        values: list[object] = []
        try:
            for _, reader in readers:
                values.append(key_value if reader is None else reader(row))
        except WrongForm:
            return Misfit(columns[len(values)])
        return tuple(values)

    return read


def compile_field(rule: FieldRule) -> Reader:
    """A function from a raw row to one value; it raises only WrongForm."""
    if isinstance(rule.form, Constant):
        value = rule.form.value
        return lambda _row: value
    reach = compile_path(rule.path)
    if rule.unpack is not None:
        return _unpacked(rule.unpack.format, reach, compile_field(FieldRule(rule.unpack.path, rule.form)))
    if isinstance(rule.form, Money):
        return _money(rule.form, reach)
    inner = compile_form(rule.form)
    return lambda row: inner(reach(row))


def compile_path(path: Path) -> Reader:
    """A function that follows ``path``; it gives None where something is missing on the way."""
    if len(path) == 1 and not INDEX.fullmatch(path[0]):
        return _one_step(path[0])
    steps = tuple((step, int(step) if INDEX.fullmatch(step) else -1) for step in path)

    def reach(node: object) -> object:
        for name, index in steps:
            if isinstance(node, dict):
                node = node.get(name)
            elif isinstance(node, list) and index >= 0:
                node = node[index] if index < len(node) else None
            elif node is None:
                return None
            else:
                raise WrongForm
        return node

    return reach


def _one_step(name: str) -> Reader:
    """Most paths are one name; this is the same as the general way, and faster."""

    def reach(node: object) -> object:
        if isinstance(node, dict):
            return node.get(name)
        if node is None:
            return None
        raise WrongForm

    return reach


def as_text(value: object) -> str | None:
    """A trimmed text; None for a missing or blank one."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise WrongForm
    if not value.isascii():
        check_encodable(value)
    return value.strip() or None


def as_code(value: object) -> str | None:
    """What a code is compared by: texts trimmed, whole numbers in digits, true and false in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(_bounded(Decimal(value)))
    return as_text(value)


def compile_form(form: Form) -> Reader:
    """A function of one raw value by its form alone; it raises only WrongForm."""
    match form:
        case DateForm():
            return compile_date(form)
        case Boolean():
            return _boolean
        case Codes(table):
            return lambda value: _coded(table, value)
        case Number(times):
            return lambda value: _number(value, times)
        case Texts():
            return _texts(form)
        case Mask(first, last):
            return lambda value: _masked(as_text(value), first, last)
        case _:
            return as_text


def check_encodable(value: str) -> None:
    """Raises WrongForm for half a surrogate pair, which JSON can say and UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WrongForm from None


def _boolean(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise WrongForm


def _coded(table: Mapping[str, str | bool], value: object) -> str | bool | None:
    code = as_code(value)
    if code is None:
        return None
    if code not in table:
        raise WrongForm
    return table[code]


def _bounded(number: Decimal) -> Decimal:
    if not number.is_finite() or number.adjusted() >= DIGITS or -int(number.as_tuple().exponent) > PLACES:
        raise WrongForm
    return number


def _decimal(value: object) -> Decimal | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _bounded(Decimal(value))
    if isinstance(value, float):
        return _bounded(Decimal(repr(value)))
    raise WrongForm


def _number(value: object, times: int) -> str | None:
    number = _decimal(value)
    if number is None:
        return None
    with localcontext(prec=2 * (DIGITS + PLACES)):
        product = number * times
    return format(product or abs(product), "f")


def _money(form: Money, reach: Reader) -> Reader:
    reach_currency = compile_path(form.path)

    def read(row: object) -> object:
        amount = _number(reach(row), form.times)
        if amount is None:
            return None
        return f"{amount} {_currency(form, reach_currency(row))}"

    return read


def _currency(form: Money, value: object) -> str:
    if form.currency is not None:
        return form.currency
    code = as_code(value)
    currency = code if form.codes is None else form.codes.get(code or "")
    if currency is None or not CURRENCY.fullmatch(currency):
        raise WrongForm
    return currency


def _texts(form: Texts) -> Reader:
    reach = compile_path(form.each)

    def read(value: object) -> object:
        if value is None:
            return None
        if form.separator is not None:
            elements: list[object] = list((as_text(value) or "").split(form.separator))
        else:
            elements = value if isinstance(value, list) else [value]  # XML shows a list of one bare
        return tuple(text for element in elements if (text := as_text(reach(element))) is not None)

    return read


def _masked(text: str | None, first: int, last: int) -> str | None:
    if text is None:
        return None
    hidden = len(text) - first - last
    if hidden <= 0:
        return "*" * len(text)
    return text[:first] + "*" * hidden + text[len(text) - last :]


def _unpacked(form: Format, reach: Reader, inner: Reader) -> Reader:
    def read(row: object) -> object:
        text = as_text(reach(row))
        if text is None:
            return None
        try:
            tree = decode(text, form)
        except NotADocument:
            raise WrongForm from None
        return inner(tree)

    return read
