"""Settle refunds in doubt or pending: ask by reference; where its key still lives, the same request asks best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from db import effects
from db.batch import Batch
from db.refunds import settle, verdicts
from db.refunds.claim import Asking, start_asking
from db.refunds.settle import Verdict
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import LookUpFailed, NotSent, Rejected
from domain.backoff import FOLLOW_SECONDS
from domain.checkout_answers import Listed, ProviderRefund, RefundAnswer, RefundLookUp
from domain.effects import EffectState, as_evidence
from domain.findings import FindingKind
from domain.ports import Payments
from domain.refunds import RECOVER
from domain.tally import Count, Tally
from jobs import outside
from jobs.ports import Ports
from jobs.refunds import gateway
from jobs.shapes import Answer, Drain, Queue, StillMine


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What the gateway has under our reference, and, where that was nothing, what the same request answered."""

    look_up: RefundLookUp
    sent: RefundAnswer | None = None


class RecoverRefunds(Drain[Asking, Recovery]):
    """Ask the gateway about refunds that are in doubt or pending, and settle them by what it says."""

    name = RECOVER
    queue = Queue.MONEY
    triggerable = True
    scope_keys = frozenset({"refund"})

    def __init__(
        self, payments: Payments, *, call_seconds_max: float, recover_seconds: tuple[float, ...]
    ) -> None:
        self.payments = payments
        self.gateway = gateway.of(payments)
        self.gates = (outside.brake(payments),)
        self.limit = outside.limit(payments)
        self.call_seconds_max = call_seconds_max
        self.recover_seconds = recover_seconds

    @classmethod
    def made(cls, ports: Ports) -> Self | None:
        """Needs a gateway that customers pay by."""
        if ports.payments is None:
            return None
        seconds, delays = ports.call_seconds_max, ports.recover_seconds
        return cls(ports.payments, call_seconds_max=seconds, recover_seconds=delays)

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Asking]:
        """Lease refunds to be asked about; `sends + 1` where the same request may go out again."""
        return start_asking(tx, self.gateway, order)

    def effect(self, item: Asking, still_mine: StillMine) -> Recovery:
        """Look up by reference; nothing found inside the key's window: the same key and body again."""
        capture = item.refund.captured_as or ""
        look_up = self.payments.find_refunds(capture, item.reference)
        if item.giving is None or isinstance(look_up, LookUpFailed) or look_up.things:
            return Recovery(look_up=look_up)
        if not still_mine():
            reason = "not found yet; too little of the lease left to send again"
            return Recovery(look_up=LookUpFailed(reason=reason))
        sent = self.payments.refund(item.giving.request)
        return Recovery(look_up=look_up, sent=as_evidence(sent, max(2, item.giving.effect.sends)))

    def broke(self, item: Asking, error: Exception) -> Recovery:
        """An exception says nothing about the refund."""
        return Recovery(look_up=LookUpFailed(reason=f"{type(error).__name__}: {error}"))

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Asking, Recovery]]) -> Tally:
        """One refund found is adopted; several, or none after the key's window, wait for a person."""
        decided = [self._decide(a.item, a.result) for a in answers]
        lost = settle.apply(tx, [verdict for verdict, _ in decided])
        outside.react(tx, self.payments, [a.result.sent or a.result.look_up for a in answers])
        return gateway.counted(decided, lost)

    def _decide(self, item: Asking, recovery: Recovery) -> tuple[Verdict, Count]:
        match recovery.look_up:
            case LookUpFailed(reason=reason, retry_after_seconds=wait):
                ladder = FOLLOW_SECONDS if self._is_pending(item) else self.recover_seconds
                return verdicts.postponed(item.held, ladder, reason, wait or 0), Count.UNKNOWN
            case Listed(things=(ProviderRefund() as given,)):
                return verdicts.of_report(item.held, item.refund, given)
            case Listed(things=()):
                return self._not_found(item, recovery.sent)
            case Listed(things=several):
                ids = ", ".join(given.provider_id for given in several)
                reason = f"found {len(several)} times: {ids}"
                kind = FindingKind.REFUND_FOUND_TWICE
                return verdicts.parked(item.held, reason, kind), Count.PARKED
            case _:
                raise AssertionError("look-ups are listed or failed")

    def _not_found(self, item: Asking, sent: RefundAnswer | None) -> tuple[Verdict, Count]:
        if self._is_pending(item):
            reason = f"the gateway took it as {item.refund.given_as}, and does not list it"
            return verdicts.postponed(item.held, FOLLOW_SECONDS, reason), Count.UNKNOWN
        if item.giving is None:
            kind = FindingKind.REFUND_UNKNOWN_TOO_LONG
            return verdicts.parked(item.held, _why_unsent(item), kind), Count.PARKED
        if sent is None or isinstance(sent, NotSent | Rejected):
            raise AssertionError("as evidence, a second send is taken or unknown")
        giving = item.giving
        return verdicts.of_send(item.held, giving.refund, sent, self.recover_seconds)

    def _is_pending(self, item: Asking) -> bool:
        return item.refund.effect_state == EffectState.ACCEPTED

    def release(self, tx: LeasedTx, items: Sequence[Asking]) -> None:
        """Take back the intents: nothing was sent under this claim."""
        effects.unsend(tx, [item.giving.effect.key for item in items if item.giving is not None])

    def keep_evidence(self, tx: Tx, answers: Sequence[Answer[Asking, Recovery]], run: int) -> None:
        """What the gateway said is kept even when it may move nothing."""
        kept = [(a.item.refund.effect_key, *_in_words(a.result)) for a in answers]
        effects.keep_evidence(tx, kept, run=run)

    def evident(self, tx: Tx, answers: Sequence[Answer[Asking, Recovery]]) -> set[UUID]:
        """Answers written under their token were settled."""
        return effects.settled_under(tx, {a.item.refund.effect_key: a.item.held for a in answers})


def _why_unsent(item: Asking) -> str:
    if item.held.is_worn:
        claims = item.held.claims - 1
        return f"not found at the gateway, after {claims} claims without a settle"
    return (
        "not found at the gateway, and too old to send again under its key: two people must decide"
    )


def _in_words(recovery: Recovery) -> tuple[str, str | None]:
    if recovery.sent is not None:
        return outside.in_words(recovery.sent)
    if isinstance(recovery.look_up, LookUpFailed):
        return "look_up_failed", recovery.look_up.reason
    return "found", ", ".join(given.provider_id for given in recovery.look_up.things)
