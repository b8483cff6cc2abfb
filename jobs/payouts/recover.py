"""Settle payouts in doubt: ask the bank by reference; where its key still lives, the same request asks best."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID

from db import effects, switches
from db.batch import Batch
from db.clock import now
from db.payouts import verdicts
from db.payouts.apply import Verdict, apply
from db.payouts.ask import Recovering, start_recovering, take_over_lapsed
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import Answer as BankAnswer, Found, LookUp, LookUpFailed, NotSent, Rejected
from domain.effects import as_evidence
from domain.findings import FindingKind
from domain.payouts import RECOVER
from domain.ports import Bank
from domain.switches import HOLD_PAYOUTS
from domain.tally import Count, Tally
from jobs import outside
from jobs.payouts import provider
from jobs.payouts.balance import HOLDS
from jobs.ports import Ports
from jobs.shapes import Answer, Drain, Queue, StillMine

FOREIGN_GRACE: Final = timedelta(hours=1)
"""How long nothing found says nothing of what another system sent (RazorpayX: ask for up to an hour)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What the bank knows by reference, and, where it knew nothing, what the same request answered."""

    look_up: LookUp
    sent: BankAnswer | None = None


class RecoverPayouts(Drain[Recovering, Recovery]):
    """Ask the bank about payouts whose outcome is unknown, and adopt what it says."""

    name = RECOVER
    queue = Queue.MONEY
    triggerable = True
    scope_keys = frozenset({"payout"})

    def __init__(
        self, bank: Bank, *, call_seconds_max: float, recover_seconds: tuple[float, ...]
    ) -> None:
        self.bank = bank
        self.provider = provider.of(bank)
        self.gates = (outside.brake(bank),)
        self.limit = outside.limit(bank)
        self.call_seconds_max = call_seconds_max
        self.recover_seconds = recover_seconds

    @classmethod
    def made(cls, ports: Ports) -> Self | None:
        """Needs a bank."""
        if ports.bank is None:
            return None
        seconds, delays = ports.call_seconds_max, ports.recover_seconds
        return cls(ports.bank, call_seconds_max=seconds, recover_seconds=delays)

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Recovering]:
        """Lease payouts in doubt; `sends + 1` where the same request may go out again."""
        on = switches.all_on(tx)
        held = [job for job, hold in HOLDS.items() if HOLD_PAYOUTS in on or hold in on]
        if held:
            take_over_lapsed(tx, held, order.limit)
        return start_recovering(tx, self.provider, order, may_send=HOLD_PAYOUTS not in on)

    def effect(self, item: Recovering, still_mine: StillMine) -> Recovery:
        """Look up by reference; nothing found inside the key's window: the same key and body again."""
        look_up = self.bank.find(item.known.reference)
        if item.sending is None or isinstance(look_up, LookUpFailed) or look_up.payouts:
            return Recovery(look_up=look_up)
        if not still_mine():
            return Recovery(
                look_up=LookUpFailed(
                    reason="not found yet; too little of the lease left to send again"
                )
            )
        sent = self.bank.submit(item.sending.request)
        return Recovery(look_up=look_up, sent=as_evidence(sent, max(2, item.sending.effect.sends)))

    def broke(self, item: Recovering, error: Exception) -> Recovery:
        """An exception says nothing about the payment."""
        return Recovery(look_up=LookUpFailed(reason=f"{type(error).__name__}: {error}"))

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Recovering, Recovery]]) -> Tally:
        """One payout found is adopted; several, or none after the key's window, wait for a person."""
        moment = now(tx)
        decided = [self._decide(a.item, a.result, moment) for a in answers]
        lost = apply(tx, [verdict for verdict, _ in decided])
        outside.react(
            tx, self.bank, [heard for a in answers if (heard := _heard(a.result)) is not None]
        )
        return provider.counted(decided, lost)

    def _decide(
        self, item: Recovering, recovery: Recovery, moment: datetime
    ) -> tuple[Verdict, Count]:
        match recovery:
            case Recovery(look_up=LookUpFailed(reason=reason, retry_after_seconds=wait)):
                return verdicts.postponed(
                    item.held, self.recover_seconds, reason, wait or 0
                ), Count.UNKNOWN
            case Recovery(look_up=Found(payouts=(paid,))):
                return verdicts.of_report(item.known, paid, moment)
            case Recovery(look_up=Found(payouts=())):
                return self._not_found(item, recovery.sent, moment)
            case Recovery(look_up=Found(payouts=several)):
                ids = ", ".join(paid.provider_id for paid in several)
                return verdicts.parked(
                    item.held, f"found {len(several)} times: {ids}", FindingKind.PAYOUT_FOUND_TWICE
                ), Count.PARKED
            case _:
                raise AssertionError("look-ups are found or failed")

    def _not_found(
        self, item: Recovering, sent: BankAnswer | None, moment: datetime
    ) -> tuple[Verdict, Count]:
        if item.foreign_since is not None and moment < item.foreign_since + FOREIGN_GRACE:
            reason = "not found at the provider yet; another system sent it less than an hour ago"
            return verdicts.postponed(item.held, self.recover_seconds, reason), Count.UNKNOWN
        if item.is_held:
            reason = f"not found at the provider; {HOLD_PAYOUTS} lets nothing be sent again"
            return verdicts.postponed(item.held, self.recover_seconds, reason), Count.UNKNOWN
        if item.sending is None:
            return verdicts.parked(
                item.held, _why_unsent(item), FindingKind.PAYOUT_UNKNOWN_TOO_LONG
            ), Count.PARKED
        if sent is None or isinstance(sent, NotSent | Rejected):
            raise AssertionError("as evidence, a second send is accepted or unknown")
        return verdicts.of_send(item.sending, sent, self.recover_seconds)

    def release(self, tx: LeasedTx, items: Sequence[Recovering]) -> None:
        """Take back the intents: nothing was sent under this claim."""
        effects.unsend(tx, [item.sending.effect.key for item in items if item.sending is not None])

    def keep_evidence(
        self, tx: Tx, answers: Sequence[Answer[Recovering, Recovery]], run: int
    ) -> None:
        """What the bank said is kept even when it may move nothing."""
        kept = [(a.item.known.key, *_in_words(a.result)) for a in answers]
        effects.keep_evidence(tx, kept, run=run)

    def evident(self, tx: Tx, answers: Sequence[Answer[Recovering, Recovery]]) -> set[UUID]:
        """Answers written under their token were settled."""
        return effects.settled_under(tx, {a.item.known.key: a.item.held for a in answers})


def _why_unsent(item: Recovering) -> str:
    if item.foreign_since is not None:
        told = f"not found at the provider under {item.known.reference}"
        return f"{told}: another system sent it, whose request is not known here; two people must decide"
    if item.held.is_worn:
        return f"not found at the provider, after {item.held.claims - 1} claims without a settle"
    return (
        "not found at the provider, and too old to send again under its key: two people must decide"
    )


def _heard(recovery: Recovery) -> BankAnswer | LookUpFailed | None:
    if isinstance(recovery.look_up, LookUpFailed):
        return recovery.look_up
    return recovery.sent


def _in_words(recovery: Recovery) -> tuple[str, str | None]:
    if recovery.sent is not None:
        return provider.in_words(recovery.sent)
    if isinstance(recovery.look_up, LookUpFailed):
        return "look_up_failed", recovery.look_up.reason
    return "found", ", ".join(p.provider_id for p in recovery.look_up.payouts)
