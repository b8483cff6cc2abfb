"""Write a list as a Postgres array literal: the driver's own dumper costs more than the statement it feeds."""

from collections.abc import Sequence
from datetime import date, datetime
from operator import attrgetter
from types import NoneType
from typing import Final, cast
from uuid import UUID

_PLAIN: Final = frozenset({int, float})
_UUIDS: Final = {UUID}
_TEXTS: Final = {str}
_NONES: Final = {NoneType}
_hex: Final = attrgetter("hex")


def literal(values: Sequence[object]) -> str:
    """Return `{…}` for numbers, booleans, uuids, times, text and None; the statement casts it to its type.

    Raises `TypeError` for anything else.
    """
    kinds = set(map(type, values))
    if kinds <= _PLAIN:
        return "{" + ",".join(map(repr, values)) + "}"
    # One kind of value, as nearly every column has it, is written without a look at each.
    if kinds == _UUIDS:
        return "{" + ",".join(map(_hex, values)) + "}"
    if kinds == _TEXTS:
        return _texts(cast("Sequence[str]", values))
    if kinds == _NONES:
        return "{" + "NULL," * (len(values) - 1) + "NULL}"
    return "{" + ",".join(map(_element, values)) + "}"


def _texts(values: Sequence[str]) -> str:
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
