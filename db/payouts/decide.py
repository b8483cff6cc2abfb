"""What operators decide about payouts that no worker holds, each through the one SQL door."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.dispersals.paying import withdrawn
from db.transitions import Moved, unleased_move
from db.tx import Row, Tx
from domain.decisions import SOURCES, TARGETS, Decision
from domain.payouts import PAYOUTS, PayoutState

_LOCK: Final = sa.text("""
    SELECT id, state FROM payouts WHERE id = ANY(CAST(:ids AS uuid[])) AND state = ANY(CAST(:sources AS text[]))
    ORDER BY id FOR UPDATE""")

_STATES: Final = sa.text("SELECT id, state FROM payouts WHERE id = ANY(CAST(:ids AS uuid[]))")


def decide(
    tx: Tx,
    decision: Decision,
    payouts: Sequence[UUID],
    *,
    actor: str,
    why: str,
    due: datetime | None = None,
) -> list[Moved]:
    """Carry `decision` out for a set; one outcome each, in the order of their ids.

    Outcomes: moved | busy (a worker holds it) | sent (a send may have begun) | illegal (not in a
    state this is about) | missing | unlinked (what it paid is paid by another payout) | dispersal (it is reset instead) | short (part of it is owed no
    more) | own (made by who approves it, while `policy:maker-checker` is on) | exhausted (refused three times)
    | unproven (another system said that it failed, and nobody has asked its provider).
    """
    wanted = sorted(set(payouts))
    sources = SOURCES[decision]
    if decision is not Decision.CANCEL:
        # These states have no work, so the order of locks holds: work rows, then subjects.
        tx.rows(_LOCK, ids=wanted, sources=list(sources))
    states = {row.id: row.state for row in tx.rows(_STATES, ids=wanted)}
    legal = [id_ for id_ in wanted if states.get(id_) in sources]
    moved = unleased_move(
        tx, PAYOUTS, legal, target=TARGETS[decision], actor=actor, why=why, due=due
    )
    if TARGETS[decision] is PayoutState.CANCELLED:
        withdrawn(tx, [one.subject for one in moved if one.outcome == "moved"], why)
    others = [
        Moved(
            subject=id_,
            outcome="illegal" if id_ in states else "missing",
            source=states.get(id_),
        )
        for id_ in wanted
        if states.get(id_) not in sources
    ]
    return sorted([*moved, *others], key=lambda m: m.subject)


_WOULD: Final = sa.text("""
    WITH asked AS MATERIALIZED (
      SELECT p.currency, p.amount, p.payee, p.id,
             CASE WHEN p.state <> 'PENDING' THEN 'illegal'
                  -- As `move_payouts` judges it.
                  WHEN (CAST(:actor AS text) = p.created_by OR right(CAST(:actor AS text), length(p.created_by) + 5) = ' for ' || p.created_by)
                    AND EXISTS (SELECT FROM switches s WHERE s.name = 'policy:maker-checker' AND s.is_on) THEN 'own'
                  ELSE 'moved' END AS outcome
      FROM payouts p
      WHERE CASE WHEN CAST(:ids AS uuid[]) IS NULL THEN p.state = 'PENDING' ELSE p.id = ANY(CAST(:ids AS uuid[])) END)
    SELECT a.outcome, a.currency, count(*) AS items, CAST(sum(a.amount) AS bigint) AS amount_minor, max(a.amount) AS largest_minor,
           (SELECT y.name FROM payees y WHERE y.id = (array_agg(a.payee ORDER BY a.amount DESC, a.id))[1]) AS largest_payee
    FROM asked a GROUP BY a.outcome, a.currency ORDER BY a.outcome, a.currency""")


def would_approve(tx: Tx, payouts: Sequence[UUID] | None, *, actor: str) -> Sequence[Row]:
    """What an approval of `payouts` (None: of every PENDING one) would come to, by outcome and currency; nothing is locked."""
    return tx.rows(_WOULD, ids=None if payouts is None else list(payouts), actor=actor)
