"""Statements for tests: a bank's own, changed as a test wants, held against the books by the product."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from db import installation
from db.engine import Database
from db.statements.account import Account
from domain.payout_ids import reference
from domain.payouts import FOLLOW, PROCESS
from domain.statements import Side, Source, StatementLine
from jobs.payouts.reconcile_statement import Result, Statement, reconcile_statement
from tests.builders import House, hurry, rows, seed
from tests.operating import opened

SECOND = timedelta(seconds=1)
AT_ONCE = timedelta(0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(kw_only=True)
class Desk:
    """A bound database with a bank, as whoever reconciles has it."""

    home: House
    outside: Database
    operator: Database
    whose: Account
    ids: list[UUID] = field(default_factory=list)

    def pay(self, count: int = 1, word: str | None = "processed") -> list[UUID]:
        """Send payouts one by one, and let their bank say `word` of them (None: nothing yet)."""
        made = [self._send() for _ in range(count)]
        for id_ in made if word else []:
            self.say(id_, word or "")
        return made

    def _send(self) -> UUID:
        self.home.bank.advance(SECOND)
        seed(str(self.outside.options.url), 1, first=len(self.ids))
        self.home.run(PROCESS)
        known = set(self.ids)
        there: set[UUID] = {row.id for row in rows(self.outside, "SELECT id FROM payouts")}
        [new] = there - known
        self.ids.append(new)
        return new

    def say(self, id_: UUID, word: str, *, heard: bool = True) -> None:
        """Let the bank say `word` of one payout, and us hear it."""
        self.home.bank.advance(SECOND)
        self.home.bank.settle(reference(id_, 1), word, utr=f"{self.ids.index(id_):012d}")
        if heard:
            hurry(self.outside)
            self.home.run(FOLLOW)

    def lines(self) -> list[StatementLine]:
        """The bank's whole statement."""
        now = self.home.bank.now
        return list(self.home.bank.statement(now - 400 * DAY, now + DAY))

    def hold(
        self, lines: Sequence[StatementLine] | None = None, *, grace: timedelta = AT_ONCE
    ) -> Result:
        """Hold lines (all of the bank's) against the books, as of a time that is over."""
        lines = self.lines() if lines is None else lines
        statement = Statement(
            whose=self.whose,
            lines=lines,
            start=self.lines()[0].occurred_at,
            end=self.home.bank.now + DAY,
            place=lambda at: f"s.csv row {at + 2}",
        )
        return reconcile_statement(self.operator, statement, grace=grace)

    def hold_file(
        self,
        lines: Sequence[StatementLine],
        *,
        grace: timedelta = AT_ONCE,
    ) -> Result:
        """Hold a file against the books, of the time that its own lines are of."""
        statement = Statement(
            whose=self.whose,
            lines=lines,
            start=lines[0].occurred_at,
            end=lines[-1].occurred_at + SECOND,
            place=lambda at: f"s.csv row {at + 2}",
        )
        return reconcile_statement(self.operator, statement, grace=grace)

    def told(self) -> dict[str, str]:
        """Open findings: what they say, by key."""
        found = rows(self.outside, "SELECT key, detail FROM findings WHERE resolved_at IS NULL")
        return {row.key: row.detail for row in found}

    def states(self) -> dict[str, int]:
        """Lines by state."""
        query = "SELECT state, count(*) AS n FROM statement_lines GROUP BY state"
        return {row.state: row.n for row in rows(self.outside, query)}


def left(balance_minor: int | None) -> int:
    """What an account held after a line of a bank that tells it."""
    assert balance_minor is not None
    return balance_minor


def foreign(after: StatementLine, **changes: object) -> StatementLine:
    """A debit that no payout explains, a second after `after`."""
    line = replace(
        after,
        line_id="txn_foreign",
        occurred_at=after.occurred_at + SECOND,
        side=Side.DEBIT,
        amount_minor=777,
        balance_minor=left(after.balance_minor) - 777,
        utr=None,
        source=Source.OTHER,
        source_id=None,
    )
    return replace(line, **changes)  # type: ignore[arg-type]  # fields by name


@contextmanager
def desk(url: str, home: House, outside: Database) -> Iterator[Desk]:
    """A desk at this database."""
    with opened(url) as operator:
        bank = home.bank
        bank.advance(-HOUR)  # what a test lets pass there is over here, too
        with operator.begin() as tx:
            installation.bind(tx, bank.provider, bank.account)
        whose = Account(provider=bank.provider, account=bank.account)
        yield Desk(home=home, outside=outside, operator=operator, whose=whose)
