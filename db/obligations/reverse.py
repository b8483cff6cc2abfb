"""Receipts that were none: bounced, or told by mistake. What was done with their money is undone, where it has not left.

One that named nothing is undone part by part: what was matched of it, that it was set apart, and that it came in.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import findings, reversals
from db.bookings.moving import shift
from db.dispersals.settled import cease
from db.errors import ContendedError
from db.obligations import cash
from db.obligations.cash import Cash
from db.obligations.facts import Obligation, grip
from db.suspense.parts import parts_of
from db.transitions import LeasedTx, hold
from db.tx import Row, Tx
from domain.dispersals import DISPERSALS, DispersalState
from domain.errors import NotFoundError, RefusedError
from domain.findings import FindingKind, key_of
from domain.ledger import AccountKind
from domain.obligations import (
    OBLIGATIONS,
    ObligationState,
    allocation_key,
    fee_key,
    obligation_key,
)
from domain.suspense import routed_key

Legs = Mapping[str, Sequence[Row]]

_RECEIPTS: Final = sa.text("""
    SELECT id, obligation, external_id FROM receipts
    WHERE id = ANY(CAST(:ids AS uuid[])) AND reversed_at IS NULL ORDER BY id FOR UPDATE""")
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


_THERE: Final = sa.text("SELECT FROM receipts WHERE id = :id")


def is_there(tx: Tx, receipt: UUID) -> bool:
    """Whether there is such a receipt."""
    return tx.row(_THERE, id=receipt) is not None


def reverse(tx: Tx, receipts: Collection[UUID], *, actor: str, why: str) -> None:
    """Reverse receipts and what was done with them: each entry once and equal, dispersals cancelled.

    Their obligations are DUE again, or PARTIALLY_SETTLED, under a new generation where they had been settled. Of one that
    named nothing, nothing is in suspense any more. Raises `NotFoundError` for a receipt that is not there or is reversed
    already, `RefusedError` where a dispersal of it was sent, what it paid is in suspense, some of it was given back or
    written off, or its cash is on its way to lenders; `RuleBrokenError` where that has left otherwise.
    """
    parts = parts_of(tx, receipts)
    asked = {row.obligation for row in (*tx.rows(_OBLIGATIONS, ids=list(receipts)), *parts)}
    leased, found = grip(tx, asked - {None}, run=None, actor=actor)
    rows = leased.rows(_RECEIPTS, ids=sorted(receipts))
    if missing := sorted(set(receipts) - {row.id for row in rows}):
        raise NotFoundError(f"there is no receipt {missing[0]}, or it is reversed already")
    if parts_of(leased, receipts) != parts:
        raise ContendedError("some of a receipt left suspense meanwhile: ask again")
    _check_parts(parts)
    legs = reversals.legs_of(leased, list(_posted(rows, parts)))
    lost = _lost(rows, parts, legs)
    undone = [o for o in found if lost[o.id]]
    _check(leased, undone)
    settled = [o for o in undone if o.state in _UNDONE]
    _cancel(leased, settled, why)
    cash.leave(leased, _leaving(leased, legs))
    back = reversals.legs_of(leased, [key for o in settled for key in _keys(o)])
    if settled:
        leased.run(_RENEW, ids=[o.id for o in settled])
    for target, ones in _targets(undone, lost).items():
        shift(leased, OBLIGATIONS, ones, target, reason=why)
    leased.run(_MARK, ids=list(receipts))
    cease(leased, [o.id for o in settled if o.state == ObligationState.STALLED])
    strays = [row.id for row in rows if row.obligation is None]
    findings.cease(leased, [key_of(FindingKind.SUSPENSE_OPEN, f"receipt {id_}") for id_ in strays])
    reversals.reverse(leased, {**back, **legs}, reason=why, run=None, actor=actor)


def _check_parts(parts: Sequence[Row]) -> None:
    """Raise `RefusedError` where a part of a receipt left suspense for good."""
    for part in parts:
        if part.went_to != AccountKind.TRUST_CASH:
            way = "written off" if part.went_to == AccountKind.WRITE_OFF else "given back"
            raise RefusedError(
                f"of receipt {part.external_id} {part.amount} minor units were {way} out of suspense already: a person "
                "corrects it"
            )


def _check(tx: Tx, undone: Sequence[Obligation]) -> None:
    """Raise `RefusedError` where what an obligation received is in suspense, or some of it left that for good."""
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
    if borne := tx.row(_BORNE, ids=[o.id for o in undone]):
        raise RefusedError(
            f"of what obligation {borne.external_id} received {borne.amount} minor units were written off out of "
            "suspense already: a person corrects it"
        )


def _posted(receipts: Sequence[Row], parts: Sequence[Row]) -> Iterator[str]:
    """The keys of all that was posted of receipts, and of the parts of those that named nothing."""
    for row in receipts:
        yield f"receipt:{row.id}:received"
        yield f"receipt:{row.id}:applied" if row.obligation else routed_key(row.id)
    for part in parts:
        yield part.key
        yield f"receipt:{part.receipt}:received:{part.number}"
        yield f"receipt:{part.receipt}:applied:{part.number}"


def _lost(receipts: Sequence[Row], parts: Sequence[Row], legs: Legs) -> Mapping[UUID, int]:
    """How much less each obligation has received."""
    applied = [
        *((row.obligation, f"receipt:{row.id}:applied") for row in receipts),
        *((part.obligation, f"receipt:{part.receipt}:applied:{part.number}") for part in parts),
    ]
    lost = defaultdict[UUID, int](int)
    for obligation, key in applied:
        lost[obligation] += sum(leg.amount for leg in legs.get(key, ()))
    return lost


_TRUST: Final = sa.text("""
    SELECT id, CAST(owner AS uuid) AS mortgage, currency FROM accounts
    WHERE id = ANY(CAST(:ids AS bigint[])) AND kind = 'trust_cash' AND owner <> ''""")


def _leaving(tx: Tx, legs: Legs) -> Mapping[Cash, int]:
    """How much cash leaves which mortgage as these legs are reversed; what nobody knew whose it was leaves none."""
    came = defaultdict[int, int](int)
    for leg in (leg for entry in legs.values() for leg in entry):
        came[leg.debit] += leg.amount
    found = tx.rows(_TRUST, ids=list(came))
    return {(row.mortgage, row.currency): came[row.id] for row in found}


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
