"""Reads the rows of a CSV file: a header in any order, then one record per row."""

import csv
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from operator import itemgetter

from domain.errors import BadInputError
from domain.records import FIELDS_MAX, named, shown

Row = tuple[int, Sequence[str]]
"""The line an editor shows for the record's start, and its texts in the order of its kind's fields."""


def csv_rows(
    lines: Iterator[str], file: str, fields: Sequence[str], absent: Collection[str] = ()
) -> Iterator[Row | BadInputError]:
    """Yield each record, or the error that hides it. Blank lines are skipped.

    A wrong header ends the reading: every error in it is yielded, and no record. A header may leave
    out columns that are `absent`: they are empty.
    """
    records = _records(lines, file)
    header = next(records, None)
    if header is None:
        yield BadInputError(f"{file} row 1", "", f"must be the header {','.join(fields)}")
        return
    if isinstance(header, BadInputError):
        yield header
        return
    row, names = header
    left_out = [field for field in fields if field in absent and field not in names]
    if errors := _header_errors([*names, *left_out], fields, f"{file} row {row}"):
        yield from errors
        return
    in_order = itemgetter(*([*names, *left_out].index(field) for field in fields))
    nothing = [""] * len(left_out)
    for item in records:
        if isinstance(item, BadInputError):
            yield item
            continue
        row, record = item
        if len(record) == len(names):
            yield row, in_order(record + nothing)
        else:
            yield _wrong_length(record, names, f"{file} row {row}")


def _records(lines: Iterator[str], file: str) -> Iterator[tuple[int, list[str]] | BadInputError]:
    """Yield what is not blank with the line it starts on: a quoted value may span lines."""
    reader = csv.reader(lines, strict=True)
    while True:
        row = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            rule = "must be CSV: a value holding a comma or quote stands in quotes, a quote doubled"
            yield BadInputError(f"{file} row {row}", str(error), rule)
            continue
        if len(record) > 1 or (record and record[0].strip()):
            yield row, record


def _header_errors(names: list[str], fields: Sequence[str], place: str) -> list[BadInputError]:
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        return [BadInputError(place, shown(names[0]), "must separate columns by commas")]
    if len(names) > FIELDS_MAX:
        return [BadInputError(place, shown(",".join(names)), f"must be {','.join(fields)}")]
    errors = [
        BadInputError(f"{place} field {field}", "", "is missing from the header")
        for field in fields
        if field not in names
    ]
    for at, name in enumerate(names):
        if name not in fields:
            errors.append(
                BadInputError(
                    f"{place} field {named(name)}", shown(name), unknown_field(name, fields)
                )
            )
        elif name in names[:at]:
            rule = "stands twice in the header"
            errors.append(BadInputError(f"{place} field {name}", name, rule))
    return errors


def unknown_field(name: str, fields: Sequence[str]) -> str:
    """Return the rule an unknown field breaks, with the known one it was meant to be, if any."""
    near = get_close_matches(name.strip().casefold(), fields, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"is not a known field; {hint}known are {', '.join(fields)}"


def _wrong_length(record: list[str], names: list[str], place: str) -> BadInputError:
    rule = f"has {len(record)} values where the header has {len(names)}: "
    if len(record) < len(names):
        rule += f"{', '.join(names[len(record) :])} missing"
    else:
        rule += "put a value that holds a comma in quotes"
    return BadInputError(place, shown(",".join(record)), rule)
