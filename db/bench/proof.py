"""What must be true of a drained database, and how long the draining took by the database's clock."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from db.tx import Tx
from domain.errors import BrokenError
from domain.inbox import APPLY
from domain.payouts import FOLLOW, PROCESS

_COUNTS: Final = sa.text("""
    SELECT
      (SELECT count(*) FROM payouts) AS "payouts",
      (SELECT count(*) FROM payouts WHERE state = 'PROCESSING') AS "payouts in PROCESSING",
      (SELECT count(*) FROM effects WHERE state = 'accepted' AND sends = 1) AS "effects accepted after one send",
      (SELECT count(*) FROM effect_answers WHERE moved AND answer = 'accepted') AS "answers kept",
      (SELECT count(*) FROM moves WHERE source = 'APPROVED' AND target = 'PROCESSING') AS "moves",
      (SELECT count(*) FROM entries e JOIN postings p ON p.entry = e.id WHERE e.type = 'payout.submitted')
        AS "postings of payout.submitted",
      (SELECT sum(entries) FROM ledger_totals WHERE type = 'payout.submitted') AS "entries in the totals",
      (SELECT count(*) FROM work WHERE job = :follow AND token IS NULL AND parked_reason IS NULL)
        AS "work rows handed to follow",
      (SELECT count(*) FROM work) AS "work rows" """)

_SUMS: Final = sa.text("""
    SELECT (SELECT sum(amount) FROM payouts) AS "asked for",
      (SELECT sum(p.amount) FROM entries e JOIN postings p ON p.entry = e.id WHERE e.type = 'payout.submitted') AS "posted",
      (SELECT sum(amount) FROM ledger_totals WHERE type = 'payout.submitted') AS "in the totals",
      (SELECT sum(b.credits - b.debits) FROM balances b JOIN accounts a ON a.id = b.account
       WHERE a.kind = 'payouts_in_transit') AS "in transit" """)


def prove(tx: Tx, items: int) -> None:
    """Raise `BrokenError` unless each of `items` payouts was sent once and is on the books once."""
    counts, sums = tx.row(_COUNTS, follow=FOLLOW), tx.row(_SUMS)
    if counts is None or sums is None:
        raise AssertionError("an aggregate has one row")
    wrong = {name: int(n or 0) for name, n in counts._mapping.items() if n != items}  # noqa: SLF001 - a row's public mapping
    if len(set(sums)) != 1:
        wrong |= {f"minor units {name}": int(n or 0) for name, n in sums._mapping.items()}  # noqa: SLF001 - the same
    if wrong:
        raise BrokenError(f"of {items} payouts, after the run: {wrong}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How long a drain took: whole, from the start of the first run to the last settle, and its steady middle."""

    seconds: float
    steady_seconds: float
    """Between the settles of the 10th and the 90th percentile of items: four fifths of them."""


_SPAN: Final = sa.text("""
    SELECT CAST(extract(epoch FROM max(a.at) - (SELECT min(started_at) FROM runs WHERE job = :job)) AS float8) AS seconds,
           CAST(extract(epoch FROM percentile_disc(0.9) WITHIN GROUP (ORDER BY a.at)
                                 - percentile_disc(0.1) WITHIN GROUP (ORDER BY a.at)) AS float8) AS steady_seconds
    FROM effect_answers a""")


def span(tx: Tx) -> Span:
    """Read how long the drain took. Raises `BrokenError` where nothing was settled."""
    row = tx.row(_SPAN, job=PROCESS)
    if row is None or row.seconds is None:
        raise BrokenError("nothing was settled")
    return Span(seconds=row.seconds, steady_seconds=row.steady_seconds)


def left(tx: Tx) -> int:
    """How many payouts still wait for their send."""
    found: int = tx.scalar(sa.text("SELECT count(*) FROM work WHERE job = :job"), job=PROCESS)
    return found


_EVENTS: Final = sa.text("""
    SELECT count(*) FROM inbox i JOIN work w ON w.subject = i.id AND w.job = :job""")


def events_waiting(tx: Tx) -> int:
    """How many events of providers are kept and wait for their job."""
    found: int = tx.scalar(_EVENTS, job=APPLY)
    return found
