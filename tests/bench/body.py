"""The one body of every peer: a payout paid by the best single-item SQL we know, on a connection per thread.

Kinder to peers than Bursar is to itself: no frozen request, no history, no answers kept, no balances,
whole numbers for keys, statements prepared once, one commit each, and totals striped by connection so
that nobody waits for a hot row.
"""

import os
import threading
from typing import Final, LiteralString

import psycopg

from tests.bench import gateway
from tests.bench.world import told

STRIPES: Final = 16
CLAIM: Final[LiteralString] = """
    UPDATE payouts SET status = 2 WHERE id = {payout} AND status = 1 RETURNING id"""
SETTLE: Final[LiteralString] = """
    WITH paid AS (
      UPDATE payouts SET status = 3, settled_at = clock_timestamp()
      WHERE id = {payout} AND status <> 3
      RETURNING id, amount),
    booked AS (
      INSERT INTO ledger (payout, account, amount)
      SELECT id, 1, -amount FROM paid UNION ALL SELECT id, 2, amount FROM paid
      RETURNING account, amount),
    locked AS (
      SELECT account FROM totals WHERE stripe = {stripe} ORDER BY account FOR UPDATE)
    UPDATE totals t SET amount = t.amount + b.amount, entries = t.entries + 1
    FROM booked b JOIN locked USING (account)
    WHERE t.account = b.account AND t.stripe = {stripe}"""
_CLAIM: Final = CLAIM.format(payout="%(payout)s")
_SETTLE: Final = SETTLE.format(payout="%(payout)s", stripe="%(stripe)s")
Connection = psycopg.Connection[tuple[object, ...]]
_local = threading.local()


def pay(payout: int) -> None:
    """Claim by compare-and-swap, call the gateway, settle: for queues that know nothing of Postgres."""
    if told().only_note:
        gateway.note(payout)
        return
    if _connection().execute(_CLAIM, {"payout": payout}, prepare=True).fetchone() is None:
        return
    gateway.call(payout)
    settle(payout)


def settle(payout: int) -> None:
    """Settle on the connection of this thread."""
    settle_on(_connection(), payout)


def settle_on(connection: Connection, payout: int) -> None:
    """Write down that a payout was paid, with its two rows in the ledger and the totals."""
    stripe = connection.info.backend_pid % STRIPES
    connection.execute(_SETTLE, {"payout": payout, "stripe": stripe}, prepare=True)


def close() -> None:
    """Close the connection of this thread, if it has one."""
    if getattr(_local, "process", None) == os.getpid():
        _local.connection.close()
        _local.process = None


def connect() -> Connection:
    """Open a connection that commits each statement."""
    return psycopg.connect(told().conninfo, autocommit=True)


def _connection() -> Connection:
    """The connection of this thread, made anew in a forked process."""
    if getattr(_local, "process", None) != os.getpid():
        _local.process = os.getpid()
        _local.connection = connect()
    connection: Connection = _local.connection
    return connection
