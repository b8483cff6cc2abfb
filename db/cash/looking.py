"""One look of a reconciliation, by itself: what cannot be looked at stops no other check."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from db.cash.checks import Check
from db.errors import DatabaseRefusedError, LockedError, OverdueError, RuleBrokenError, translate
from db.invariant import Look, look
from db.tx import Tx

DEEP_OBLIGATIONS_MAX: Final = 2_000_000
"""Obligations up to which sums over all of them are made between other work; beyond, `bursar audit` makes them."""

_OWED: Final = sa.text("""
    SELECT CAST(coalesce(sum(entries), 0) AS bigint) FROM ledger_totals WHERE type = 'OBLIGATION_ACCRUED'""")


def is_small(tx: Tx) -> bool:
    """Say whether all obligations may be summed up in one short statement."""
    owed: int = tx.scalar(_OWED)
    return owed <= DEEP_OBLIGATIONS_MAX


def attempt(
    tx: Tx, check: Check, *, after: str | None, most: int, deep: bool, now: datetime
) -> Look | str:
    """Look at one page; or say why that cannot be done. What the server or the connection does is raised."""
    try:
        with tx.savepoint():
            return look(
                tx, check.promise, after=after, page=check.page, most=most, deep=deep, now=now
            )
    except DBAPIError as error:
        told = translate(error, committing=False)
        if isinstance(told, DatabaseRefusedError | LockedError | OverdueError | RuleBrokenError):
            return str(told)
        raise
