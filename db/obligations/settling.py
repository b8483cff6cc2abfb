"""Obligations of which nothing is open any more: settled where something was received, else ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.moving import shift
from db.drafts import Draft, Leg
from db.obligations.facts import Obligation
from db.transitions import LeasedTx
from domain.ledger import AccountKind, EntryType
from domain.obligations import OBLIGATIONS, ObligationState, obligation_key

_K: Final = AccountKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """That the last of an obligation came in: when, and how it was collected."""

    on: date
    method: str | None


_SAY: Final = sa.text("""
    UPDATE obligations o SET settled_on = s.settled_on, method = s.method
    FROM unnest(CAST(:ids AS uuid[]), CAST(:days AS date[]), CAST(:methods AS text[])) AS s (id, settled_on, method)
    WHERE o.id = s.id""")


def settle(
    tx: LeasedTx, obligations: Sequence[Obligation], settled: Mapping[UUID, Settled]
) -> list[Draft]:
    """Move obligations to SETTLED, with the work that divides them; returns the entries that hand their money on.

    `received` of each is what it received, this receipt included. The caller holds them and posts.
    """
    if not obligations:
        return []
    tx.run(
        _SAY,
        ids=[o.id for o in obligations],
        days=[settled[o.id].on for o in obligations],
        methods=[settled[o.id].method for o in obligations],
    )
    shift(tx, OBLIGATIONS, {o.id: o.state for o in obligations}, ObligationState.SETTLED)
    return [_handed_on(o, settled[o.id].on) for o in obligations]


def _handed_on(obligation: Obligation, on: date) -> Draft:
    return Draft(
        type=EntryType.CASH_APPLIED,
        key=obligation_key(obligation.id, "settled", obligation.generation),
        effective_on=on,
        legs=(
            Leg(
                debit=obligation.of_system(_K.CONTROL_SETTLEMENT),
                credit=obligation.of_system(_K.CONTROL_ALLOCATION),
                amount=obligation.received,
            ),
        ),
    )
