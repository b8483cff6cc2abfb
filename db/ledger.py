"""The books: post sets of balanced entries, keep balances and totals in the same statement.

A post is idempotent by key, and compared: the same key with the same content is the entry that is
there; with other content it is an error. Two posts of one new key at once: one wins, the other waits
for its end and then finds the entry. `post_new` is for keys that nobody can have used: there a key
that is in the books is an error, whatever its content.

Locks: balances in (account, stripe) order, then totals, both at the end of the statement, since a
constrained account is the hot row of its owner. A caller posts last in its transaction.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from db.errors import KeyTakenError, constraint_of
from db.ledger_columns import Columns
from db.rejections import Refusable, refusals_kept
from db.tx import Tx
from domain.errors import RefusedError
from domain.ledger import Entries, Entry

_BALANCES: Final = """-- Balances are locked in key order before any is changed; each is changed once, by the set's net.
    locked AS MATERIALIZED (
      SELECT b.account, b.stripe, n.debits, n.credits
      FROM unnest(CAST(:net_accounts AS bigint[]), CAST(:net_debits AS bigint[]), CAST(:net_credits AS bigint[]))
        AS n (account, debits, credits)
      JOIN accounts a ON a.id = n.account
      JOIN balances b ON b.account = n.account AND b.stripe = :stripe % a.stripes
      ORDER BY b.account, b.stripe FOR UPDATE OF b),
    balanced AS (
      UPDATE balances b SET debits = b.debits + l.debits, credits = b.credits + l.credits
      FROM locked l WHERE b.account = l.account AND b.stripe = l.stripe RETURNING b.account)
    SELECT count(*) FROM balanced"""
_POST: Final = sa.text(f"""
    -- One block of ids serves the statement: no second look, no join to learn them.
    WITH block AS MATERIALIZED (SELECT nextval('entry_blocks') * :block AS base),
    entry AS (
      INSERT INTO entries (id, type, key, currency, effective_on, run, actor, cause, reason)
      SELECT block.base + e.n, e.type, e.key, e.currency, e.effective_on, :run, :actor, e.cause, e.reason
      FROM block CROSS JOIN unnest(CAST(:types AS text[]), CAST(:keys AS text[]), CAST(:currencies AS text[]), CAST(:dates AS date[]),
                                   CAST(:causes AS bigint[]), CAST(:reasons AS text[]))
        WITH ORDINALITY AS e (type, key, currency, effective_on, cause, reason, n)),
    leg AS (
      INSERT INTO postings (entry, debit, credit, amount)
      SELECT block.base + l.n, l.debit, l.credit, l.amount
      FROM block CROSS JOIN unnest(CAST(:legs AS int[]), CAST(:debits AS bigint[]), CAST(:credits AS bigint[]),
                                   CAST(:amounts AS bigint[])) AS l (n, debit, credit, amount)),
    {_BALANCES}""")
_POST_SET: Final = sa.text(f"""
    WITH block AS MATERIALIZED (
      SELECT nextval('entry_blocks') * :block AS base, CAST(clock_timestamp() AT TIME ZONE 'UTC' AS date) AS today),
    given AS MATERIALIZED (
      SELECT block.base + g.n AS id, block.today, g.key, g.debit, g.credit, g.amount
      FROM block CROSS JOIN unnest(CAST(:keys AS text[]), CAST(:debits AS bigint[]), CAST(:credits AS bigint[]), CAST(:amounts AS bigint[]))
        WITH ORDINALITY AS g (key, debit, credit, amount, n)),
    entry AS (
      INSERT INTO entries (id, type, key, currency, effective_on, run, actor)
      SELECT id, :type, key, :currency, today, :run, :actor FROM given),
    leg AS (
      INSERT INTO postings (entry, debit, credit, amount) SELECT id, debit, credit, amount FROM given),
    {_BALANCES}""")

_TOTALS: Final = sa.text("""
    INSERT INTO ledger_totals AS t (type, currency, stripe, entries, amount)
    SELECT type, currency, :stripe, entries, amount
    FROM unnest(CAST(:types AS text[]), CAST(:currencies AS text[]), CAST(:counts AS bigint[]), CAST(:amounts AS bigint[]))
      AS n (type, currency, entries, amount) ORDER BY type, currency
    ON CONFLICT (type, currency, stripe) DO UPDATE SET entries = t.entries + excluded.entries, amount = t.amount + excluded.amount""")

STRIPES: Final = 16
BLOCK: Final = 16_384
"""Entries one statement posts at most: more than the largest batch a worker may be set to."""


def post(tx: Tx, entries: Sequence[Entry], *, run: int | None, actor: str) -> int:
    """Post `entries`; returns how many were new. A drainer keeps to the stripe of its run.

    Raises `RefusedError` when a key is taken by other content, `RuleBrokenError` when an entry breaks
    its type's rule or a bounded account would fall below zero: nothing is posted, and the refusal is kept.
    """
    with refusals_kept(tx, lambda: list(map(_refusable, entries)), run=run, actor=actor):
        return sum(
            _post(tx, entries[i : i + BLOCK], run=run, actor=actor)
            for i in range(0, len(entries), BLOCK)
        )


def post_new(tx: Tx, entries: Entries, *, run: int | None, actor: str) -> None:
    """Post a set of at most `BLOCK` entries that cannot have been posted before, in one statement.

    Raises `RuleBrokenError` as `post` does, and for a key that is in the books already.
    """
    if len(entries) > BLOCK:
        raise AssertionError(f"{len(entries)} entries would take the ids of the next block")
    nets = _nets(entries.debits, entries.credits, entries.amounts)
    stripe = (run or 0) % STRIPES
    with refusals_kept(tx, lambda: _refusables(entries), run=run, actor=actor):
        balanced = tx.scalar(
            _POST_SET,
            type=entries.type.value,
            currency=entries.currency,
            keys=entries.keys,
            debits=entries.debits,
            credits=entries.credits,
            amounts=entries.amounts,
            **_posting(nets, run=run, actor=actor),
        )
        _check_balanced(balanced, nets)
    amount = sum(entries.amounts)
    _add_totals(tx, {(entries.type.value, entries.currency): (len(entries), amount)}, stripe)


def _refusable(entry: Entry) -> Refusable:
    legs = [(p.debit, p.credit, p.amount) for p in entry.postings]
    return Refusable(entry.key, entry.type, legs)


def _refusables(entries: Entries) -> list[Refusable]:
    columns = zip(entries.keys, entries.debits, entries.credits, entries.amounts, strict=True)
    return [Refusable(key, entries.type, [leg]) for key, *leg in columns]


def _post(tx: Tx, entries: Sequence[Entry], *, run: int | None, actor: str) -> int:
    """Insert as if all keys were new, which they nearly always are; where one is not, compare and leave it out."""
    refusal = _refusal(tx, Columns.of_values(entries), run=run, actor=actor)
    if refusal is None:
        return len(entries)
    seen = _compare(tx, entries)
    if not seen:
        raise refusal
    fresh = [e for e in entries if e.key not in seen]
    if fresh:
        _insert(tx, Columns.of_values(fresh), run=run, actor=actor)
    return len(fresh)


def _refusal(tx: Tx, columns: Columns, *, run: int | None, actor: str) -> IntegrityError | None:
    """Insert `columns`, or say what refuses them where one of the keys may be in the books already; nothing changed then.

    What was posted before may find its account empty a second time: the balance is asked before the key.
    """
    try:
        with tx.savepoint():
            _insert(tx, columns, run=run, actor=actor)
    except IntegrityError as error:
        if constraint_of(error) not in {"entries_key_key", "never_below_zero"}:
            raise
        return error
    return None


def _insert(tx: Tx, columns: Columns, *, run: int | None, actor: str) -> None:
    nets = _nets(columns.debits, columns.credits, columns.amounts)
    balanced = tx.scalar(
        _POST,
        types=columns.types,
        keys=columns.keys,
        currencies=columns.currencies,
        dates=columns.dates,
        causes=columns.causes,
        reasons=columns.reasons,
        legs=columns.legs,
        debits=columns.debits,
        credits=columns.credits,
        amounts=columns.amounts,
        **_posting(nets, run=run, actor=actor),
    )
    _check_balanced(balanced, nets)
    _add_totals(tx, _totals(columns), (run or 0) % STRIPES)


def _posting(
    nets: Mapping[int, tuple[int, int]], *, run: int | None, actor: str
) -> dict[str, object]:
    """What every posting statement is told."""
    return {
        "run": run,
        "actor": actor,
        "block": BLOCK,
        "stripe": (run or 0) % STRIPES,
        "net_accounts": list(nets),
        "net_debits": [debits for debits, _ in nets.values()],
        "net_credits": [credits_ for _, credits_ in nets.values()],
    }


def _check_balanced(balanced: int, nets: Mapping[int, tuple[int, int]]) -> None:
    if balanced != len(nets):
        raise RefusedError(
            f"{len(nets) - balanced} of {len(nets)} accounts of these entries do not exist"
        )


def _nets(
    debits: Sequence[int], credits_: Sequence[int], amounts: Sequence[int]
) -> dict[int, tuple[int, int]]:
    taken, given = dict[int, int](), dict[int, int]()
    for debit, credit, amount in zip(debits, credits_, amounts, strict=True):
        taken[debit] = taken.get(debit, 0) + amount
        given[credit] = given.get(credit, 0) + amount
    accounts = taken.keys() | given.keys()
    return {account: (taken.get(account, 0), given.get(account, 0)) for account in accounts}


def _totals(columns: Columns) -> dict[tuple[str, str], tuple[int, int]]:
    """Entries and amount by type and currency."""
    counts = Counter(zip(columns.types, columns.currencies, strict=True))
    amounts = Counter[tuple[str, str]]()
    for leg, amount in zip(columns.legs, columns.amounts, strict=True):
        amounts[columns.types[leg - 1], columns.currencies[leg - 1]] += amount
    return {what: (count, amounts[what]) for what, count in counts.items()}


def _add_totals(tx: Tx, totals: Mapping[tuple[str, str], tuple[int, int]], stripe: int) -> None:
    tx.run(
        _TOTALS,
        stripe=stripe,
        types=[type_ for type_, _ in totals],
        currencies=[currency for _, currency in totals],
        counts=[count for count, _ in totals.values()],
        amounts=[amount for _, amount in totals.values()],
    )


_STORED: Final = sa.text("""
    SELECT e.key, e.type, e.currency, e.cause, array_agg(concat_ws(' ', p.debit, p.credit, p.amount) ORDER BY p.debit, p.credit, p.amount) AS legs
    FROM unnest(CAST(:keys AS text[])) AS k (key) JOIN entries e USING (key) JOIN postings p ON p.entry = e.id GROUP BY e.id""")


def _compare(tx: Tx, entries: Sequence[Entry]) -> set[str]:
    """The keys that are in the books already, with the same content. Raises `RefusedError` for other content."""
    stored = {
        row.key: (row.type, row.currency, row.cause, row.legs)
        for row in tx.rows(_STORED, keys=[e.key for e in entries])
    }
    for entry in entries:
        legs = [
            f"{p.debit} {p.credit} {p.amount}"
            for p in sorted(entry.postings, key=lambda p: (p.debit, p.credit, p.amount))
        ]
        content = (entry.type.value, entry.currency, entry.cause, legs)
        if stored.get(entry.key, content) != content:
            message = (
                f"entry {entry.key} exists with other content: {stored[entry.key]}, now {legs}"
            )
            raise KeyTakenError(entry.key, message)
    return set(stored)


def today(tx: Tx) -> date:
    """The database's date, in UTC."""
    found: date = tx.scalar(sa.text("SELECT CAST(clock_timestamp() AT TIME ZONE 'UTC' AS date)"))
    return found
