"""Follow accepted payouts to their end, and watch completed ones for a late reversal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from db import effects
from db.batch import Batch
from db.clock import now
from db.payouts import verdicts
from db.payouts.apply import Verdict, apply
from db.payouts.ask import Following, start_following
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import LookUpFailed, ProviderPayout
from domain.backoff import FOLLOW_SECONDS
from domain.payouts import FOLLOW
from domain.ports import Bank
from domain.tally import Count, Tally
from jobs.payouts import provider
from jobs.ports import Ports
from jobs.shapes import Answer, Ask, Queue

Report = ProviderPayout | LookUpFailed


class FollowPayouts(Ask[Following, Report]):
    """Ask the bank where accepted payouts are, a page at a time, and conclude those that ended."""

    name = FOLLOW
    queue = Queue.MONEY
    scope_keys = frozenset({"payout"})

    def __init__(self, bank: Bank, *, call_seconds_max: float) -> None:
        self.bank, self.call_seconds_max = bank, call_seconds_max
        self.gates = (provider.brake(bank),)

    @classmethod
    def made(cls, ports: Ports) -> Self | None:
        """Needs a bank."""
        if ports.bank is None:
            return None
        return cls(ports.bank, call_seconds_max=ports.call_seconds_max)

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Following]:
        """Lease accepted payouts that are due to be asked about."""
        return start_following(tx, order)

    def ask(self, items: Sequence[Following]) -> Sequence[Report]:
        """One page of reads for all of them."""
        seen = self.bank.fetch([item.sought for item in items])
        if isinstance(seen, LookUpFailed):
            return [seen] * len(items)
        absent = LookUpFailed(reason="the provider did not list it")
        return [seen.get(item.sought.reference, absent) for item in items]

    def broke(self, item: Following, error: Exception) -> Report:
        """An exception says nothing about the payment."""
        return LookUpFailed(reason=f"{type(error).__name__}: {error}")

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Following, Report]]) -> Tally:
        """Conclude what ended; ask again later about the rest."""
        moment = now(tx)
        decided = [self._decide(a, moment) for a in answers]
        lost = apply(tx, [verdict for verdict, _ in decided])
        provider.react(
            tx, self.bank, [a.result for a in answers if isinstance(a.result, LookUpFailed)]
        )
        return provider.counted(decided, lost)

    def _decide(self, answer: Answer[Following, Report], moment: datetime) -> tuple[Verdict, Count]:
        if isinstance(answer.result, LookUpFailed):
            wait = answer.result.retry_after_seconds or 0
            return verdicts.postponed(
                answer.item.held, FOLLOW_SECONDS, answer.result.reason, wait
            ), Count.WAITING
        return verdicts.of_report(answer.item.known, answer.result, moment)

    def keep_evidence(self, tx: Tx, answers: Sequence[Answer[Following, Report]], run: int) -> None:
        """What the bank said is kept even when it may move nothing."""
        kept = [
            (a.item.known.key, "reported", f"{a.result.provider_id} {a.result.raw_status}")
            for a in answers
            if isinstance(a.result, ProviderPayout)
        ]
        effects.keep_evidence(tx, kept, run=run)

    def evident(self, tx: Tx, answers: Sequence[Answer[Following, Report]]) -> set[UUID]:
        """Answers written under their token were settled."""
        return effects.settled_under(tx, {a.item.known.key: a.item.held for a in answers})
