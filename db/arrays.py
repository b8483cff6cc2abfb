"""Write a list as a Postgres array literal: the driver's own dumper costs more than the statement it feeds."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

_PLAIN: Final = frozenset({int, float})


def literal(values: Sequence[object]) -> str:
    """Return `{…}` for numbers, booleans, uuids, times, text and None; the statement casts it to its type.

    Raises `TypeError` for anything else.
    """
    kinds = set(map(type, values))
    if kinds <= _PLAIN:
        return "{" + ",".join(map(repr, values)) + "}"
    if kinds == {UUID}:
        return "{" + ",".join([value.hex for value in values if isinstance(value, UUID)]) + "}"
    if kinds == {str}:
        return _texts([value for value in values if isinstance(value, str)])
    return "{" + ",".join(map(_element, values)) + "}"


def _texts(values: list[str]) -> str:
    joined = '","'.join(values)
    if "\\" in joined or joined.count('"') != 2 * (len(values) - 1):
        return "{" + ",".join(map(_quoted, values)) + "}"
    return '{"' + joined + '"}'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _element(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "t" if value else "f"
        case int() | float():
            return repr(value)
        case str():
            return _quoted(str(value))
        case UUID():
            return value.hex
        case datetime() | date():
            return _quoted(value.isoformat())
        case _:
            raise TypeError(f"no array element of type {type(value).__name__}")
