"""Whose statement it is, and who works on it: one at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db import installation
from db.tx import Tx
from domain.errors import RefusedError

WAIT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account at one provider."""

    provider: str
    account: str


def bound(tx: Tx) -> Account:
    """The account this database is bound to. Raises `RefusedError` where it is bound to none."""
    here = installation.get(tx)
    if here.provider is None or here.account is None:
        raise RefusedError(
            "this database is bound to no provider account: set BURSAR_PAYOUT_PROVIDER and its account, "
            "and run `bursar migrate`"
        )
    return Account(provider=here.provider, account=here.account)


_ALONE: Final = sa.text("""
    SELECT set_config('lock_timeout', :wait, true), pg_advisory_xact_lock(hashtextextended('bursar statement', 0))""")


def alone(tx: Tx) -> None:
    """Wait for whoever takes over or judges lines in another transaction, to this one's end."""
    tx.rows(_ALONE, wait=f"{WAIT_SECONDS}s")


OF: Final = "provider || '' = :provider AND account || '' = :account"
"""Lines of one account, for statements that go by time: as expressions, since a planner without statistics
takes columns that all lines have in common for narrow, and an index that ends with them for the way."""

_ENDS: Final = f"""
    SELECT occurred_at FROM statement_lines WHERE {OF}
    ORDER BY occurred_at {{way}}, number {{way}} LIMIT 1"""
_FIRST: Final = sa.text(_ENDS.format(way=""))
_LAST: Final = sa.text(_ENDS.format(way="DESC"))


def first_line_at(tx: Tx, whose: Account) -> datetime | None:
    """When the oldest line that is known occurred."""
    found: datetime | None = tx.scalar(_FIRST, provider=whose.provider, account=whose.account)
    return found


def last_line_at(tx: Tx, whose: Account) -> datetime | None:
    """When the newest line that is known occurred."""
    found: datetime | None = tx.scalar(_LAST, provider=whose.provider, account=whose.account)
    return found
