"""The sets of an import under way: payees and accounts, then payouts with all that belongs to them.

One statement for each set of lines. What a set needs is made ready while the database is busy with
the one before. Balances and totals, which workers wait for, are locked last, once.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import ledger, ledger_nets
from db.accounts import Owner, open_accounts
from db.arrays import literal
from db.ledger_nets import Nets
from db.payouts import imported
from db.payouts.decide import decide
from db.payouts.import_order import SET_MAX, Imported, Lines, Told
from db.tx import Tx
from domain.decisions import Decision
from domain.effects import effect_key_digits
from domain.ledger import AccountKind, EntryType
from domain.payout_ids import payee_id, payout_account_id, payout_numbers
from domain.payout_lines import PayoutLine
from domain.payouts import SUBMIT

WAIT_SECONDS: Final = 60
"""How long an import waits for another one to end."""

_ALONE: Final = sa.text("""
    SELECT set_config('lock_timeout', :wait, true),
           pg_advisory_xact_lock(hashtextextended('bursar import payouts', 0))""")

_PAYEES: Final = sa.text("""
    INSERT INTO payees (id, name, payable)
    SELECT * FROM unnest(CAST(:payees AS uuid[]), CAST(:names AS text[]), CAST(:payables AS bigint[]))
    ON CONFLICT DO NOTHING""")

_ACCOUNTS: Final = sa.text("""
    INSERT INTO payout_accounts (id, payee, fund_account_id)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:payees AS uuid[]), CAST(:tokens AS text[]))
    ON CONFLICT DO NOTHING""")

_PAYOUTS: Final = sa.text("""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:payees AS uuid[]), CAST(:accounts AS uuid[]),
        CAST(:payables AS bigint[]), CAST(:amounts AS bigint[]), CAST(:currencies AS text[]), CAST(:modes AS text[]),
        CAST(:purposes AS text[]), CAST(:narrations AS text[]), CAST(:hashes AS text[]), CAST(:keys AS uuid[]),
        CAST(:places AS int[]))
        AS g (id, external_id, payee, account, payable, amount, currency, mode, purpose, narration, content_hash, key, place)),
    -- A payout that is there already, committed or by a twin a moment ago, is left as it is.
    made AS (
      INSERT INTO payouts (id, external_id, payee, account, payable, amount, currency, mode, purpose, narration,
                           content_hash, state, effect_key, approval_seal, approved_by, approved_at, created_by, created_at)
      SELECT g.id, g.external_id, g.payee, g.account, g.payable, g.amount, g.currency, g.mode, g.purpose, g.narration,
             decode(g.content_hash, 'hex'), CASE WHEN :approve THEN 'APPROVED' ELSE 'PENDING' END, a.key,
             CASE WHEN :approve THEN payout_seal(
               -- Only what the seal covers: the row as it is about to be.
               CAST(ROW(g.id, g.external_id, g.payee, g.account, g.payable, g.amount, g.currency, g.mode, g.purpose,
                        g.narration, NULL, 'APPROVED', 1, g.key, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS payouts), 1, g.key) END,
             -- A microsecond apart, so that a listing by age has the order of the file.
             a.by, a.at, :actor, transaction_timestamp() + g.place * interval '1 microsecond'
      FROM given g
      CROSS JOIN LATERAL (SELECT CASE WHEN :approve THEN g.key END AS key, CASE WHEN :approve THEN :actor END AS by,
                                 CASE WHEN :approve THEN clock_timestamp() END AS at) a
      ON CONFLICT (external_id) DO NOTHING
      RETURNING id, payable, amount, currency),
    awaited AS (
      INSERT INTO work (job, subject, due_at)
      SELECT c.job, m.id, coalesce(CAST(:due AS timestamptz), clock_timestamp()) FROM made m
      JOIN called_work c ON c.kind = 'payout' AND c.state = 'APPROVED' AND c.outcome = ''
      WHERE :approve),
    told AS (
      INSERT INTO moves (kind, subject, source, target, actor, reason)
      SELECT 'payout', id, 'PENDING', 'APPROVED', :actor, 'approved as it was imported' FROM made WHERE :approve),
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
      SELECT entry, :type, 'payout:' || id || ':1:imported', currency, :day, :actor FROM numbered),
    posted AS (
      INSERT INTO postings (entry, debit, credit, amount) SELECT entry, liability, payable, amount FROM numbered)
    SELECT payable, liability, currency, sum(amount) AS amount, count(*) AS payouts,
           array_agg(id) FILTER (WHERE (SELECT count(*) FROM made) < :most) AS ids
    FROM numbered GROUP BY payable, liability, currency""")

_IMPORTED: Final = EntryType.PAYOUT_IMPORTED

Part = Sequence[tuple[int, int]]
"""A set: the number of each payout's id, and the index of its line."""


class Import:
    """One import under way: what it knows already of payees and books, and what it has to post."""

    def __init__(self, tx: Tx, installation: UUID, order: Lines, actor: str) -> None:
        self.tx, self.installation, self.order, self.actor = tx, installation, order, actor
        self.done = Imported()
        self.day = ledger.today(tx)
        self.payees: dict[tuple[str, str], tuple[UUID, int]] = {}
        """By name and currency: the payee, and what is owed to them in that currency."""
        self.accounts: dict[tuple[str, str], UUID] = {}
        self.books: dict[str, int] = {}
        self.nets = Nets()

    def run(self, told: Told) -> Imported:
        """Take the lines over, a set at a time, then the balances."""
        self.tx.row(_ALONE, wait=f"{WAIT_SECONDS}s")
        lines = self.order.lines
        self._open(lines)
        numbers = payout_numbers(self.installation, [line.external_id for line in lines])
        # In the order of ids: a set then touches neighbouring pages of every index on them.
        ordered = sorted(zip(numbers, range(len(lines)), strict=True))
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

    def _open(self, lines: Sequence[PayoutLine]) -> None:
        """Make what is missing of accounts in the books, payees and their accounts at the provider."""
        currencies = sorted({line.currency for line in lines})
        opened = open_accounts(
            self.tx, [_book(kind, currency) for kind in _SYSTEM for currency in currencies]
        )
        self.books = {c: opened[_book(AccountKind.IMPORTED_LIABILITY, c)] for c in currencies}
        owed = list(dict.fromkeys((line.payee, line.currency) for line in lines))
        for start in range(0, len(owed), SET_MAX):
            self._open_payees(owed[start : start + SET_MAX])
        pairs = sorted({(line.payee, line.fund_account_id) for line in lines})
        self.accounts = {pair: payout_account_id(self.installation, *pair) for pair in pairs}
        for start in range(0, len(pairs), SET_MAX):
            part = pairs[start : start + SET_MAX]
            self.tx.run(
                _ACCOUNTS,
                ids=[self.accounts[pair] for pair in part],
                payees=[payee_id(self.installation, name) for name, _ in part],
                tokens=[token for _, token in part],
            )

    def _open_payees(self, owed: Sequence[tuple[str, str]]) -> None:
        """Make payees and their accounts in the books; a payee's own is that of their first currency."""
        ids = [payee_id(self.installation, name) for name, _ in owed]
        owners = [
            Owner(kind=AccountKind.PAYEE_PAYABLE, owner=str(id_), currency=currency)
            for id_, (_, currency) in zip(ids, owed, strict=True)
        ]
        opened = open_accounts(self.tx, owners)
        payables = [opened[owner] for owner in owners]
        self.tx.run(_PAYEES, payees=ids, names=[name for name, _ in owed], payables=payables)
        self.payees |= dict(zip(owed, zip(ids, payables, strict=True), strict=True))

    def _take(self, part: Part, columns: dict[str, object]) -> None:
        created, made = 0, set[UUID]()
        for row in self.tx.rows(_PAYOUTS, **columns):
            created += row.payouts
            made |= set(row.ids or ())
            amounts = self.done.amounts
            amounts[row.currency] = amounts.get(row.currency, 0) + int(row.amount)
            self.nets.add(
                _IMPORTED, row.currency, row.liability, row.payable, int(row.amount), row.payouts
            )
        self.done.created += created
        self.done.approved += created if self.order.approve else 0
        if created < len(part):
            ids = {UUID(int=number): at for number, at in part}
            self._meet({id_: at for id_, at in ids.items() if id_ not in made})

    def _meet(self, ids: dict[UUID, int]) -> None:
        """Judge lines whose payout was there: the same, approved late, or other content."""
        found = imported.compare(self.tx, self.order, ids)
        self.done.blame(self.order, found.errors, found.more)
        self.done.existing += len(found.same)
        if self.order.approve and found.pending:
            moved = decide(
                self.tx,
                Decision.APPROVE,
                sorted(found.pending),
                actor=self.actor,
                why="approved by a later import",
                due=self.order.due_at,
            )
            self.done.approved += sum(m.outcome == "moved" for m in moved)

    def _columns(self, part: Part) -> dict[str, object]:
        """The parameters of one set, lists as array literals already: nothing is left for later."""
        own, ids = str(self.installation), [_text(number) for number, _ in part]
        lines = [self.order.lines[at] for _, at in part]
        payees = [self.payees[line.payee, line.currency] for line in lines]
        return {
            "approve": self.order.approve,
            "actor": self.actor,
            "block": ledger.BLOCK,
            "most": len(ids),
            "due": self.order.due_at,
            "type": _IMPORTED.value,
            "day": self.day,
            "books": literal(list(self.books)),
            "liabilities": literal(list(self.books.values())),
            "ids": literal(ids),
            "places": literal([at for _, at in part]),
            "external_ids": literal([line.external_id for line in lines]),
            "payees": literal([payee for payee, _ in payees]),
            "accounts": literal(
                [self.accounts[line.payee, line.fund_account_id] for line in lines]
            ),
            "payables": literal([payable for _, payable in payees]),
            "amounts": literal([line.amount_minor for line in lines]),
            "currencies": literal([line.currency for line in lines]),
            "modes": literal([line.mode for line in lines]),
            "purposes": literal([line.purpose for line in lines]),
            "narrations": literal([line.narration for line in lines]),
            "hashes": literal([line.content_hash for line in lines]),
            "keys": literal([effect_key_digits(own, SUBMIT, id_, 1) for id_ in ids]),
        }


_SYSTEM: Final = (AccountKind.IMPORTED_LIABILITY, AccountKind.PAYOUTS_IN_TRANSIT, AccountKind.CASH)
"""The system's own accounts that the life of a payout touches."""


def _book(kind: AccountKind, currency: str) -> Owner:
    return Owner(kind=kind, owner="", currency=currency)


def _text(number: int) -> str:
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
