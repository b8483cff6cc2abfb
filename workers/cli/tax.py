"""`tax …`: what is withheld from payouts, read."""

from dataclasses import asdict, replace
from typing import Annotated
from uuid import UUID

import typer

from domain.tax import CURRENCY, Engine
from domain.tax_periods import Quarter, check_financial_year
from workers.cli.asking import subject
from workers.cli.context import context
from workers.cli.listing import Asked, Found, found, listing
from workers.cli.output import Json, show

app = typer.Typer(name="tax", help="Tax withheld from payouts, read.", no_args_is_help=True)

REPORT = (
    *("payee", "tax_class", "has_pan", "payouts", "gross_minor", "base_minor"),
    *("tax_minor", "reversed_minor", "set_off_minor", "net_minor", "payee_id"),
)
YEARS = ("payee", "tax_class", "has_pan", "gross_minor", "base_minor", "tax_minor", "payee_id")
WAYS = ("engine", "payouts", "gross_minor", "base_minor", "tax_minor", "net_minor", "refused")

FinancialYear = Annotated[str, typer.Option("--fy", help="A financial year, such as 2026-27.")]


@app.command()
@listing(columns=REPORT, key="payee_id", read=subject, empty="nothing was recorded in that period")
def report(
    ctx: typer.Context,
    asked: Asked[UUID],
    fy: FinancialYear,
    quarter: Annotated[
        Quarter | None,
        typer.Option("--quarter", case_sensitive=False, help="Default: the whole year."),
    ] = None,
) -> Found:
    """A return's lines: what was withheld from each payee's paid payouts, given back, and owed.

    What may be set off was withheld from sales that customers were given back since: it is on record still.
    """
    from db import tax_reports
    from db.tax_reports import ReportPage

    year = check_financial_year(fy, "--fy")
    page = ReportPage(financial_year=year, quarter=quarter, after=asked.after, limit=asked.limit)
    with context(ctx).database().begin() as tx:
        return found(tax_reports.report(tx, page), total="net_minor")


@app.command()
@listing(columns=YEARS, key="payee_id", read=subject, empty="nobody was paid out of earnings")
def years(
    ctx: typer.Context,
    asked: Asked[UUID],
    fy: Annotated[str | None, typer.Option("--fy", help="Default: the current one.")] = None,
) -> Found:
    """What payees were paid in a financial year, or are about to be, and what was taxed of it."""
    from db import tax_reports

    year = None if fy is None else check_financial_year(fy, "--fy")
    with context(ctx).database().begin() as tx:
        rows = tax_reports.years(tx, year, after=asked.after, limit=asked.limit)
        return found(rows, total="tax_minor")


@app.command()
def compare(
    ctx: typer.Context,
    engine: Annotated[Engine, typer.Argument(help="Another engine.", case_sensitive=False)],
    json: Json = False,
) -> None:
    """What another engine would do to payouts that are not sent yet, as if all were claimed now."""
    from db import tax_reports

    here = context(ctx)
    ours = here.settings.withholding
    with here.database().begin(tax_reports.COMPARE_SECONDS) as tx:
        outlooks = tax_reports.compare(tx, [ours, replace(ours, engine=engine)])
    rows: list[dict[str, object]] = [{**asdict(one), "currency": CURRENCY} for one in outlooks]
    first, second = map(asdict, outlooks)
    more = {name: second[name] - first[name] for name in first.keys() - {"engine"}}
    rows.append({**first, **more, "engine": "difference", "currency": CURRENCY})
    show(rows, WAYS, json=json)
