"""Ask the gateway for refunds: claim a set, send each once, write down what was said."""

from collections.abc import Collection, Mapping, Sequence
from typing import Self
from uuid import UUID

from db import effects
from db.batch import Batch
from db.refunds import settle, verdicts
from db.refunds.claim import Giving, start_giving
from db.refunds.facts import read
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import Unknown
from domain.checkout_answers import RefundAnswer
from domain.effects import as_evidence
from domain.ports import Payments
from domain.refunds import RECOVER, SUBMIT, RefundState
from domain.tally import Tally
from jobs import outside
from jobs.ports import Ports
from jobs.refunds import gateway
from jobs.shapes import Answer, Drain, Queue, StillMine


class SubmitRefunds(Drain[Giving, RefundAnswer]):
    """Ask the gateway for every refund that is reserved, each at most once."""

    name = SUBMIT
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

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Giving]:
        """Commit to asking for up to `order.limit` refunds."""
        return start_giving(tx, self.gateway, order)

    def effect(self, item: Giving, still_mine: StillMine) -> RefundAnswer:
        """Send the frozen request once; the answer is read as evidence about the refund."""
        return as_evidence(self.payments.refund(item.request), item.effect.sends)

    def broke(self, item: Giving, error: Exception) -> RefundAnswer:
        """An exception after a send may have begun is an unknown outcome."""
        return Unknown(reason=f"{type(error).__name__}: {error}")

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Giving, RefundAnswer]]) -> Tally:
        """Given goes to cascade, pending and unknown to recover, refused fails, not sent is put back."""
        decided = [
            verdicts.of_send(a.item.held, a.item.refund, a.result, self.recover_seconds)
            for a in answers
        ]
        lost = settle.apply(tx, [verdict for verdict, _ in decided])
        outside.react(tx, self.payments, [a.result for a in answers])
        return gateway.counted(decided, lost)

    def in_doubt(self, tx: Tx, subjects: Collection[UUID]) -> Mapping[UUID, str]:
        """What may have been sent is never left to wait for a person alone: its gateway is asked."""
        rows = read(tx, subjects)
        sent = [row.id for row in rows if row.state == RefundState.PROCESSING and row.sends]
        return dict.fromkeys(sent, RECOVER)

    def release(self, tx: LeasedTx, items: Sequence[Giving]) -> None:
        """Take back the intent: the send never began."""
        effects.unsend(tx, [item.effect.key for item in items])

    def keep_evidence(
        self, tx: Tx, answers: Sequence[Answer[Giving, RefundAnswer]], run: int
    ) -> None:
        """The gateway's word is kept even when it may move nothing."""
        told = [(a.item.effect.key, *outside.in_words(a.result)) for a in answers]
        effects.keep_evidence(tx, told, run=run)

    def evident(self, tx: Tx, answers: Sequence[Answer[Giving, RefundAnswer]]) -> set[UUID]:
        """Answers written under their token were settled."""
        return effects.settled_under(tx, {a.item.effect.key: a.item.held for a in answers})
