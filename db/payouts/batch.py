"""Payouts made of what is owed: from any source that knows who may be paid what, and can link it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import sqlalchemy as sa

from db.transitions import unleased_move
from db.tx import Tx
from domain.batching import AUTO_APPROVE, Owed
from domain.payees import PayeeKind
from domain.payouts import PAYOUTS, PayoutState


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The payees of one kind of one page: after one id, up to and with another. `is_last` says that no more follow."""

    kind: PayeeKind
    after: UUID
    last: UUID
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A payout that was made, PENDING, of what its source has linked to it."""

    id: UUID
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One payout that is to be made."""

    id: UUID
    external_id: str
    narration: str
    owed: Owed


class Source(Protocol):
    """Where what is owed stands: earnings, or the balances of wallets."""

    name: str
    """Part of the identity of what is made of it."""
    words: str
    """What a payee reads of it on the bank statement, before the period."""

    def stretch(self, tx: Tx, kind: PayeeKind, after: UUID) -> Stretch | None:
        """The next payees of `kind`, in the order of their ids; None where nobody after `after` is owed anything."""

    def owed(self, tx: Tx, stretch: Stretch, now: datetime, *, lock: bool) -> Sequence[Owed]:
        """What each may be paid at `now`, by currency. Locked, it stays so to the end of the transaction."""

    def make(self, tx: Tx, orders: Sequence[Order], actor: str) -> Sequence[Made]:
        """Make payouts and link what they pay; those of an identity that is there already are left out.

        Raises `BrokenError`, with nothing kept, where not everything could be linked.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """When a batch was due, what it was asked for, and when what needs nobody's approval is sent."""

    tick_at: datetime
    scope: dict[str, str]
    now: datetime
    due: datetime | None
    """The next time of the job that sends what is made, where one is known."""


_ASKED: Final = sa.text("""
    SELECT coalesce((SELECT t.tick_at FROM ticks t WHERE t.schedule = :batch AND t.run = r.id), r.due_at) AS tick_at, r.scope,
           clock_timestamp() AS now,
           (SELECT p.next_tick_at FROM schedule_progress p
            WHERE p.schedule = :sender AND isfinite(p.next_tick_at) AND p.next_tick_at > clock_timestamp()) AS due
    FROM runs r WHERE r.id = :run""")


def asked(tx: Tx, run: int, *, batch: str, sender: str) -> Asked:
    """What `run` of the job `batch` was asked for, whose payouts `sender` sends. Its due time is its tick's, however late it runs."""
    row = tx.row(_ASKED, run=run, batch=batch, sender=sender)
    if row is None:
        raise AssertionError(f"run {run} is there: it runs this")
    return Asked(tick_at=row.tick_at, scope=row.scope, now=row.now, due=row.due)


_KNOWN: Final = sa.text(
    "SELECT external_id FROM payouts WHERE external_id = ANY(CAST(:external_ids AS text[]))"
)


def known(tx: Tx, external_ids: Sequence[str]) -> set[str]:
    """Which of these payouts are there already."""
    return {row.external_id for row in tx.rows(_KNOWN, external_ids=list(external_ids))}


def approve_small(tx: Tx, made: Sequence[Made], below_minor: int, due: datetime | None) -> int:
    """Approve, by rule, what is strictly below the limit; returns how many."""
    small = sorted(one.id for one in made if one.amount < below_minor)
    if not small:
        return 0
    moved = unleased_move(
        tx,
        PAYOUTS,
        small,
        target=PayoutState.APPROVED,
        actor=AUTO_APPROVE,
        why=f"below {below_minor} in minor units",
        due=due,
    )
    return sum(one.outcome == "moved" for one in moved)
