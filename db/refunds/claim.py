"""Claim refunds: for a send, or to ask what became of one.

One transaction, in lock order: lease the work rows, move RESERVED to PROCESSING, commit to the effects
(`sends + 1`, request frozen). What was claimed but is not to be sent is handed over by the table, failed
where the gateway could never be asked for it, or parked with its reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple
from uuid import UUID

from db import effects
from db.batch import Batch
from db.effects import Intent, Sendable
from db.refunds import settle
from db.refunds.facts import Refund, read
from db.refunds.settle import Verdict
from db.transitions import LeasedTx, claim, move
from db.tx import Tx
from db.work import CLAIMS_MAX, ClaimOrder, Held, Next
from domain.backoff import FOLLOW_SECONDS, delay
from domain.errors import BadInputError
from domain.findings import Finding, FindingKind
from domain.payout_ids import reference
from domain.ports import FrozenCall, RefundAsk
from domain.refunds import EFFECT, RECOVER, REFUNDS, SUBMIT, RefundState

NO_NAME: Final = "what the gateway calls its capture is not known yet: its webhook tells it"
DISPUTED: Final = "a dispute about its payment is open: its bank may give the same money back"
LOST: Final = (
    "a dispute about its payment was lost: its bank took the money; replay the event that says so"
)


class Gateway(NamedTuple):
    """What a claim needs of a payment gateway: its name, whose account, how it freezes, how long its keys live."""

    name: str
    account: str
    freeze: Callable[[RefundAsk], str]
    key_seconds: float
    """How long after the first send a same-key send is safe."""


class Giving(NamedTuple):
    """A refund whose send is committed to: the lease it is under and the request as frozen."""

    held: Held
    refund: Refund
    effect: Sendable
    request: FrozenCall


class Asking(NamedTuple):
    """A refund that its gateway is asked about. `giving` is committed to only inside the key's window."""

    held: Held
    refund: Refund
    giving: Giving | None

    @property
    def reference(self) -> str:
        """What the gateway has it under."""
        return reference(self.refund.id, self.refund.generation)


def start_giving(tx: Tx, gateway: Gateway, order: ClaimOrder) -> Batch[Giving]:
    """Claim refunds that wait for their send, and commit to sending them."""
    leased = claim(tx, SUBMIT, order)
    if not leased.held:
        return Batch(items=[], taken=0)
    rows = _sift(leased, gateway, _for_send)
    bodies, refused = _frozen(gateway, rows)
    refused = {**refused, **{row.id: LOST for row in rows if _is_taken(row)}}
    settle.apply(leased, [_never_sent(leased.held[id_], why) for id_, why in refused.items()])
    ready = [row for row in rows if row.id not in refused]
    reserved = [row.id for row in ready if row.state == RefundState.RESERVED]
    moved = move(
        leased, REFUNDS, reserved, source=RefundState.RESERVED, target=RefundState.PROCESSING
    )
    going = [row for row in ready if row.state == RefundState.PROCESSING or row.id in set(moved)]
    items = [one for one in _commit(leased, gateway, going, bodies) if one is not None]
    return Batch(items=items, taken=len(leased.held))


def start_asking(tx: Tx, gateway: Gateway, order: ClaimOrder) -> Batch[Asking]:
    """Claim refunds in doubt or pending; those in doubt inside the key's window may be sent again, byte for byte."""
    leased = claim(tx, RECOVER, order)
    if not leased.held:
        return Batch(items=[], taken=0)
    rows = _sift(leased, gateway, _for_asking)
    bodies, _ = _frozen(gateway, rows)
    again = [
        row
        for row in rows
        if row.effect_state != "accepted" and not (row.is_past_key or leased.held[row.id].is_worn)
    ]
    sent = {one.refund.id: one for one in _commit(leased, gateway, again, bodies) if one}
    items = [Asking(leased.held[row.id], row, sent.get(row.id)) for row in rows]
    return Batch(items=items, taken=len(leased.held))


def commit_to(leased: LeasedTx, gateway: Gateway, *, why: str) -> dict[UUID, str]:
    """Take held RESERVED refunds as sent, which their gateway's own list says: each is asked about, at once.

    Returns those of which no request can be frozen, and why: they are parked.
    """
    rows = [row for row in read(leased, leased.held) if row.state == RefundState.RESERVED]
    bodies, refused = _frozen(gateway, [row for row in rows if row.captured_as is not None])
    parked = {**refused, **{row.id: NO_NAME for row in rows if row.captured_as is None}}
    sent = [row for row in rows if row.id in bodies]
    ids = [row.id for row in sent]
    source, target = RefundState.RESERVED, RefundState.PROCESSING
    move(leased, REFUNDS, ids, source=source, target=target, reason=why)
    _commit(leased, gateway, sent, bodies)
    others = leased.held.keys() - {row.id for row in rows}
    leased.settle(
        [Next(subject=id_, job=RECOVER) for id_ in ids]
        + [_park(leased.held[id_], reason) for id_, reason in parked.items()]
        + [Next(subject=id_, job=leased.job(id_)) for id_ in sorted(others)]
    )
    return parked


Judge = Callable[[Held, Refund], Next | None]


def _sift(leased: LeasedTx, gateway: Gateway, judge: Judge) -> list[Refund]:
    """Hand on what is not to be acted on; return the rows of what is."""
    rows = read(leased, leased.held, key_seconds=gateway.key_seconds)
    verdicts = [
        (row, judge(held := leased.held[row.id], row) or _of_others(gateway, held, row))
        for row in rows
    ]
    gone = leased.held.keys() - {row.id for row in rows}
    leased.settle(
        [Next(subject=id_, job=None) for id_ in gone]
        + [verdict for _, verdict in verdicts if verdict is not None]
    )
    return [row for row, verdict in verdicts if verdict is None]


def _of_others(gateway: Gateway, held: Held, row: Refund) -> Next | None:
    """Only who captured it gives it back: another gateway's refusal, or finding nothing, would prove nothing."""
    if row.captured_by in {None, gateway.name}:
        return None
    return _park(
        held,
        f"it was captured by {row.captured_by}, and {gateway.name} is what customers pay by here",
    )


def _for_send(held: Held, row: Refund) -> Next | None:
    """What becomes of a claimed row instead of a send; None sends it."""
    elsewhere = _elsewhere(held, row)
    if elsewhere is not None:
        return elsewhere
    if row.state == RefundState.PROCESSING and (held.is_worn or row.is_past_key):
        error = "not settled under its lease; its gateway is asked"
        return Next(subject=row.id, job=RECOVER, error=error)
    if held.is_worn:
        return _park(held, f"claimed {held.claims - 1} times without a settle")
    if row.captured_as is None or (row.is_disputed and row.state == RefundState.RESERVED):
        wait = delay(FOLLOW_SECONDS, held.tries)
        why = NO_NAME if row.captured_as is None else DISPUTED
        return Next(row.id, SUBMIT, wait, held.tries + 1, why)
    return None


def _for_asking(held: Held, row: Refund) -> Next | None:
    """What becomes of a claimed row that is not asked about; None asks."""
    # A look-up moves no money; if that too kills its worker, it ends here.
    if held.claims > 2 * CLAIMS_MAX:
        return _park(held, f"claimed {held.claims - 1} times without a settle")
    if row.state == RefundState.PROCESSING and row.effect_state == "intended":
        return None  # handed over by submit: its key may be too old for a send, so it is looked up
    return _elsewhere(held, row)


def _elsewhere(held: Held, row: Refund) -> Next | None:
    call = REFUNDS.call_for(row.state, row.effect_state)
    if call is None:
        return _park(held, f"its state {row.state} and its effect {row.effect_state} do not fit")
    return None if call.job == held.job else Next(subject=row.id, job=call.job)


def _park(held: Held, reason: str) -> Next:
    return Next(subject=held.subject, job=held.job, parked=reason, error=reason)


def _is_taken(row: Refund) -> bool:
    """Whether its bank took what nothing was sent for yet: what is reserved is free for that."""
    return row.is_lost and row.state == RefundState.RESERVED


def _never_sent(held: Held, why: str) -> Verdict:
    """The gateway takes no such request, or the bank came first: nothing was sent, and nothing will be."""
    return Verdict(
        subject=held.subject,
        next=Next(subject=held.subject, job=None),
        source=RefundState.RESERVED,
        target=RefundState.FAILED,
        reason=why,
        finding=Finding(
            kind=FindingKind.REFUND_FAILED, subject=f"refund {held.subject}", detail=why
        ),
    )


def _frozen(
    gateway: Gateway, rows: Sequence[Refund]
) -> tuple[Mapping[UUID, str], Mapping[UUID, str]]:
    """The request of each refund, and of those for which there can be none, why."""
    bodies, refused = dict[UUID, str](), dict[UUID, str]()
    for row in rows:
        try:
            bodies[row.id] = gateway.freeze(_ask(row))
        except BadInputError as error:
            refused[row.id] = str(error)
    return bodies, refused


def _ask(row: Refund) -> RefundAsk:
    return RefundAsk(
        reference=reference(row.id, row.generation),
        payment_id=row.captured_as or "",
        amount_minor=row.gateway,
        currency=row.currency,
    )


def _commit(
    leased: LeasedTx, gateway: Gateway, rows: Sequence[Refund], bodies: Mapping[UUID, str]
) -> list[Giving | None]:
    """Write down the intent of a send of each of `rows`; None for what is accepted or rejected already."""
    intents = [Intent(row.effect_key, row.id, row.generation, bodies[row.id]) for row in rows]
    committed = effects.intend(
        leased, intents, kind=EFFECT, provider=gateway.name, account=gateway.account
    )
    return [
        Giving(leased.held[row.id], _sent(row), effect, _call(row, effect)) if effect else None
        for row, effect in zip(rows, committed, strict=True)
    ]


def _sent(row: Refund) -> Refund:
    return replace(row, state=RefundState.PROCESSING)


def _call(row: Refund, effect: Sendable) -> FrozenCall:
    """The request as committed, with what its answer is held against."""
    asked = _ask(row)
    return FrozenCall(
        key=effect.key.hex,
        body=effect.request,
        reference=asked.reference,
        amount_minor=asked.amount_minor,
        currency=asked.currency,
        payment_id=asked.payment_id,
    )
