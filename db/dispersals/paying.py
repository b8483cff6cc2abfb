"""Dispersals whose payouts end: each is where its payout is, and its mortgage's cash has left, in the same transaction.

A dispersal is paid by one payout after another, each a new one. Where one that had failed is paid after all it is
that one that paid it; what was made since fails unsent, and where that was sent already the lender was paid twice, and
owes it. Lock order: after wallets, before tax years; dispersals in the order of their ids.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import drafts, findings, ledger, reversals
from db.accounts import Owner
from db.bookings.moving import shift
from db.drafts import Draft, Leg
from db.transitions import LeasedTx
from db.tx import Row, Tx
from domain.dispersals import DISPERSALS, DispersalState, disbursement_key
from domain.findings import Finding, FindingKind, key_of
from domain.ledger import AccountKind, Entry, EntryType
from domain.payouts import SETTLED, PayoutState

_S: Final = DispersalState
_UNSENT: Final = frozenset({PayoutState.PENDING, PayoutState.APPROVED})

_LOCK: Final = sa.text("""
    SELECT FROM dispersals d JOIN payouts p ON p.dispersal = d.id
    WHERE p.id = ANY(CAST(:payouts AS uuid[])) ORDER BY d.id FOR UPDATE OF d""")
_STANDING: Final = sa.text("""
    SELECT p.id AS payout, p.external_id, p.error, d.id, d.state, d.amount, d.currency, d.payout AS own,
           n.state AS own_state, o.mortgage, o.external_id AS obligation
    FROM payouts p
    JOIN dispersals d ON d.id = p.dispersal
    JOIN obligations o ON o.id = d.obligation
    LEFT JOIN payouts n ON n.id = d.payout
    WHERE p.id = ANY(CAST(:payouts AS uuid[])) ORDER BY p.id""")


def hold(tx: Tx, payouts: Collection[UUID]) -> None:
    """Hold what these payouts pay: nobody else moves it, or has it paid, until this transaction ends."""
    if payouts:
        tx.rows(_LOCK, payouts=list(payouts))


def standing(tx: Tx, payouts: Collection[UUID]) -> Mapping[UUID, Row]:
    """The dispersal of each payout, by payout: where it is, and which payout is its own."""
    rows = tx.rows(_STANDING, payouts=list(payouts)) if payouts else ()
    return {row.payout: row for row in rows}


def to_be_paid(tx: Tx, payouts: Collection[UUID]) -> set[UUID]:
    """Those that still pay their dispersal, of payouts about to be sent; it is held from here on."""
    hold(tx, payouts)
    found = standing(tx, payouts).values()
    return {row.payout for row in found if row.state == _S.SENDING and row.own == row.payout}


def still_open(tx: LeasedTx, payouts: Collection[UUID]) -> set[UUID]:
    """Of payouts that were paid after they had failed: those whose dispersal nobody else has paid, or may have.

    One for each dispersal; held since `hold`.
    """
    found = standing(tx, payouts).values()
    mine = {row.id: row.payout for row in found if _is_open(row)}
    return set(mine.values())


def _is_open(row: Row) -> bool:
    if row.state == _S.SENDING:
        return row.own != row.payout and row.own_state in _UNSENT
    return row.state in {_S.PENDING, _S.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of a payout of a dispersal in this transaction, from where it was to where it came."""

    payout: UUID
    source: PayoutState
    target: PayoutState
    is_its_own: bool = True
    """Of one that was paid late: whether it is this dispersal's payment; else its lender owes it."""


def follow(tx: LeasedTx, endings: Sequence[Ending]) -> list[Entry]:
    """Move dispersals with their payouts; returns the entries that go with it, for the one posting of the caller."""
    by_payout = {ending.payout: ending for ending in endings}
    found = standing(tx, by_payout)
    paid = [row for id_, row in found.items() if _pays(row, by_payout[id_])]
    back = [row for id_, row in found.items() if _comes_back(row, by_payout[id_])]
    _disburse(tx, paid)
    _fail(tx, back)
    return [*_sent(tx, paid), *_taken_back(tx, [row for row in back if row.state == _S.DISBURSED])]


def _pays(row: Row, ending: Ending) -> bool:
    if ending.target is not PayoutState.COMPLETED or not ending.is_its_own:
        return False
    return ending.source in SETTLED or (row.state == _S.SENDING and row.own == row.payout)


def _comes_back(row: Row, ending: Ending) -> bool:
    """Whether its dispersal waits for a person: paid late and given back at once, it is where it was."""
    ended = ending.target in SETTLED and ending.source not in SETTLED
    return ended and row.own == row.payout and row.state in {_S.SENDING, _S.DISBURSED}


_POINT: Final = sa.text("""
    UPDATE dispersals d SET payout = g.payout
    FROM unnest(CAST(:ids AS uuid[]), CAST(:payouts AS uuid[])) AS g (id, payout) WHERE d.id = g.id""")
_RELIEVE: Final = sa.text("""
    -- Work comes before its subject in the order of locks: taken where it is free, never waited for. Whoever holds it sees
    -- that its subject is elsewhere, and drops it.
    DELETE FROM work WHERE subject IN (
      SELECT subject FROM work WHERE subject = ANY(CAST(:ids AS uuid[])) FOR UPDATE SKIP LOCKED)""")


def _disburse(tx: LeasedTx, rows: Sequence[Row]) -> None:
    if not rows:
        return
    late = [row for row in rows if row.own != row.payout]
    if late:
        tx.run(_POINT, ids=[row.id for row in late], payouts=[row.payout for row in late])
    shift(tx, DISPERSALS, _states(rows), _S.DISBURSED)
    if waiting := [row.id for row in rows if row.state == _S.PENDING]:
        tx.run(_RELIEVE, ids=waiting)
    cease(tx, [row.id for row in rows])


def failed(tx: LeasedTx, payouts: Collection[UUID]) -> None:
    """Leave the dispersals of payouts that failed unsent to a person; what another payout pays is left alone."""
    if payouts:
        hold(tx, payouts)
        found = standing(tx, payouts).values()
        _fail(tx, [r for r in found if r.state == _S.SENDING and r.own == r.payout])


def _fail(tx: LeasedTx, rows: Sequence[Row]) -> None:
    reasons = {row.id: row.error or "its payout did not arrive" for row in rows}
    for reason in sorted(set(reasons.values())):
        mine = [row for row in rows if reasons[row.id] == reason]
        shift(tx, DISPERSALS, _states(mine), _S.FAILED, reason=reason)
    _tell(tx, rows, reasons)


def _tell(tx: Tx, rows: Sequence[Row], reasons: Mapping[UUID, str]) -> None:
    findings.report(
        tx,
        [
            Finding(
                kind=FindingKind.DISPERSAL_FAILED,
                subject=f"dispersal {row.id}",
                detail=f"of obligation {row.obligation}: {reasons[row.id]}",
            )
            for row in rows
        ],
    )


def withdrawn(tx: Tx, payouts: Collection[UUID], why: str) -> None:
    """Report dispersals that wait for a person since their payouts were withdrawn in this transaction."""
    found = standing(tx, payouts).values()
    rows = [row for row in found if row.state == _S.FAILED and row.own == row.payout]
    _tell(tx, rows, {row.id: f"its payout was withdrawn: {why}" for row in rows})


def cease(tx: LeasedTx, ids: Collection[UUID]) -> None:
    """Resolve what was reported of dispersals that failed, or could not be paid: they are, or are tried again."""
    kinds = (FindingKind.DISPERSAL_FAILED, FindingKind.DISPERSAL_NOT_PAYABLE)
    findings.cease(tx, [key_of(kind, f"dispersal {id_}") for kind in kinds for id_ in ids])


def _states(rows: Sequence[Row]) -> dict[UUID, str]:
    return {row.id: row.state for row in rows}


def _sent(tx: LeasedTx, rows: Sequence[Row]) -> list[Entry]:
    """The cash that the payouts took is that of the mortgages."""
    if not rows:
        return []
    day, kinds = ledger.today(tx), AccountKind
    return drafts.entries(
        tx,
        [
            Draft(
                type=EntryType.LENDER_PAYOUT_SENT,
                key=disbursement_key(row.external_id),
                effective_on=day,
                legs=(
                    Leg(
                        debit=Owner(kind=kinds.CASH, owner="", currency=row.currency),
                        credit=Owner(
                            kind=kinds.TRUST_CASH, owner=str(row.mortgage), currency=row.currency
                        ),
                        amount=row.amount,
                    ),
                ),
            )
            for row in rows
        ],
    )


def _taken_back(tx: LeasedTx, rows: Sequence[Row]) -> list[Entry]:
    """What was given back is cash of the mortgages again."""
    legs = reversals.legs_of(tx, [disbursement_key(row.external_id) for row in rows])
    return reversals.entries(tx, legs, reason="its payout was given back") if legs else []
