"""`reconcile statement`: a statement from a file or from the bank, and what came of holding it against the books."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from domain.errors import BadInputError, BadInputsError
from domain.statements import WRONG, StatementLine
from workers.cli.asking import WhyToo, reason, say
from workers.cli.context import Context, context
from workers.cli.output import Json, progress, show

if TYPE_CHECKING:
    from db.statements.account import Account
    from jobs.payouts.reconcile_statement import Result, Statement

LINES_MAX: Final = 1_000_000
"""Lines of one statement."""
ERRORS_MAX: Final = 50
BACK: Final = timedelta(days=7)
"""How far back a first read of the bank's list begins."""
OVERLAP: Final = timedelta(days=1)
"""How much of what is known a later read reads again: a bank may enter a line late."""
COLUMNS: Final = ("class", "lines", "debits_minor", "credits_minor", "fees_minor")

File = Annotated[
    Path | None, typer.Argument(help="CSV or JSON Lines; see docs/how-to/reconcile.md.")
]
Fetch = Annotated[bool, typer.Option("--fetch", help="Read the list from the bank itself.")]
From = Annotated[
    datetime | None,
    typer.Option(
        "--from", help="UTC. Default: the first line; with --fetch a day before the last known."
    ),
]
To = Annotated[
    datetime | None,
    typer.Option("--to", help="UTC, not included. Default: the last line; with --fetch now."),
]
Grace = Annotated[
    float,
    typer.Option("--grace-hours", min=0, max=720, help="What is younger may still come to agree."),
]


def statement(
    ctx: typer.Context,
    file: File = None,
    fetch: Fetch = False,
    since: From = None,
    until: To = None,
    grace_hours: Grace = 24.0,
    why: WhyToo = None,
    json: Json = False,
) -> None:
    """Hold the bank's own statement against payouts and books; exit 1 where they do not agree.

    The same statement twice adds nothing. Each line, and each payout that ended in its time, is
    matched or becomes a finding.
    """
    from jobs.payouts.reconcile_statement import reconcile_statement

    here, because = context(ctx), None if why is None else reason(why)
    if (file is None) is not fetch:
        raise BadInputError("FILE", file, "name a file, or give --fetch, one of the two")
    given = (_utc(since), _utc(until))
    made = _fetched(here, *given) if file is None else _from_file(here, file, *given)
    with progress("taking over", len(made.lines)) as told:
        result = reconcile_statement(
            here.database(), made, grace=timedelta(hours=grace_hours), told=told
        )
    _note(here, result, because, source="--fetch" if file is None else str(file))
    _tell(made, result, json=json)


def _utc(given: datetime | None) -> datetime | None:
    return None if given is None else given.replace(tzinfo=UTC)


def _from_file(
    here: Context, path: Path, start: datetime | None, end: datetime | None
) -> "Statement":
    from db.statements.account import bound
    from domain.statement_lines import STATEMENT_RECORDS
    from domain.statements import in_order
    from workers.files import read_file

    with here.database().begin() as tx:
        whose = bound(tx)
    read = read_file(path, STATEMENT_RECORDS, rows_max=LINES_MAX).whole()
    rows = {line.line_id: row for line, row in zip(read.lines, read.rows, strict=True)}
    lines = in_order(read.lines)
    return _statement(
        whose, lines, start, end, lambda line: f"{read.file} row {rows[line.line_id]}"
    )


def _fetched(here: Context, start: datetime | None, end: datetime | None) -> "Statement":
    from db import clock, installation
    from db.statements.account import bound, last_line_at
    from workers.banks import open_bank

    with here.database().begin() as tx:
        whose, last, now = bound(tx), last_line_at(tx, bound(tx)), clock.now(tx)
    start, end = start or (last - OVERLAP if last else now - BACK), end or now
    with open_bank(here.settings) as bank:
        if bank is None:
            raise BadInputError(
                "BURSAR_PAYOUT_PROVIDER", None, "must name the provider to read from"
            )
        with here.database().begin() as tx:
            installation.check_bound(installation.get(tx), bank.provider, bank.account)
        lines = list(islice(bank.statement(start, end), LINES_MAX + 1))
    if len(lines) > LINES_MAX:
        raise BadInputError(
            "--to", f"{end:%Y-%m-%d}", f"holds more than {LINES_MAX} lines: go in steps"
        )
    return _statement(
        whose, lines, start, end, lambda line: f"{whose.provider} line {line.line_id}"
    )


def _statement(
    whose: "Account",
    lines: Sequence[StatementLine],
    start: datetime | None,
    end: datetime | None,
    place: Callable[[StatementLine], str],
) -> "Statement":
    from jobs.payouts.reconcile_statement import Statement

    if not lines and not (start and end):
        raise BadInputError("FILE", "", "has no lines: say what time it is of, by --from and --to")
    others = [line for line in lines if line.account != whose.account]
    if others:
        rule = f"must be {whose.account}: the account this database is bound to"
        errors = [BadInputError(f"{place(x)} field account", x.account, rule) for x in others]
        raise BadInputsError(errors[:ERRORS_MAX], more=max(0, len(errors) - ERRORS_MAX))
    is_start_given, start = start is not None, start or lines[0].occurred_at
    end = end or lines[-1].occurred_at + timedelta(seconds=1)
    if start >= end:
        raise BadInputError("--from", f"{start:%Y-%m-%d}", "must be before --to")
    return Statement(
        whose=whose,
        lines=lines,
        start=start,
        end=end,
        place=lambda at: place(lines[at]),
        is_start_given=is_start_given,
    )


def _note(here: Context, result: "Result", because: str | None, *, source: str) -> None:
    from db import changes

    if result.taken.new:
        said = f"{result.taken.new} lines"
        why = f"{because}: {said}" if because else said
        with here.database().begin() as tx:
            changes.note(tx, "statement.reconcile", [source], who=here.actor, why=why)


def _tell(made: "Statement", result: "Result", *, json: bool) -> None:
    taken = result.taken
    say(
        f"{len(made.lines)} lines from {made.start:%Y-%m-%d %H:%M:%S} until {made.end:%Y-%m-%d %H:%M:%S} UTC: "
        f"{taken.new} new, {taken.existing} known"
    )
    rows: list[dict[str, object]] = [
        {"class": row["state"], **{name: row[name] for name in row if name != "state"}}
        for row in result.summary
    ]
    rows += [
        {"class": f"{state}-other-time", "currency": currency, **asdict(sums)}
        for (state, currency), sums in sorted(result.others.items())
    ]
    rows += [
        _row("missing", count, currency, debits_minor=sum_)
        for currency, (count, sum_) in sorted(result.missing.items())
    ]
    if result.gaps:
        rows.append(_row("gap", result.gaps, made.lines[0].currency if made.lines else ""))
    show(rows, COLUMNS, json=json, empty="nothing moved")
    wrong = sorted({str(row["class"]) for row in rows} & _WRONG)
    if wrong:
        say(f"{', '.join(wrong)}: see `bursar findings list`")
        raise typer.Exit(1)


_WRONG: Final = {*WRONG, *(f"{state}-other-time" for state in WRONG), "missing", "gap"}


def _row(name: str, count: int, currency: str, *, debits_minor: int = 0) -> dict[str, object]:
    return {
        "class": name,
        "currency": currency,
        "lines": count,
        "debits_minor": debits_minor,
        "credits_minor": 0,
        "fees_minor": 0,
    }
