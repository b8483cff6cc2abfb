"""Money that came in: received by its obligation as far as that is open, the rest kept for its mortgage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Final
from uuid import UUID

from db import drafts
from db.bookings.moving import shift
from db.drafts import Draft, Leg
from db.obligations.facts import Obligation, grip
from db.obligations.settling import Settled, settle
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import Next
from domain.errors import RefusedError
from domain.ledger import AccountKind, EntryType
from domain.obligations import HEAL, OBLIGATIONS, TAKES_CASH, ObligationState, obligation_key

_K: Final = AccountKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Money for an obligation: `amount` in minor units of its currency, above zero."""

    id: UUID
    obligation: UUID
    amount: int
    received_on: date
    method: str
    part: int | None = None
    """Of one that was in suspense: the number of the resolution that matched this part of it."""

    def key(self, word: str) -> str:
        """The key of an entry about it; of a part with its number."""
        return f"receipt:{self.id}:{word}" + ("" if self.part is None else f":{self.part}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unapplied:
    """Cash of a mortgage that goes to one of its obligations; `reference` names it once."""

    obligation: UUID
    amount: int
    on: date
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of one receipt: how much its obligation took; the rest is unapplied cash of its mortgage."""

    receipt: UUID
    applied: int
    settled: bool


def receive(
    tx: LeasedTx | Tx,
    receipts: Sequence[Receipt],
    *,
    run: int | None,
    actor: str,
    also: Sequence[Draft] = (),
) -> list[Received]:
    """Take in receipts, the earliest first; one outcome each, in that order. The rows are there already.

    What pays the last of an obligation settles it on the day it was received. One that does not take money
    any more takes nothing. `also` is posted with them. Locks accounts: a caller does this last. Raises
    `KeyTakenError` for a receipt that is in the books already.
    """
    ordered = sorted(receipts, key=lambda one: (one.obligation, one.received_on, one.id))
    leased, found = grip(tx, {one.obligation for one in ordered}, run=run, actor=actor)
    drafts.check_new(leased, [one.key("received") for one in ordered])
    by_id = {o.id: o for o in found}
    made, done = list[Draft](), list[Received]()
    taking = list[tuple[Obligation, int, Settled]]()
    for id_, group in groupby(ordered, key=lambda one: one.obligation):
        obligation, taken = by_id[id_], 0
        open_ = obligation.open if obligation.state in TAKES_CASH else 0
        last: Receipt | None = None
        for receipt in group:
            applied = min(receipt.amount, open_ - taken)
            taken += applied
            last = receipt if applied else last
            made += _received(obligation, receipt, applied)
            settles = applied > 0 and taken == open_
            done.append(Received(receipt=receipt.id, applied=applied, settled=settles))
        if last is not None:
            settled = Settled(on=last.received_on, method=last.method)
            taking.append((obligation, taken, settled))
    posted = [*also, *made, *_taken(leased, taking)]
    drafts.post(leased, posted, run=run, actor=leased.actor)
    return done


def apply(tx: LeasedTx | Tx, cash: Sequence[Unapplied], *, run: int | None, actor: str) -> None:
    """Give unapplied cash of mortgages to their obligations, one amount for each.

    Raises `RuleBrokenError` where the mortgage has less, or the obligation is owed less, `KeyTakenError` for a
    reference that was given before, `RefusedError` for one that takes no money any more: nobody would divide it.
    """
    leased, found = grip(tx, {one.obligation for one in cash}, run=run, actor=actor)
    given = {one.obligation: one for one in cash}
    drafts.check_new(leased, [_key_of_cash(one) for one in cash])
    for one in found:
        if one.state not in TAKES_CASH:
            raise RefusedError(
                f"obligation {one.external_id} is {one.state}: it takes no money any more"
            )
    made = [_applied(o, given[o.id]) for o in found]
    taking = [(o, given[o.id].amount, Settled(on=given[o.id].on, method=None)) for o in found]
    drafts.post(leased, [*made, *_taken(leased, taking)], run=run, actor=leased.actor)


def _taken(tx: LeasedTx, taking: Sequence[tuple[Obligation, int, Settled]]) -> Iterator[Draft]:
    """Move the obligations that took money; returns the entries that follow of it. What is STALLED is tried at once."""
    stalled = [o.id for o, _, _ in taking if o.state == ObligationState.STALLED]
    tx.settle([Next(subject=id_, job=HEAL) for id_ in stalled])
    moving = [
        (replace(o, open=o.open - amount, received=o.received + amount), settled)
        for o, amount, settled in taking
        if o.state in _UNSETTLED
    ]
    parts = [o for o, _ in moving if o.open]
    due = {o.id: o.state for o in parts if o.state == ObligationState.DUE}
    shift(tx, OBLIGATIONS, due, ObligationState.PARTIALLY_SETTLED)
    whole = [(o, settled) for o, settled in moving if not o.open]
    yield from settle(tx, [o for o, _ in whole], {o.id: settled for o, settled in whole})


_UNSETTLED: Final = frozenset({ObligationState.DUE, ObligationState.PARTIALLY_SETTLED})


def _received(obligation: Obligation, receipt: Receipt, applied: int) -> list[Draft]:
    """What a receipt is in the books: cash of the mortgage, less owed by the borrower; and what is owed on for it.

    The cash of a part comes out of suspense: what is received is what was cleared of nobody's.
    """
    cash = obligation.of_mortgage(_K.TRUST_CASH)
    if receipt.part is not None:
        cash = obligation.of_system(_K.CASH_CLEARING)
    to = (
        (obligation.account(_K.BORROWER_RECEIVABLE), applied),
        (obligation.of_mortgage(_K.UNAPPLIED_CASH), receipt.amount - applied),
    )
    return [
        Draft(
            type=EntryType.CASH_RECEIVED,
            key=receipt.key("received"),
            effective_on=receipt.received_on,
            legs=tuple(Leg(debit=cash, credit=account, amount=amount) for account, amount in to),
        ),
        Draft(
            type=EntryType.CASH_APPLIED,
            key=receipt.key("applied"),
            effective_on=receipt.received_on,
            legs=(_owed_on(obligation, applied),),
        ),
    ]


def _applied(obligation: Obligation, cash: Unapplied) -> Draft:
    return Draft(
        type=EntryType.CASH_APPLIED,
        key=_key_of_cash(cash),
        effective_on=cash.on,
        legs=(
            Leg(
                debit=obligation.of_mortgage(_K.UNAPPLIED_CASH),
                credit=obligation.account(_K.BORROWER_RECEIVABLE),
                amount=cash.amount,
            ),
            _owed_on(obligation, cash.amount),
        ),
    )


def _key_of_cash(cash: Unapplied) -> str:
    return obligation_key(cash.obligation, f"applied:{cash.reference}")


def _owed_on(obligation: Obligation, amount: int) -> Leg:
    """Of an obligation that is settled already, what comes in is divided at once."""
    unsettled = obligation.state in _UNSETTLED
    to = _K.CONTROL_SETTLEMENT if unsettled else _K.CONTROL_ALLOCATION
    return Leg(
        debit=obligation.of_system(_K.CONTROL_ACCRUAL),
        credit=obligation.of_system(to),
        amount=amount,
    )
