"""Hold a bank's own statement against books and effects, three ways: matched, in the books only, at the bank only.

Not a job of the catalog: a person, or a timer, brings the statement. Everything is safe twice: what is
known is taken over once, and lines stay open until they agree with the books or a person explained them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from db import findings
from db.clock import now
from db.engine import Database
from db.statements import balance, matching, missing, outcome
from db.statements.account import Account, first_line_at
from db.statements.taking import Place, Taken, take_over
from db.tx import Row, Tx
from domain.findings import Finding, FindingKind
from domain.statements import Side, StatementLine

SECONDS_MAX: Final = 900.0
"""How long taking over one statement may take: all of it or nothing."""
PAGE_SECONDS: Final = 120.0
REACH: Final = timedelta(days=10)
"""How long after its line we may hear of a payout's end: T+3 working days, and a bank that is away."""
NAMED_MAX: Final = 200
"""Findings of one kind that one statement opens; the rest are counted in one more."""
_K: Final = FindingKind
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Lines in their order, the time they are all of, and where each was read."""

    whose: Account
    lines: Sequence[StatementLine]
    start: datetime
    end: datetime
    """Not included."""
    place: Place
    is_start_given: bool = False
    """Whether `start` is what was asked for; else it is only where the lines begin."""


@dataclass(slots=True, kw_only=True)
class Sums:
    """Lines of one state and currency."""

    lines: int = 0
    debits_minor: int = 0
    credits_minor: int = 0
    fees_minor: int = 0

    def add(self, row: Row) -> None:
        """Count one more."""
        self.lines += 1
        self.debits_minor += row.amount if row.side == Side.DEBIT else 0
        self.credits_minor += row.amount if row.side == Side.CREDIT else 0
        self.fees_minor += row.fee


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of it. `missing` are payouts in the books only: count and sum by currency."""

    taken: Taken
    summary: Sequence[dict[str, object]] = ()
    missing: dict[str, tuple[int, int]] = field(default_factory=dict)
    gaps: int = 0
    others: dict[tuple[str, str], Sums] = field(default_factory=dict)
    """What is wrong with lines of other times, by state and currency: young when they came, and no more."""


Told = Callable[[int], None]
"""Told how many more lines are taken over."""


def reconcile_statement(
    database: Database, statement: Statement, *, grace: timedelta, told: Told = lambda _: None
) -> Result:
    """Take the statement over and hold it against the books.

    What is younger than `grace` may still come to agree, and waits. Raises `BadInputsError` for lines
    that are known with other content; nothing is written then.
    Balances are checked where the provider tells them.
    """
    with database.begin(SECONDS_MAX) as tx:
        take = take_over(tx, statement.whose, statement.lines, statement.place, told)
    result = Result(taken=take)
    with database.begin() as tx:
        moment, first = now(tx), first_line_at(tx, statement.whose)
    _name(database)
    if statement.is_start_given:
        # Whole from there on: that a bank shows nothing at all is said of the payouts, too.
        first = min(first or statement.start, statement.start)
    if first is not None:
        _find_missing(database, statement, result, first, moment, grace)
    # Once debits have their payouts, by whatever name.
    after: int | None = 0
    while after is not None:
        after = _page(database, partial(matching.name_returns, after=after))
    _judge(database, statement, result, moment - grace)
    _find_gaps(database, statement, result)
    with database.begin(PAGE_SECONDS) as tx:
        outcome.heal(tx, statement.whose)
        rows = outcome.summary(tx, statement.whose, start=statement.start, end=statement.end)
        result.summary = [dict(row._asdict()) for row in rows]
    return result


def _page(database: Database, work: Callable[[Tx], T]) -> T:
    return database.transact(work, seconds=PAGE_SECONDS)


def _name(database: Database) -> None:
    after: int | None = 0
    while after is not None:
        after = _page(database, partial(matching.name, after=after))


def _judge(database: Database, statement: Statement, result: Result, young_after: datetime) -> None:
    told = _Told(database, statement.whose)
    after: int | None = 0
    while after is not None:
        judge = partial(matching.judge, after=after, young_after=young_after)
        seen = _page(database, judge)
        told.report(seen.findings)
        for row in seen.rows:
            if not statement.start <= row.occurred_at < statement.end:
                result.others.setdefault((row.becomes, row.currency), Sums()).add(row)
        after = seen.after
    told.end((_K.STATEMENT_LINE_UNMATCHED, _K.STATEMENT_AMOUNT_DIFFERS, _K.STATEMENT_STATE_DIFFERS))


def _find_missing(
    database: Database,
    statement: Statement,
    result: Result,
    first: datetime,
    moment: datetime,
    grace: timedelta,
) -> None:
    """Go through what ended since the line before the statement; a little earlier, as that was open then."""
    told = _Told(database, statement.whose)
    # From the line before: between two files there are days that neither has a line of.
    with database.begin() as tx:
        begun = balance.before(tx, statement.whose, statement.start)
    start, end = begun - grace, min(statement.end + REACH, moment)
    for stretch in missing.stretches(start, end):
        rest: missing.Stretch | None = stretch
        while rest is not None:
            look = partial(
                missing.look,
                whose=statement.whose,
                stretch=rest,
                first_line_at=first,
                settled_before=statement.end - grace,
            )
            seen = _page(database, look)
            for row in seen.rows:
                count, sum_ = result.missing.get(row.currency, (0, 0))
                result.missing[row.currency] = (count + 1, sum_ + int(abs(row.paid - row.net)))
            told.report(seen.findings)
            rest = seen.rest
    told.end((_K.STATEMENT_MISSING,))


def _find_gaps(database: Database, statement: Statement, result: Result) -> None:
    if statement.lines and all(line.balance_minor is None for line in statement.lines):
        return  # nothing follows from anything: the provider tells no balances
    told, seen = _Told(database, statement.whose), set[str]()
    until: datetime | None = None
    with database.begin() as tx:
        place: datetime | None = balance.before(tx, statement.whose, statement.start)
    while place is not None:
        check = partial(balance.check, whose=statement.whose, start=place, end=statement.end)
        checked = _page(database, check)
        seen |= {finding.key for finding in checked.findings}
        told.report(checked.findings)
        place, until = checked.rest, checked.last_at
    told.end((_K.STATEMENT_GAP,))
    result.gaps = len(seen)
    if until is not None:
        with database.begin(PAGE_SECONDS) as tx:
            outcome.heal_gaps(tx, statement.whose, seen, start=statement.start, until=until)


class _Told:
    """Reports findings up to a bound for each kind, and the rest by their number."""

    def __init__(self, database: Database, whose: Account) -> None:
        self._database, self._whose = database, whose
        self._counts: dict[FindingKind, int] = {}

    def report(self, found: Sequence[Finding]) -> None:
        """Report those within the bound."""
        named = list(self._named(found))
        if named:
            self._database.transact(partial(findings.report, findings=named))

    def _named(self, found: Sequence[Finding]) -> Iterator[Finding]:
        for finding in found:
            count = self._counts[finding.kind] = self._counts.get(finding.kind, 0) + 1
            if count <= NAMED_MAX:
                yield finding

    def end(self, kinds: Sequence[FindingKind]) -> None:
        """Say how many there were in all where not each has its own; else that this is over."""

        def say(tx: Tx) -> None:
            for kind in kinds:
                count = self._counts.get(kind, 0)
                detail = f"{count} in all; the first {NAMED_MAX} have findings of their own"
                rest = Finding(kind=kind, subject=self._whose.provider, detail=detail)
                if count > NAMED_MAX:
                    findings.report(tx, [rest])
                else:
                    findings.cease(tx, [rest.key])

        self._database.transact(say)
