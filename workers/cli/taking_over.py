"""Take over from a running system: what it made, in whatever state it is, as of the time its file speaks for."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from domain.errors import BadInputError, RefusedError
from workers.cli.asking import moment
from workers.cli.context import Context
from workers.cli.importing import read_lines, run_import, tell_imported

if TYPE_CHECKING:
    from db.importing.order import Imported, Told
    from db.tx import Tx

AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="Take over from another system, as it was at the end of this day (UTC), or at a time with its zone.",
    ),
]

WHOLE: Final = "--as-of takes everything over as it is, or nothing: no --approve, --at, --partial"


def told_until(here: Context, text: str) -> datetime:
    """Return the first moment of which a file of `text` says nothing. Raises `BadInputError` for one to come."""
    from db import clock

    try:
        day = date.fromisoformat(text) + timedelta(days=1)
        until = datetime(day.year, day.month, day.day, tzinfo=UTC)
    except (ValueError, OverflowError):
        until = moment(text, "--as-of") or datetime.max.replace(tzinfo=UTC)
    with here.database().begin() as tx:
        if until > clock.now(tx):
            rule = "must be over: a day that has ended (UTC), or a time that has passed"
            raise BadInputError("--as-of", text, rule)
    return until


def take_over_payouts(
    here: Context, file: str, as_of: datetime, why: str | None, *, dry_run: bool, json: bool
) -> None:
    """Take a file of payouts over, all or nothing, and say what of each state there was."""
    from db.payouts.openings import OpeningLines, look, take_over
    from domain.opening_lines import opening_records
    from domain.payout_rules import rules_of

    bound = here.bound
    if bound.provider is None or bound.account is None:
        raise RefusedError(
            "this database is bound to no provider account yet, which the payouts left from: run `bursar migrate`"
        )
    kind = opening_records(lambda: rules_of(bound.provider), as_of)
    read = read_lines(file, kind, partial=False)
    order = OpeningLines(
        lines=read.lines,
        file=read.file,
        rows=read.rows,
        as_of=as_of,
        provider=bound.provider,
        account=bound.account,
    )

    def work(tx: "Tx", told: "Told") -> "Imported":
        if dry_run:
            return look(tx, here.installation, order, told=told)
        return take_over(tx, here.installation, order, actor=here.actor, told=told)

    done = run_import(here, read, work, why=why, what=None if dry_run else "payouts.take_over")
    tell_imported(read, done, _by_state(done), dry_run=dry_run, json=json)


def _by_state(done: "Imported") -> dict[str, object]:
    """How many of each state there were, and the sums of them in each currency."""
    numbers: Counter[str] = Counter()
    sums: dict[str, object] = {}
    for (state, currency), (number, minor) in sorted(done.labels.items()):
        numbers[f"created_{state}"] += number
        sums[f"created_{state}_minor_{currency}"] = minor
    return {**numbers, **sums}


def take_over_earnings(
    here: Context,
    file: str,
    as_of: datetime,
    why: str | None,
    *,
    proposal: int | None,
    dry_run: bool,
    json: bool,
) -> None:
    """Take a file of earnings over, all or nothing, and say what of each state there was.

    While `policy:maker-checker` is on, one operator proposes the file, another brings it.
    """
    from db.earnings.openings import EarningLines, look, take_over
    from domain.opening_earnings import opening_earning_records
    from workers.cli.crediting import Giving, by_two

    read = read_lines(file, opening_earning_records(as_of), partial=False)
    order = EarningLines(lines=read.lines, file=read.file, rows=read.rows, as_of=as_of)

    def bring(tx: "Tx", who: str, told: "Told") -> "Imported":
        return take_over(tx, here.installation, order, actor=who, told=told)

    done = by_two(
        here,
        Giving.EARNINGS,
        read,
        lambda tx, told: look(tx, here.installation, order, told=told),
        bring,
        proposal=proposal,
        dry_run=dry_run,
        why=why,
        noted="earnings.take_over",
    )
    tell_imported(read, done, _by_state(done), dry_run=dry_run, json=json)
