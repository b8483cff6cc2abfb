"""What nobody is asked for any more: what is open of obligations is waived or written off."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Final
from uuid import UUID

from db import drafts, ledger
from db.bookings.moving import shift
from db.drafts import Draft, Leg
from db.obligations.facts import Obligation, grip
from db.obligations.settling import Settled, settle
from db.tx import Tx
from domain.errors import RefusedError
from domain.ledger import AccountKind, EntryType
from domain.obligations import OBLIGATIONS, ObligationState, obligation_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgiving:
    """A way to ask for no more: its entry, its key, what it debits, and where it ends what received nothing."""

    entry: EntryType
    word: str
    debit: AccountKind
    target: ObligationState


WAIVED: Final = Forgiving(
    entry=EntryType.OBLIGATION_WAIVED,
    word="waived",
    debit=AccountKind.CONTROL_WAIVER,
    target=ObligationState.WAIVED,
)
WRITTEN_OFF: Final = Forgiving(
    entry=EntryType.OBLIGATION_WRITTEN_OFF,
    word="written-off",
    debit=AccountKind.WRITE_OFF,
    target=ObligationState.WRITTEN_OFF,
)


def forgive(tx: Tx, ids: Collection[UUID], way: Forgiving, *, actor: str, why: str) -> None:
    """Ask for no more of obligations. What one received until now is divided: it is SETTLED today.

    Raises `RefusedError`, naming the first, where one is neither DUE nor PARTIALLY_SETTLED: nothing changes.
    """
    leased, found = grip(tx, ids, run=None, actor=actor)
    for one in found:
        if one.state not in {ObligationState.DUE, ObligationState.PARTIALLY_SETTLED}:
            raise RefusedError(
                f"obligation {one.external_id} is {one.state}: nothing of it is open"
            )
    day = ledger.today(leased)
    made = [_entry(one, way, day) for one in found]
    ended = {one.id: one.state for one in found if not one.received}
    shift(leased, OBLIGATIONS, ended, way.target, reason=why)
    whole = [replace(one, open=0) for one in found if one.received]
    settled = {one.id: Settled(on=day, method=one.method) for one in whole}
    handed_on = settle(leased, whole, settled)
    drafts.post(leased, [*made, *handed_on], run=None, actor=actor)


def _entry(obligation: Obligation, way: Forgiving, day: date) -> Draft:
    return Draft(
        type=way.entry,
        key=obligation_key(obligation.id, way.word),
        effective_on=day,
        legs=(
            Leg(
                debit=obligation.of_system(way.debit),
                credit=obligation.account(AccountKind.BORROWER_RECEIVABLE),
                amount=obligation.open,
            ),
        ),
    )
