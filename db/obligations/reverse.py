"""Receipts that were none: bounced, or told by mistake. What was done with their money is undone, where it has not left."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import reversals
from db.bookings.moving import shift
from db.dispersals.settled import cease
from db.obligations.facts import Obligation, grip
from db.transitions import LeasedTx, hold
from db.tx import Row, Tx
from domain.dispersals import DISPERSALS, DispersalState
from domain.errors import NotFoundError, RefusedError
from domain.obligations import (
    OBLIGATIONS,
    ObligationState,
    allocation_key,
    fee_key,
    obligation_key,
)

Legs = Mapping[str, Sequence[Row]]

_RECEIPTS: Final = sa.text("""
    SELECT id, obligation, external_id FROM receipts
    WHERE id = ANY(CAST(:ids AS uuid[])) AND obligation IS NOT NULL AND reversed_at IS NULL ORDER BY id FOR UPDATE""")
_OBLIGATIONS: Final = sa.text("""
    SELECT DISTINCT obligation FROM receipts WHERE id = ANY(CAST(:ids AS uuid[])) AND obligation IS NOT NULL""")
_MADE: Final = sa.text("""
    SELECT d.id FROM obligations o JOIN dispersals d ON d.obligation = o.id AND d.generation = o.generation
    WHERE o.id = ANY(CAST(:ids AS uuid[]))""")
_DISPERSALS: Final = sa.text("""
    SELECT id, state FROM dispersals WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")
_BORNE: Final = sa.text("""
    SELECT o.external_id, sum(p.amount) AS amount
    FROM obligations o
    JOIN accounts s ON s.kind = 'suspense' AND s.owner = CAST(o.id AS text) AND s.currency = o.currency
    JOIN postings p ON p.credit = s.id
    JOIN accounts d ON d.id = p.debit AND d.kind = 'write_off'
    WHERE o.id = ANY(CAST(:ids AS uuid[])) GROUP BY o.external_id ORDER BY o.external_id LIMIT 1""")
_MARK: Final = sa.text("""
    UPDATE receipts SET reversed_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS uuid[]))""")
_RENEW: Final = sa.text("""
    UPDATE obligations SET generation = generation + 1, settled_on = NULL, method = NULL
    WHERE id = ANY(CAST(:ids AS uuid[]))""")

_UNDONE: Final = frozenset(
    {ObligationState.SETTLED, ObligationState.STALLED, ObligationState.DISPERSED}
)


_THERE: Final = sa.text("SELECT FROM receipts WHERE id = :id AND obligation IS NOT NULL")


def is_there(tx: Tx, receipt: UUID) -> bool:
    """Whether there is such a receipt, and it names an obligation."""
    return tx.row(_THERE, id=receipt) is not None


def reverse(tx: Tx, receipts: Collection[UUID], *, actor: str, why: str) -> None:
    """Reverse receipts and what was done with them: each entry once and equal, dispersals cancelled.

    Their obligations are DUE again, or PARTIALLY_SETTLED, under a new generation where they had been settled.
    Raises `NotFoundError` for a receipt that names no obligation or is reversed already, `RefusedError` where
    a dispersal of it was sent, it is in suspense, or some of it was given back or written off; `RuleBrokenError` where its cash has left otherwise.
    """
    asked = [row.obligation for row in tx.rows(_OBLIGATIONS, ids=list(receipts))]
    leased, found = grip(tx, asked, run=None, actor=actor)
    rows = leased.rows(_RECEIPTS, ids=sorted(receipts))
    if missing := sorted(set(receipts) - {row.id for row in rows}):
        raise NotFoundError(f"receipt {missing[0]} names no obligation, or is reversed already")
    legs = reversals.legs_of(
        leased, [f"receipt:{row.id}:{word}" for row in rows for word in ("received", "applied")]
    )
    lost = {o.id: _lost(o, rows, legs) for o in found}
    undone = [o for o in found if lost[o.id]]
    for one in undone:
        if one.state == ObligationState.ESCALATED:
            raise RefusedError(
                f"obligation {one.external_id} is in suspense: resolve its item first"
            )
        if one.given_back:
            raise RefusedError(
                f"of what obligation {one.external_id} received {one.given_back} minor units were given back out of "
                "suspense already: a person corrects it"
            )
    if borne := leased.row(_BORNE, ids=[o.id for o in undone]):
        raise RefusedError(
            f"of what obligation {borne.external_id} received {borne.amount} minor units were written off out of "
            "suspense already: a person corrects it"
        )
    settled = [o for o in undone if o.state in _UNDONE]
    _cancel(leased, settled, why)
    back = reversals.legs_of(leased, [key for o in settled for key in _keys(o)])
    if settled:
        leased.run(_RENEW, ids=[o.id for o in settled])
    for target, ones in _targets(undone, lost).items():
        shift(leased, OBLIGATIONS, ones, target, reason=why)
    leased.run(_MARK, ids=list(receipts))
    cease(leased, [o.id for o in settled if o.state == ObligationState.STALLED])
    reversals.reverse(leased, {**back, **legs}, reason=why, run=None, actor=actor)


def _lost(obligation: Obligation, receipts: Sequence[Row], legs: Legs) -> int:
    """How much less an obligation has received."""
    return sum(
        leg.amount
        for row in receipts
        if row.obligation == obligation.id
        for leg in legs.get(f"receipt:{row.id}:applied", ())
    )


def _targets(
    undone: Sequence[Obligation], lost: Mapping[UUID, int]
) -> dict[ObligationState, dict[UUID, str]]:
    """Where obligations go, by what they have received still."""
    made = dict[ObligationState, dict[UUID, str]]()
    for one in undone:
        some = one.received > lost[one.id]
        target = ObligationState.PARTIALLY_SETTLED if some else ObligationState.DUE
        if target != one.state:
            made.setdefault(target, {})[one.id] = one.state
    return made


def _keys(obligation: Obligation) -> list[str]:
    """What was posted when it was settled and divided."""
    id_, generation = obligation.id, obligation.generation
    return [
        obligation_key(id_, "settled", generation),
        allocation_key(id_, generation),
        fee_key(id_, generation),
    ]


def _cancel(tx: LeasedTx, settled: Sequence[Obligation], why: str) -> None:
    """Cancel the dispersals of obligations. Raises `RefusedError` where one was sent, or is being sent."""
    made = [row.id for row in tx.rows(_MADE, ids=[o.id for o in settled])] if settled else []
    if not made:
        return
    leased = hold(tx, made, run=None, actor=tx.actor)
    states = {row.id: row.state for row in leased.rows(_DISPERSALS, ids=made)}
    for id_, state in states.items():
        if state != DispersalState.PENDING:
            raise RefusedError(f"dispersal {id_} is {state}: its money has left, or may have")
    shift(leased, DISPERSALS, states, DispersalState.CANCELLED, reason=why)
