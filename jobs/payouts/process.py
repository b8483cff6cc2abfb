"""Submit approved payouts: claim a set, move the money, write down what the bank said."""

from collections.abc import Collection, Mapping, Sequence
from typing import Self
from uuid import UUID

from db import effects
from db.batch import Batch
from db.payouts import verdicts
from db.payouts.apply import apply
from db.payouts.claim import Provider, Sending, start_processing
from db.payouts.details import read
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import Answer as BankAnswer, Unknown
from domain.batching import BatchPolicy
from domain.effects import as_evidence
from domain.payouts import PROCESS, RECOVER, PayoutState
from domain.ports import Bank
from domain.switches import HOLD_PAYOUTS
from domain.tally import Tally
from domain.tax import Withholding
from jobs import outside
from jobs.payouts import provider
from jobs.payouts.balance import HOLDS, EnoughBalance
from jobs.ports import Ports
from jobs.shapes import Answer, Drain, Queue, StillMine


class ProcessPayouts(Drain[Sending, BankAnswer]):
    """Submit every approved payout that is due, each at most once."""

    name = PROCESS
    queue = Queue.MONEY
    triggerable = True
    scope_keys = frozenset({"payout"})

    def __init__(
        self,
        bank: Bank,
        *,
        call_seconds_max: float,
        recover_seconds: tuple[float, ...],
        withholding: Withholding | None = None,
        batch: BatchPolicy | None = None,
    ) -> None:
        self.bank = bank
        self.provider: Provider = provider.of(bank, withholding, batch)
        self.gates = (outside.brake(bank), HOLD_PAYOUTS, HOLDS[self.name])
        self.preflight = EnoughBalance(bank, job=self.name)
        self.limit = outside.limit(bank)
        self.call_seconds_max = call_seconds_max
        self.recover_seconds = recover_seconds

    @classmethod
    def made(cls, ports: Ports) -> Self | None:
        """Needs a bank."""
        if ports.bank is None:
            return None
        return cls(
            ports.bank,
            call_seconds_max=ports.call_seconds_max,
            recover_seconds=ports.recover_seconds,
            withholding=ports.withholding,
            batch=ports.batch,
        )

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Sending]:
        """Commit to sending up to `order.limit` payouts."""
        return start_processing(tx, self.provider, order, job=self.name)

    def effect(self, item: Sending, still_mine: StillMine) -> BankAnswer:
        """Send the frozen request once; the answer is read as evidence about the payment."""
        return as_evidence(self.bank.submit(item.request), item.effect.sends)

    def broke(self, item: Sending, error: Exception) -> BankAnswer:
        """An exception after a send may have begun is an unknown outcome."""
        return Unknown(reason=f"{type(error).__name__}: {error}")

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Sending, BankAnswer]]) -> Tally:
        """Accepted goes to follow, rejected fails, not sent is put back, unknown goes to recover."""
        decided = [verdicts.of_send(a.item, a.result, self.recover_seconds) for a in answers]
        lost = apply(tx, [verdict for verdict, _ in decided])
        outside.react(tx, self.bank, [a.result for a in answers])
        return provider.counted(decided, lost)

    def in_doubt(self, tx: Tx, subjects: Collection[UUID]) -> Mapping[UUID, str]:
        """What may have been sent is never left to wait for a person alone: its bank is asked."""
        rows = read(tx, subjects)
        sent = [row.id for row in rows if row.state == PayoutState.PROCESSING and row.sends]
        return dict.fromkeys(sent, RECOVER)

    def release(self, tx: LeasedTx, items: Sequence[Sending]) -> None:
        """Take back the intent: the send never began."""
        effects.unsend(tx, [item.effect.key for item in items])

    def keep_evidence(
        self, tx: Tx, answers: Sequence[Answer[Sending, BankAnswer]], run: int
    ) -> None:
        """The bank's word is kept even when it may move nothing."""
        effects.keep_evidence(
            tx, [(a.item.effect.key, *provider.in_words(a.result)) for a in answers], run=run
        )

    def evident(self, tx: Tx, answers: Sequence[Answer[Sending, BankAnswer]]) -> set[UUID]:
        """Answers written under their token were settled."""
        return effects.settled_under(tx, {a.item.effect.key: a.item.held for a in answers})
