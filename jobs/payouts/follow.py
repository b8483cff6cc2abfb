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
from domain.answers import LookUpFailed, ProviderPayout, Report
from domain.payouts import FOLLOW
from domain.ports import Bank
from domain.tally import Count, Tally
from jobs import outside
from jobs.payouts import provider
from jobs.ports import Ports
from jobs.shapes import Answer, Ask, Queue

Heard = Report | None
"""None: the bank says that it has no such payout."""


class FollowPayouts(Ask[Following, Heard]):
    """Ask the bank where accepted payouts are, a page at a time, and conclude those that ended."""

    name = FOLLOW
    queue = Queue.MONEY
    triggerable = True
    scope_keys = frozenset({"payout"})

    def __init__(self, bank: Bank, *, call_seconds_max: float) -> None:
        self.bank, self.call_seconds_max = bank, call_seconds_max
        self.gates = (outside.brake(bank),)

    @classmethod
    def made(cls, ports: Ports) -> Self | None:
        """Needs a bank."""
        if ports.bank is None:
            return None
        return cls(ports.bank, call_seconds_max=ports.call_seconds_max)

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Following]:
        """Lease accepted payouts that are due to be asked about."""
        return start_following(tx, order)

    def ask(self, items: Sequence[Following]) -> Sequence[Heard]:
        """One page of reads for all of them."""
        reports = self.bank.fetch([item.sought for item in items])
        return [reports.get(item.sought.reference) for item in items]

    def broke(self, item: Following, error: Exception) -> Heard:
        """An exception says nothing about the payment."""
        return LookUpFailed(reason=f"{type(error).__name__}: {error}")

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Following, Heard]]) -> Tally:
        """Conclude what ended; ask again later about the rest."""
        moment = now(tx)
        decided = [self._decide(a, moment) for a in answers]
        lost = apply(tx, [verdict for verdict, _ in decided])
        outside.react(
            tx, self.bank, [a.result for a in answers if isinstance(a.result, LookUpFailed)]
        )
        return provider.counted(decided, lost)

    def _decide(self, answer: Answer[Following, Heard], moment: datetime) -> tuple[Verdict, Count]:
        held = answer.item.held
        if isinstance(answer.result, LookUpFailed):
            wait, why = answer.result.retry_after_seconds or 0, answer.result.reason
            return verdicts.unanswered(held, why, wait), Count.WAITING
        if answer.result is None:
            return verdicts.not_at_provider(held), Count.WAITING
        return verdicts.of_report(answer.item.known, answer.result, moment)

    def keep_evidence(self, tx: Tx, answers: Sequence[Answer[Following, Heard]], run: int) -> None:
        """What the bank said is kept even when it may move nothing."""
        kept = [
            (a.item.known.key, "reported", f"{a.result.provider_id} {a.result.raw_status}")
            for a in answers
            if isinstance(a.result, ProviderPayout)
        ]
        effects.keep_evidence(tx, kept, run=run)

    def evident(self, tx: Tx, answers: Sequence[Answer[Following, Heard]]) -> set[UUID]:
        """Answers written under their token were settled."""
        return effects.settled_under(tx, {a.item.known.key: a.item.held for a in answers})
