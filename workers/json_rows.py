"""Reads the rows of a JSON Lines file: one object of strings per line."""

import json
from collections.abc import Iterator
from typing import Any

from domain.errors import BadInputError
from domain.records import FIELDS_MAX, Records, named, shown
from workers.csv_rows import Row, unknown_field


class _Number(str):
    """A JSON number as it was written: it is never made a float, not even to refuse it."""

    __slots__ = ()
    __repr__ = str.__str__


class _Object(tuple[tuple[str, object], ...]):
    """A JSON object's pairs in order, twins included; an array stays a list."""

    __slots__ = ()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Object, parse_float=_Number, parse_int=_Number, parse_constant=_Number
)


def json_rows(lines: Iterator[str], file: str, kind: Records[Any]) -> Iterator[Row | BadInputError]:
    """Yield each line's values, or the errors that hide them. Blank lines are skipped."""
    for row, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        place = f"{file} row {row}"
        try:
            value = _DECODER.decode(text)
        except (ValueError, RecursionError) as error:
            yield BadInputError(place, shown(text), f"must be one JSON object per line: {error}")
            continue
        if not isinstance(value, _Object):
            yield BadInputError(place, shown(text), "must be a JSON object")
            continue
        if errors := _shape_errors(value, kind, place):
            yield from errors
            continue
        fields = dict(value)
        yield row, [_text(fields.get(field)) for field in kind.fields]


def _text(value: object) -> str:
    match value:
        case bool(said):
            return "yes" if said else "no"
        case _:
            return str(value or "")


def _shape_errors(pairs: _Object, kind: Records[Any], place: str) -> list[BadInputError]:
    if len(pairs) > FIELDS_MAX:
        rule = f"must have the fields {', '.join(kind.fields)} and no other"
        return [BadInputError(place, f"{len(pairs)} fields", rule)]
    errors, seen = [], set()
    for name, value in pairs:
        spot = f"{place} field {named(name)}"
        if name in seen:
            errors.append(BadInputError(spot, shown(name), "stands twice in the object"))
        elif name not in kind.fields:
            errors.append(BadInputError(spot, shown(name), unknown_field(name, kind.fields)))
        elif not _is_fit(value, name, kind):
            errors.append(BadInputError(spot, _brief(value), _type_rule(name, kind)))
        seen.add(name)
    errors += [
        BadInputError(f"{place} field {field}", "", "is missing")
        for field in kind.fields
        if field not in seen and field not in kind.optional
    ]
    return errors


def _is_fit(value: object, name: str, kind: Records[Any]) -> bool:
    if value is None:
        return name in kind.optional
    return type(value) is str or (isinstance(value, bool) and name in kind.flags)


def _type_rule(name: str, kind: Records[Any]) -> str:
    if name in kind.amounts:
        return 'must be decimal text in quotes, such as "1250.50": floats never hold money'
    return "must be a JSON string"


def _brief(value: object) -> object:
    """Return a number as written, or what kind of value stands where a string must."""
    match value:
        case _Number():
            return _Number(shown(value))
        case _Object():
            return "{…}"
        case list():
            return "[…]"
        case _:
            return value
