"""Claim payouts for a send: APPROVED ones first, PROCESSING ones whose send may have been lost again.

One transaction, in lock order: lease the work rows, withhold tax from first sends, keep back what payees owe, move APPROVED to
PROCESSING, commit to the effects (`sends + 1`, request frozen), post `payout.submitted` for those
moved. What was claimed but is not to be sent is handed over by the table, or parked with its reason,
in the same transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from db import effects, findings
from db.batch import Batch
from db.effects import Intent, Sendable
from db.payouts import guards, posting, recovering, withholding
from db.payouts.details import Details, read
from db.payouts.guards import Behind
from db.payouts.recovering import Debts
from db.payouts.withholding import Counted
from db.transitions import LeasedTx, claim, move
from db.tx import Tx
from db.work import ClaimOrder, Held, Next
from domain.batching import BatchPolicy
from domain.payout_ids import reference
from domain.payout_modes import mode_for
from domain.payouts import PAYOUTS, PROCESS, RECOVER, SUBMIT, PayoutState
from domain.ports import FrozenRequest, PayoutOrder
from domain.tax import Withholding


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
    withholding: Withholding = field(default_factory=Withholding)
    """How tax is kept back before anything is sent to it."""
    least_minor: int = BatchPolicy().minimum_minor
    """What is left of a payout at least, whatever its payee owes."""


def start_processing(
    tx: Tx, provider: Provider, claim_order: ClaimOrder, *, job: str = PROCESS
) -> Batch[Sending]:
    """Claim payouts that wait for `job`, one of those that send, and commit to sending them."""
    leased = claim(tx, job, claim_order)
    if not leased.held:
        return Batch(items=[], taken=0)
    rows = read(tx, leased.held, key_seconds=provider.key_seconds, is_sending=True)
    behind = guards.behind(tx, rows)
    debts = recovering.hold(tx, rows)
    verdicts = [
        (row, _verdict(leased.held[row.id], row, behind.get(row.id), debts)) for row in rows
    ]
    send = [row for row, verdict in verdicts if verdict is None]
    nexts = [Next(subject=gone, job=None) for gone in missing(leased, rows)]
    nexts += [verdict for _, verdict in verdicts if verdict is not None]
    short = [
        (row, verdict.error or "")
        for row, verdict in verdicts
        if verdict is not None and verdict.job is None and row.state == PayoutState.APPROVED
    ]
    leaving = guards.fail_short(leased, short)
    leased.settle(nexts)
    findings.report(
        leased,
        [
            guards.finding(row.id, verdict.parked)
            for row, verdict in verdicts
            if verdict is not None
            and verdict.parked is not None
            and (row.id in behind or guards.not_payable(row))
        ],
    )
    items = commit_to(leased, provider, send, debts, leaving)
    return Batch(items=items, taken=len(leased.held))


def missing(leased: LeasedTx, rows: Sequence[Details]) -> set[UUID]:
    """The subjects that are held and do not exist: their work is gone."""
    return leased.held.keys() - {row.id for row in rows} if len(rows) < len(leased.held) else set()


def _verdict(held: Held, row: Details, behind: Behind | None, debts: Debts) -> Next | None:
    """What becomes of a claimed row instead of a send; None sends it."""
    call = PAYOUTS.call_for(row.state, row.effect_state, row.payee_kind)
    if call is None:
        return _park(held, f"its state {row.state} and its effect {row.effect_state} do not fit")
    if call.job != held.job:
        return Next(subject=row.id, job=call.job)
    if row.state == PayoutState.PROCESSING and (held.is_worn or row.is_past_key):
        return Next(
            subject=row.id, job=RECOVER, error="not settled under its lease; its provider is asked"
        )
    if held.is_worn:
        return _park(held, f"claimed {held.claims - 1} times without a settle")
    changed, refused = _changed(row), guards.not_payable(row)
    if changed is None and refused is not None and row.sends:
        # It may have left before anybody said so.
        return Next(subject=row.id, job=RECOVER, error=f"{refused}; its provider is asked")
    if changed or refused:
        return _park(held, changed or refused or "")
    if row.in_transit is None:
        return _park(held, f"no books in {row.currency}")
    verdict = None if behind is None else _of_batch(held, row, behind)
    if verdict is None and not debts.take_again(row):
        return Next(subject=row.id, job=None, error=guards.SHORT_OF_DEBT)
    return verdict


def _changed(row: Details) -> str | None:
    """How a row was changed behind the back of whoever approved it; None where it was not."""
    if not row.is_sealed:
        return "changed after approval: amount, beneficiary or key do not fit the seal"
    if row.tax_engine is not None and row.effect_state is None:
        return "changed after approval: it was never claimed, and tax is withheld from it"
    if row.recovered and row.effect_state is None:
        return "changed after approval: it was never claimed, and a debt is kept back of it"
    return None


def _of_batch(held: Held, row: Details, behind: Behind) -> Next | None:
    """What becomes of what a batch made instead of its first send; None sends it."""
    if behind.is_disputed:
        return Next(
            subject=row.id,
            job=held.job,
            delay=guards.DISPUTED_AGAIN,
            tries=held.tries + 1,
            error="an earning it pays is held, or a refund of it is on its way",
        )
    # What is PROCESSING nobody reduces.
    if row.state == PayoutState.APPROVED and behind.owed < row.amount:
        return Next(subject=row.id, job=None, error=guards.short_of(row))
    return None


def _park(held: Held, reason: str) -> Next:
    return Next(subject=held.subject, job=held.job, parked=reason, error=reason)


def keep_back(
    leased: LeasedTx,
    provider: Provider,
    rows: Sequence[Details],
    debts: Debts,
    leaving: Sequence[Counted] = (),
) -> tuple[list[Details], dict[UUID, str]]:
    """Keep tax back from what is sent for the first time, and what its payee owes.

    Returns all rows that may be sent, with what is left to send, and why each other one may not.
    """
    fresh = {row.id for row in rows if withholding.is_fresh(row) or _is_fresh_share(row)}
    ready, refused = withholding.stage(leased, provider.withholding, rows, leaving)
    return recovering.stage(leased, debts, ready, fresh, provider.least_minor), refused


def _is_fresh_share(row: Details) -> bool:
    return row.dispersal is not None and row.effect_state is None


def commit_to(
    leased: LeasedTx,
    provider: Provider,
    rows: Sequence[Details],
    debts: Debts,
    leaving: Sequence[Counted] = (),
) -> list[Sending]:
    """Commit to a send of each of `rows` (all held): what is kept back, state, effect, reserved money.

    What cannot be sent for its tax is parked. What is `leaving` its tax year leaves it before.
    """
    ready, refused = keep_back(leased, provider, rows, debts, leaving)
    leased.settle([_park(leased.held[id_], reason) for id_, reason in refused.items()])
    findings.report(leased, [guards.finding(id_, reason) for id_, reason in refused.items()])
    approved = [row.id for row in ready if row.state == PayoutState.APPROVED]
    moved = set(
        move(leased, PAYOUTS, approved, source=PayoutState.APPROVED, target=PayoutState.PROCESSING)
    )
    going = [row for row in ready if row.state == PayoutState.PROCESSING or row.id in moved]
    sendings = intend_sends(leased, provider, going)
    sent = [(row, sending) for row, sending in zip(going, sendings, strict=True) if sending]
    posting.post_submitted(leased, [row for row, _ in sent if row.id in moved])
    return [sending for _, sending in sent]


def intend_sends(
    leased: LeasedTx, provider: Provider, rows: Sequence[Details]
) -> list[Sending | None]:
    """Write down the intent of a send of each of `rows`; None for what is accepted or rejected already."""
    orders = [order(row) for row in rows]
    intents = [
        Intent(row.effect_key, row.id, row.generation, provider.freeze(asked))
        for row, asked in zip(rows, orders, strict=True)
    ]
    committed = effects.intend(
        leased, intents, kind=SUBMIT, provider=provider.name, account=provider.account
    )
    held = leased.held
    return [
        Sending(held[effect.subject], effect, _frozen(effect, asked)) if effect else None
        for effect, asked in zip(committed, orders, strict=True)
    ]


def order(row: Details) -> PayoutOrder:
    """What the provider's request for a payout is made of; an empty mode is chosen by rule, here, once."""
    return PayoutOrder(
        reference=reference(row.id, row.generation),
        amount_minor=row.net,
        currency=row.currency,
        fund_account_id=row.fund_account_id,
        mode=row.mode or mode_for(row.net, to_vpa=row.is_vpa),
        purpose=row.purpose,
        narration=row.narration,
    )


def _frozen(effect: Sendable, asked: PayoutOrder) -> FrozenRequest:
    """The request as committed, with what its answer is held against."""
    return FrozenRequest(
        key=effect.key.hex,
        body=effect.request,
        reference=asked.reference,
        amount_minor=asked.amount_minor,
        currency=asked.currency,
        fund_account_id=asked.fund_account_id,
    )
