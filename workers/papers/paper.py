"""A paper: facts, tables with their totals. Rows are in the house's form: `x_minor` beside a `currency`."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.money import format_major
from workers.cli.output import MINOR, Row, cell, csv_cell, plain, show, write_fields

SECTION: Final = "section"
_TEMPLATE: Final = Path(__file__).with_name("paper.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one kind. `section` names them where tables are one after the other."""

    section: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    currency: str
    totals: Sequence[str] = ()
    """Columns of whole amounts whose sums stand at the foot."""
    empty: str = "nothing"

    @property
    def foot(self) -> Row | None:
        """The sums, as one more row; None where nothing is summed up."""
        if not self.totals or not self.rows:
            return None
        sums = {name: sum(_whole(row.get(name)) for row in self.rows) for name in self.totals}
        return {self.columns[0]: "total", "currency": self.currency, **sums}

    @property
    def whole(self) -> list[Row]:
        """The rows, and the foot."""
        return [*self.rows, *([self.foot] if self.foot else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One paper. A fact of None is left out where people read it."""

    title: str
    facts: Mapping[str, object]
    tables: Sequence[Table]
    notes: Sequence[str] = ()


def as_json(paper: Paper) -> dict[str, object]:
    """Return the paper as one object: facts, then each section's rows and totals; amounts in minor units.

    A section that comes more than once, for each currency, is one list.
    """
    told = plain(paper.facts)
    sections: dict[str, list[object]] = {}
    totals: dict[str, list[object]] = {}
    for table in paper.tables:
        sections.setdefault(table.section, []).extend(plain(row) for row in table.rows)
        if table.foot:
            sums = {name: table.foot[name] for name in ("currency", *table.totals)}
            totals.setdefault(table.section, []).append(plain(sums))
    return {**told, **sections, "totals": totals}


def write_text(paper: Paper) -> None:
    """Write the paper to stdout as a terminal shows it."""
    print(f"{paper.title}\n")  # noqa: T201  the paper itself
    write_fields([(name, said) for name, said in _facts(paper) if said])
    for table in paper.tables:
        print(f"\n{table.title}")  # noqa: T201  the same
        show(table.whole, table.columns, empty=table.empty)
    for note in paper.notes:
        print(f"\n{note}")  # noqa: T201  the same


def as_csv(paper: Paper) -> str:
    """Return every row under one header, its section first; amounts in major units, text that is no formula."""
    names = list(dict.fromkeys(name for table in paper.tables for name in table.columns))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([SECTION, "currency", *(name.removesuffix(MINOR) for name in names)])
    for table in paper.tables:
        of_foot = [(f"{table.section} total", table.foot)] if table.foot else []
        for section, row in [*((table.section, row) for row in table.rows), *of_foot]:
            cells = [_csv(row, name, table.currency) for name in names]
            writer.writerow([section, table.currency, *cells])
    return out.getvalue()


def as_html(paper: Paper) -> str:
    """Return a page that stands alone and prints: no script, nothing fetched, every text escaped."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  of use to this alone

    page = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return (
        page.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
            title=paper.title,
            facts=[(name, said) for name, said in _facts(paper) if said],
            tables=[_html(table) for table in paper.tables],
            notes=paper.notes,
        )
        + "\n"
    )


def _facts(paper: Paper) -> list[tuple[str, str]]:
    return [
        (name.removesuffix(MINOR).replace("_", " "), cell(paper.facts, name))
        for name in paper.facts
    ]


def _html(table: Table) -> dict[str, object]:
    return {
        "title": table.title,
        "empty": table.empty,
        "heads": [
            {"said": name.removesuffix(MINOR).replace("_", " "), "is_amount": _is_amount(name)}
            for name in table.columns
        ],
        "rows": [_cells(table, row) for row in table.rows],
        "foot": _cells(table, table.foot) if table.foot else None,
    }


def _cells(table: Table, row: Row) -> list[dict[str, object]]:
    return [{"said": cell(row, name), "is_amount": _is_amount(name)} for name in table.columns]


def _is_amount(name: str) -> bool:
    return name.endswith(MINOR)


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _csv(row: Row, name: str, currency: str) -> object:
    value = row.get(name)
    if _is_amount(name) and isinstance(value, int):
        return format_major(value, currency)
    return csv_cell(value)
