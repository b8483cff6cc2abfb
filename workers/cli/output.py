"""How a listing is shown: a table for people, plain text for pipes, JSON and CSV for programs."""

import csv as csv_module
import json as json_module
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Final
from uuid import UUID

import typer

from domain.money import format_major

Json = Annotated[bool, typer.Option("--json", help="One JSON array of flat objects.")]
JsonOne = Annotated[bool, typer.Option("--json", help="One JSON object.")]

Row = Mapping[str, object]
MINOR: Final = "_minor"
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\N{SYMBOL FOR CARRIAGE RETURN}")
CARRIAGE_RETURN: Final = "\N{SYMBOL FOR CARRIAGE RETURN}"
"""Stands for the sign itself in CSV, where readers would take it for the end of a row."""


def show(
    rows: Sequence[Row],
    columns: Sequence[str],
    *,
    fields: Sequence[str] | None = None,
    key: str | None = None,
    json: bool = False,
    csv: bool = False,
    totals: Mapping[str, int] | None = None,
    empty: str = "nothing",
) -> None:
    """Show a listing on stdout.

    `columns` are what the table shows; JSON and CSV hold every field of the rows, in the order of
    `fields` (of the first row where they are not given), what is nested as text. `key` names the
    column that a terminal too narrow for all of them still shows whole.
    A column `x_minor` is shown in major units of the row's `currency`. `totals` are minor units by
    currency: at the foot of the table, on stderr beside JSON and CSV.
    """
    if json and csv:
        raise typer.BadParameter("choose one of --json and --csv")
    rows = [{name: flat(value) for name, value in row.items()} for row in rows]
    if json:
        sys.stdout.write(json_module.dumps([plain(row) for row in rows], ensure_ascii=False) + "\n")
    elif csv:
        _write_csv(rows, fields or list(rows[0] if rows else columns))
    elif rows:
        _write_table(rows, columns, key)
    else:
        sys.stdout.write(f"{empty}\n")
    stream = sys.stderr if json or csv else sys.stdout
    for currency, minor in sorted((totals or {}).items()):
        stream.write(f"total {format_major(minor, currency)} {currency}\n")


def show_one(row: Row, *, json: bool = False) -> None:
    """Show one thing: field by field, or as one JSON object."""
    if json:
        sys.stdout.write(json_module.dumps(plain(row), ensure_ascii=False) + "\n")
        return
    write_fields([(_label(row, name), cell(row, name)) for name in row])


def plain(row: Row) -> dict[str, object]:
    """Return the row as JSON holds it: times ISO in UTC, amounts integers, ids text."""
    return {name: _plain(value) for name, value in row.items()}


def flat(value: object) -> object:
    """Return what is nested as one line of text: a list by commas, a mapping as options take it, `k=v k=w`."""
    match value:
        case Mapping():
            pairs = [(k, v if isinstance(v, list) else [v]) for k, v in value.items()]
            parts, between = [one for _, many in pairs for one in many], " "
            words = [f"{name}={_plain(one)}" for name, many in pairs for one in many]
        case list():
            parts, between = value, ", "
            words = [str(_plain(one)) for one in value]
        case _:
            return value
    if any(isinstance(part, Mapping | list) for part in parts):
        return json_module.dumps(_plain(value), ensure_ascii=False)
    return between.join(words)


def cell(row: Row, column: str) -> str:
    """Return one value as people read it."""
    value = row.get(column)
    currency = _currency(row, column)
    if currency is not None and isinstance(value, int):
        return f"{format_major(value, currency)} {currency}"
    match _plain(value):
        case None:
            return ""
        case bool(said):
            return "yes" if said else "no"
        case list() | dict() as nested:
            return json_module.dumps(nested, ensure_ascii=False)
        case str(text) if isinstance(value, datetime):
            return text.replace("T", " ")[:19]
        case other:
            return "".join(
                c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(other)
            )


def _currency(row: Row, column: str) -> str | None:
    """Return whose minor units a column holds: `x_minor` of a row's currency, or `x_minor_INR`."""
    if column.endswith(MINOR):
        currency = row.get("currency")
        return currency if isinstance(currency, str) else None
    _, is_minor, named = column.partition(f"{MINOR}_")
    return named if is_minor else None


def _label(row: Row, column: str) -> str:
    """Return a column's name, without `_minor` where people read major units."""
    if _currency(row, column) is None:
        return column
    return column.replace(MINOR, "")


def money_totals(rows: Sequence[Row], field: str = "amount_minor") -> dict[str, int]:
    """Return the sum of `field` by currency."""
    sums: dict[str, int] = {}
    for row in rows:
        currency, minor = row.get("currency"), row.get(field)
        if isinstance(currency, str) and isinstance(minor, int):
            sums[currency] = sums.get(currency, 0) + minor
    return sums


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; yields a function to say how many more are done.

    Where stderr is no terminal nothing is drawn.
    """
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    looks = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*looks, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda done: bars.advance(task, done)


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return _plain(value.value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date() | UUID() | Decimal():
            return str(value)
        case Mapping():
            return {str(name): _plain(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner) for inner in value]
        case memoryview() | bytes():
            return bytes(value).hex()
        case _:
            return str(value)


def _write_csv(rows: Sequence[Row], names: Sequence[str]) -> None:
    writer = csv_module.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([csv_cell(row.get(name)) for name in names])


def csv_cell(value: object) -> object:
    """Numbers stay numbers; text that a sheet would run as a formula gets an apostrophe in front."""
    match _plain(value):
        case None:
            return ""
        case bool(said):
            return "true" if said else "false"
        case int() | float() as number:
            return number
        case list() | dict() as nested:
            return json_module.dumps(nested, ensure_ascii=False)
        case other:
            text = str(other).replace("\r", CARRIAGE_RETURN)
            return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _write_table(rows: Sequence[Row], columns: Sequence[str], key: str | None) -> None:
    titles = [name.removesuffix(MINOR).replace("_", " ") for name in columns]
    cells = [[cell(row, name) for name in columns] for row in rows]
    right = {
        place
        for place, name in enumerate(columns)
        if name.endswith(MINOR) or all(isinstance(row.get(name), int) for row in rows)
    }
    if sys.stdout.isatty():
        from workers.cli.fitting import write_fitted

        kept = None if key is None else list(columns).index(key)
        write_fitted(titles, cells, right=right, kept=kept)
        return
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    for line in [titles, *cells]:
        padded = [
            text.rjust(width) if place in right else text.ljust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def write_fields(fields: Sequence[tuple[str, str]]) -> None:
    """Write (name, text) pairs, one to a line."""
    width = max((len(name) for name, _ in fields), default=0)
    for name, text in fields:
        sys.stdout.write(f"{name:<{width}}  {text}\n")
