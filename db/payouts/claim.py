"""Claim payouts for a send: APPROVED ones first, PROCESSING ones whose send may have been lost again.

One transaction, in lock order: lease the work rows, move APPROVED to PROCESSING, commit to the
effects (`sends + 1`, request frozen), post `payout.submitted` for those moved. What was claimed but
is not to be sent is handed over by the table, or parked with its reason, in the same transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import effects, ledger
from db.batch import Batch
from db.effects import Intent, Sendable
from db.transitions import LeasedTx, claim, move
from db.tx import Row, Tx
from db.work import ClaimOrder, Held, Next
from domain.ledger import Entries, Entry, EntryType, Posting, payout_entry_key
from domain.payout_modes import mode_for
from domain.payouts import PAYOUTS, PROCESS, RECOVER, SUBMIT, PayoutState, reference
from domain.ports import FrozenRequest, PayoutOrder


class Sending(NamedTuple):
    """A payout whose send is committed to: the lease it is under and the request as frozen."""

    held: Held
    effect: Sendable
    request: FrozenRequest

    @property
    def subject(self) -> UUID:
        """The payout."""
        return self.held.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What a claim needs of a bank: its name, whose account, how it freezes, how long its keys live."""

    name: str
    account: str
    freeze: Callable[[PayoutOrder], str]
    key_seconds: float
    """How long after the first send a same-key send is safe."""


DETAILS: Final = """
    SELECT p.id, p.amount, p.currency, p.mode, p.purpose, p.narration, p.generation, p.effect_key, p.payable, p.state,
           p.approval_seal = payout_seal(p, p.generation, p.effect_key) AS is_sealed,
           a.fund_account_id, a.active, t.id AS in_transit, c.id AS cash,
           e.state AS effect_state, e.sends, e.put_backs, e.provider_id, e.accepted_at, e.first_sent_at, p.completed_at,
           clock_timestamp() - e.first_sent_at > make_interval(secs => :key_seconds) AS is_past_key
    FROM payouts p
    JOIN payout_accounts a ON a.id = p.account
    LEFT JOIN accounts t ON t.kind = 'payouts_in_transit' AND t.owner = '' AND t.currency = p.currency
    LEFT JOIN accounts c ON c.kind = 'cash' AND c.owner = '' AND c.currency = p.currency
    LEFT JOIN effects e ON e.key = p.effect_key
    WHERE p.id = ANY(CAST(:ids AS uuid[]))"""
_DETAILS: Final = sa.text(DETAILS)


def start_processing(tx: Tx, provider: Provider, claim_order: ClaimOrder) -> Batch[Sending]:
    """Claim payouts that wait for `payouts.process` and commit to sending them."""
    leased = claim(tx, PROCESS, claim_order)
    if not leased.held:
        return Batch(items=[], taken=0)
    rows = {
        row.id: row
        for row in tx.rows(_DETAILS, ids=list(leased.held), key_seconds=provider.key_seconds)
    }
    send: list[Row] = []
    nexts: list[Next] = []
    for subject, held in leased.held.items():
        row = rows.get(subject)
        verdict = _verdict(held, row)
        if verdict is not None:
            nexts.append(verdict)
        elif row is not None:
            send.append(row)
    leased.settle(nexts)
    return Batch(items=commit_to(leased, provider, send), taken=len(leased.held))


def _verdict(held: Held, row: Row | None) -> Next | None:
    """What becomes of a claimed row instead of a send; None sends it."""
    if row is None:
        return Next(subject=held.subject, job=None)
    call = PAYOUTS.call_for(row.state, row.effect_state)
    if call is None:
        return _park(row, f"its state {row.state} and its effect {row.effect_state} do not fit")
    if call.job != PROCESS:
        return Next(subject=row.id, job=call.job)
    if row.state == PayoutState.PROCESSING and (held.is_worn or row.is_past_key):
        return Next(
            subject=row.id, job=RECOVER, error="not settled under its lease; its provider is asked"
        )
    if held.is_worn:
        return _park(row, f"claimed {held.claims - 1} times without a settle")
    if not row.is_sealed:
        return _park(row, "changed after approval: amount, beneficiary or key do not fit the seal")
    if not row.active:
        return _park(row, "its payout account is not active")
    return None if row.in_transit is not None else _park(row, f"no books in {row.currency}")


def _park(row: Row, reason: str) -> Next:
    return Next(subject=row.id, job=PROCESS, parked=reason, error=reason)


def commit_to(leased: LeasedTx, provider: Provider, rows: Sequence[Row]) -> list[Sending]:
    """Commit to a send of each of `rows` (of `DETAILS`, held): state, effect, reserved money."""
    approved = [row.id for row in rows if row.state == PayoutState.APPROVED]
    moved = set(
        move(leased, PAYOUTS, approved, source=PayoutState.APPROVED, target=PayoutState.PROCESSING)
    )
    going = [row for row in rows if row.state == PayoutState.PROCESSING or row.id in moved]
    intents = [
        Intent(
            key=row.effect_key,
            subject=row.id,
            generation=row.generation,
            request=provider.freeze(order(row)),
        )
        for row in going
    ]
    sendables = {
        s.key: s
        for s in effects.intend(
            leased, intents, kind=SUBMIT, provider=provider.name, account=provider.account
        )
    }
    _post_submitted(
        leased,
        [row for row in going if row.effect_key in sendables and row.state == PayoutState.APPROVED],
    )
    return [
        sending(leased.held[row.id], sendables[row.effect_key], row)
        for row in going
        if row.effect_key in sendables
    ]


def order(row: Row) -> PayoutOrder:
    """What the provider's request for a payout is made of; an empty mode is chosen by rule, here, once."""
    return PayoutOrder(
        reference=reference(row.id, row.generation),
        amount_minor=row.amount,
        currency=row.currency,
        fund_account_id=row.fund_account_id,
        mode=row.mode or mode_for(row.amount).value,
        purpose=row.purpose,
        narration=row.narration,
    )


def sending(held: Held, effect: Sendable, row: Row) -> Sending:
    """Put a lease, a committed effect and the row it is for together."""
    request = FrozenRequest(
        key=effect.key.hex,
        body=effect.request,
        reference=reference(row.id, row.generation),
        amount_minor=row.amount,
        currency=row.currency,
        fund_account_id=row.fund_account_id,
    )
    return Sending(held, effect, request)


def _post_submitted(leased: LeasedTx, rows: Sequence[Row]) -> None:
    """Reserve the money of first sends: from here it is in transit, whatever the answer."""
    if not rows:
        return
    day = ledger.today(leased)
    for currency in {row.currency for row in rows}:
        mine = [row for row in rows if row.currency == currency]
        made = Entries(
            type=EntryType.PAYOUT_SUBMITTED,
            currency=currency,
            effective_on=day,
            keys=[
                payout_entry_key(
                    row.id, row.generation, EntryType.PAYOUT_SUBMITTED, row.put_backs or 0
                )
                for row in mine
            ],
            debits=[row.payable for row in mine],
            credits=[row.in_transit for row in mine],
            amounts=[row.amount for row in mine],
        )
        ledger.post_set(leased, made, run=leased.holder, actor=leased.actor)


def entry(row: Row, kind: EntryType, debit: int, credit: int, day: date, number: int = 0) -> Entry:
    """One entry of a payout's amount."""
    return Entry(
        type=kind,
        key=payout_entry_key(row.id, row.generation, kind, number),
        currency=row.currency,
        effective_on=day,
        postings=(Posting(debit=debit, credit=credit, amount=row.amount),),
    )
