"""What a file of one kind holds: its fields, and how a record of texts becomes a line or is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from domain.errors import BadInputError

FIELDS_MAX: Final = 64
"""Names in a header or an object that are worth naming one by one where they are wrong."""

LABEL_MAX: Final = 64
"""Characters in an external id or a payee's name."""

LABEL_RULE: Final = f"must be 1 to {LABEL_MAX} printable characters, no space at either end"

SHOWN_MAX: Final = 80
"""Characters of a bad value that an error repeats."""

LineT = TypeVar("LineT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Records(Generic[LineT]):
    """One kind of file."""

    name: str
    """What it holds, in the plural."""
    fields: tuple[str, ...]
    """Of a record, in the order of a file's header."""
    parse: Callable[[Sequence[str], str, int], LineT | list[BadInputError]]
    """Read texts in the order of `fields`, of a file and a row, or name every rule that they break."""
    key: Callable[[LineT], str]
    """What may stand in a file once."""
    key_field: str
    """The field that an error about a repeated key names."""
    amounts: frozenset[str] = frozenset({"amount"})
    """Fields of money, which no JSON number may hold."""
    optional: frozenset[str] = frozenset()
    """What may be absent or null in JSON, and is empty then."""
    flags: frozenset[str] = frozenset()
    """What JSON may write as true or false."""
    absent: frozenset[str] = frozenset()
    """Columns that a CSV header may leave out; they are empty then."""


def fits_label(text: str) -> bool:
    """Tell whether `text` may be an external id or a payee: 1 to 64 printable, no outer space."""
    return text.isprintable() and 0 < len(text) <= LABEL_MAX and text[0] != " " != text[-1]


def shown(value: str) -> str:
    """Return `value`, cut to what an error may repeat of it."""
    return value if len(value) <= SHOWN_MAX else f"{value[:SHOWN_MAX]}…"


def named(name: str) -> str:
    """Return a field's `name` as an error may print it in its place, whatever it holds."""
    return shown(name) if name.isprintable() else ascii(shown(name))


Rule = Callable[[str, str, Sequence[str]], str | None]
"""The rule that a field's value breaks in its record, or None."""


def faults(
    fields: Sequence[str], record: Sequence[str], place: str, rule_of: Rule
) -> list[BadInputError]:
    """Every rule that `record` (texts in the order of `fields`) breaks; `place` is file and row."""
    return [
        BadInputError(f"{place} field {field}", shown(value), rule)
        for field, value in zip(fields, record, strict=True)
        if (rule := _unreadable(value) or rule_of(field, value, record))
    ]


def _unreadable(value: str) -> str | None:
    for char in value:
        if "\ud800" <= char <= "\udfff":
            return "must be UTF-8 text: it holds other bytes (save the file as UTF-8)"
        if char == "\0":
            return "must not hold a NUL byte"
    return None
