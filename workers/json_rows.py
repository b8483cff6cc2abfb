"""Reads the rows of a JSON Lines file of payouts: one object of strings per line."""

import json
from collections.abc import Iterator

from domain.errors import BadInputError
from domain.payout_rules import FIELDS, FIELDS_MAX, named, shown
from workers.csv_rows import Row, unknown_field

_OPTIONAL = frozenset({"mode", "narration"})
"""What may be absent or null, and is empty then."""


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


def json_rows(lines: Iterator[str], file: str) -> Iterator[Row | BadInputError]:
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
        if errors := _shape_errors(value, place):
            yield from errors
            continue
        fields = dict(value)
        yield row, [str(fields.get(field) or "") for field in FIELDS]


def _shape_errors(pairs: _Object, place: str) -> list[BadInputError]:
    if len(pairs) > FIELDS_MAX:
        rule = f"must have the fields {', '.join(FIELDS)} and no other"
        return [BadInputError(place, f"{len(pairs)} fields", rule)]
    errors, seen = [], set()
    for name, value in pairs:
        spot = f"{place} field {named(name)}"
        if name in seen:
            errors.append(BadInputError(spot, shown(name), "stands twice in the object"))
        elif name not in FIELDS:
            errors.append(BadInputError(spot, shown(name), unknown_field(name)))
        elif type(value) is not str and not (value is None and name in _OPTIONAL):
            errors.append(BadInputError(spot, _brief(value), _type_rule(name)))
        seen.add(name)
    errors += [
        BadInputError(f"{place} field {field}", "", "is missing")
        for field in FIELDS
        if field not in seen and field not in _OPTIONAL
    ]
    return errors


def _type_rule(name: str) -> str:
    if name == "amount":
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
