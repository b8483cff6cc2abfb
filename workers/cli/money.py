"""`money`: sums of payouts by day and state, as a table or a picture."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import BadInputError
from domain.money import format_major
from domain.payouts import PayoutState
from workers.cli.context import context
from workers.cli.listing import Csv, found
from workers.cli.output import Json, show

if TYPE_CHECKING:
    from workers.cli.output import Row

app = typer.Typer()

SECONDS_MAX = 120.0
"""How long summing up may take: it reads every payout of the time."""
BACK = timedelta(days=30)


class By(StrEnum):
    """What sums are made by."""

    DAY = "day"
    STATE = "state"


@app.command()
def money(
    ctx: typer.Context,
    by: Annotated[
        By, typer.Option("--by", case_sensitive=False, help="What a row stands for.")
    ] = By.DAY,
    since: Annotated[
        datetime | None, typer.Option("--from", help="UTC. Default: 30 days ago.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", help="UTC, not included. Default: now.")
    ] = None,
    json: Json = False,
    csv: Csv = False,
    svg: Annotated[
        Path | None, typer.Option("--svg", help="Draw it into this file, one currency at a time.")
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Only this one.")] = None,
) -> None:
    """Sum up payouts by the day they were created and the state they are in."""
    from db import clock
    from db.payouts import sums

    with context(ctx).database().begin(SECONDS_MAX) as tx:
        end = clock.now(tx) if until is None else until.replace(tzinfo=UTC)
        start = end - BACK if since is None else since.replace(tzinfo=UTC)
        if start >= end:
            raise BadInputError("--from", f"{start:%Y-%m-%d %H:%M}", "must be before --to")
        page = found(sums.by_day(tx, start, end) if by is By.DAY else sums.by_state(tx, start, end))
    rows = [row for row in page.rows if currency in {None, row["currency"]}]
    if svg is not None:
        _draw(svg, rows, by, f"Payouts created {start:%Y-%m-%d} to {end:%Y-%m-%d}, by {by}")
    show(
        rows,
        [name for name in page.fields if name != "currency"],
        fields=page.fields,
        json=json,
        csv=csv,
        empty="no payout was created then",
    )


def _draw(path: Path, rows: "list[Row]", by: By, title: str) -> None:
    from workers.charts.bars import bars
    from workers.cli.drawing import save

    currencies = sorted({str(row["currency"]) for row in rows})
    if len(currencies) > 1:
        rule = f"one picture holds one currency: give --currency, one of {', '.join(currencies)}"
        raise BadInputError("--svg", str(path), rule)
    unit = currencies[0] if currencies else ""
    values: dict[str, dict[str, int]] = {}
    for row in rows:
        parts = values.setdefault(str(row[by.value]), {})
        parts[str(row["state"])] = int(str(row["amount_minor"]))
    shown = {sum(parts.values()) for parts in values.values()}
    shown |= {minor for parts in values.values() for minor in parts.values()}
    picture = bars(
        title,
        values,
        [state.value for state in PayoutState],
        unit=unit,
        written={minor: f"{format_major(minor, unit)} {unit}" for minor in shown},
    )
    save(path, picture, "--svg")
