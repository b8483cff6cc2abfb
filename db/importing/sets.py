"""The sets of an import under way: what lines need, then their rows with the entries that take them over.

One statement for each set of lines. What a set needs is made ready while the database is busy with
the one before. Balances and totals, which workers wait for, are locked last, once.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Final, Generic
from uuid import UUID

import sqlalchemy as sa

from db import ledger, ledger_nets
from db.accounts import Owner, open_accounts
from db.arrays import literal
from db.importing.comparing import Found, Stored, compare
from db.importing.order import SET_MAX, Imported, Lines, LineT, Told
from db.ledger_nets import Nets
from db.payees.opening import Payable, open_payees
from db.tx import Tx
from domain.ledger import AccountKind, EntryType
from domain.payout_ids import numbers

WAIT_SECONDS: Final = 60
"""How long an import waits for another one to end."""

_ALONE: Final = sa.text("""
    SELECT set_config('lock_timeout', :wait, true),
           pg_advisory_xact_lock(hashtextextended('bursar import ' || :what, 0))""")


def entered(key: str) -> str:
    """Clauses of a statement whose `made` has id, payable, amount, currency: `numbered`, and its entries under `key`."""
    return f"""
    -- Ids of entries come in blocks, as many as the set may need.
    blocks AS MATERIALIZED (
      SELECT block, nextval('entry_blocks') * :block AS base FROM generate_series(0, (:most - 1) / :block) AS g (block)),
    counted AS (SELECT m.*, row_number() OVER () - 1 AS n FROM made m),
    numbered AS MATERIALIZED (
      SELECT c.*, b.base + c.n % :block + 1 AS entry, l.account AS liability
      FROM counted c JOIN blocks b ON b.block = c.n / :block
      JOIN unnest(CAST(:books AS text[]), CAST(:liabilities AS bigint[])) AS l (currency, account)
        ON l.currency = c.currency),
    entered AS (
      INSERT INTO entries (id, type, key, currency, effective_on, actor)
      SELECT entry, :type, {key}, currency, :day, :actor FROM numbered),
    posted AS (
      INSERT INTO postings (entry, debit, credit, amount) SELECT entry, liability, payable, amount FROM numbered)"""


def taken_over(key: str) -> str:
    """The end of a statement whose `made` has id, payable, amount, currency: their entries under `key`, and the sums."""
    return f"""
    {entered(key)}
    SELECT '' AS label, payable, liability, currency, sum(amount) AS amount, count(*) AS rows,
           sum(amount) AS posted, count(*) AS entries,
           array_agg(id) FILTER (WHERE (SELECT count(*) FROM made) < :most) AS ids
    FROM numbered GROUP BY payable, liability, currency"""


Part = Sequence[tuple[int, int]]
"""A set: the number of each row's id, and the index of its line."""


class Import(ABC, Generic[LineT]):
    """One import under way: what it knows already of payees and books, and what it has to post."""

    kind: ClassVar[str]
    """Of what a line becomes; its ids are made from it."""
    entry: ClassVar[EntryType]
    statement: ClassVar[sa.TextClause]
    """Inserts one set, from `columns`, and ends as `taken_over` does."""
    stored: Stored[LineT]
    against: ClassVar = AccountKind.IMPORTED_LIABILITY
    """What its entries debit."""

    def __init__(self, tx: Tx, installation: UUID, order: Lines[LineT], actor: str) -> None:
        self.tx, self.installation, self.order, self.actor = tx, installation, order, actor
        self.done = Imported()
        self.day = ledger.today(tx)
        self.payees: dict[tuple[str, str], Payable] = {}
        self.books: dict[str, int] = {}
        self.nets = Nets()

    def run(self, told: Told) -> Imported:
        """Take the lines over, a set at a time, then the balances."""
        self.tx.row(_ALONE, wait=f"{WAIT_SECONDS}s", what=f"{self.kind}s")
        lines = self.order.lines
        self.open(lines)
        ids = numbers(self.installation, self.kind, [line.external_id for line in lines])
        # In the order of ids: a set then touches neighbouring pages of every index on them.
        ordered = sorted(zip(ids, range(len(lines)), strict=True))
        parts = [ordered[start : start + SET_MAX] for start in range(0, len(ordered), SET_MAX)]
        # Each set is made ready while the database is busy with the one before.
        with ThreadPoolExecutor(1, "import") as ahead:
            coming = deque(ahead.submit(self._columns, part) for part in parts[:1])
            for number, part in enumerate(parts, 1):
                coming.extend(ahead.submit(self._columns, p) for p in parts[number : number + 1])
                self._take(part, coming.popleft().result())
                told(len(part))
        ledger_nets.keep(self.tx, self.nets)
        return self.done

    def open(self, lines: Sequence[LineT]) -> None:
        """Make what is missing of payees, and of accounts in the books."""
        currencies = sorted({line.currency for line in lines})
        opened = open_accounts(
            self.tx,
            [_book(kind, currency) for kind in (self.against, *_SYSTEM) for currency in currencies],
        )
        self.books = {c: opened[_book(self.against, c)] for c in currencies}
        wanted = list(dict.fromkeys((line.payee, line.currency) for line in lines))
        self.payees = open_payees(self.tx, self.installation, wanted)

    @abstractmethod
    def columns(self, ids: Sequence[str], lines: Sequence[LineT]) -> dict[str, object]:
        """What `statement` takes of a set beside what every set has; lists as array literals."""

    def meet(self, found: Found) -> None:
        """Do what is to be done about lines that were there with the same content."""

    def keep(self, made: set[UUID]) -> None:
        """Do what is to be done about a set that was made, as far as the statement says what that was."""

    def _take(self, part: Part, columns: dict[str, object]) -> None:
        created, made = 0, set[UUID]()
        for row in self.tx.rows(self.statement, **columns):
            created += row.rows
            made |= set(row.ids or ())
            self.done.count(row.label, row.currency, int(row.amount), row.rows)
            if row.entries:
                self.nets.add(
                    self.entry,
                    row.currency,
                    row.liability,
                    row.payable,
                    int(row.posted),
                    row.entries,
                )
        self.keep(made)
        self.done.approved += created if self.order.approve else 0
        if created < len(part):
            ids = {UUID(int=number): at for number, at in part}
            self._meet({id_: at for id_, at in ids.items() if id_ not in made})

    def _meet(self, ids: dict[UUID, int]) -> None:
        """Judge lines whose row was there: the same, or other content."""
        found = compare(self.tx, self.stored, self.order, ids)
        self.done.blame(self.order, found.errors, found.more)
        self.done.existing += len(found.same)
        self.meet(found)

    def _columns(self, part: Part) -> dict[str, object]:
        """The parameters of one set, lists as array literals already: nothing is left for later."""
        ids = [_text(number) for number, _ in part]
        lines = [self.order.lines[at] for _, at in part]
        payees = [self.payees[line.payee, line.currency] for line in lines]
        return {
            "actor": self.actor,
            "block": ledger.BLOCK,
            "most": len(ids),
            "type": self.entry.value,
            "day": self.day,
            "books": literal(list(self.books)),
            "liabilities": literal(list(self.books.values())),
            "ids": literal(ids),
            "places": literal([at for _, at in part]),
            "external_ids": literal([line.external_id for line in lines]),
            "payees": literal([payee for payee, _ in payees]),
            "payables": literal([payable for _, payable in payees]),
            "amounts": literal([line.amount_minor for line in lines]),
            "currencies": literal([line.currency for line in lines]),
            "hashes": literal([line.content_hash for line in lines]),
            **self.columns(ids, lines),
        }


def foresee(
    tx: Tx, installation: UUID, kind: type[Import[LineT]], order: Lines[LineT], told: Told
) -> Imported:
    """Say what an import would do, and write nothing. Raises the same errors."""
    done = Imported()
    for start in range(0, len(order.lines), SET_MAX):
        part = range(start, min(start + SET_MAX, len(order.lines)))
        names = [order.lines[at].external_id for at in part]
        made = numbers(installation, kind.kind, names)
        ids = {UUID(int=number): at for number, at in zip(made, part, strict=True)}
        found = compare(tx, kind.stored, order, ids)
        done.blame(order, found.errors, found.more)
        done.existing += len(found.same)
        done.approved += len(found.pending) if order.approve else 0
        for line in (order.lines[ids[i]] for i in ids.keys() - found.there):
            done.approved += order.approve
            done.count(line.label, line.currency, line.amount_minor, 1)
        told(len(part))
    return done


_SYSTEM: Final = (AccountKind.PAYOUTS_IN_TRANSIT, AccountKind.CASH)
"""The system's own accounts that the life of a payout touches, beside the one an import debits."""


def _book(kind: AccountKind, currency: str) -> Owner:
    return Owner(kind=kind, owner="", currency=currency)


def _text(number: int) -> str:
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
