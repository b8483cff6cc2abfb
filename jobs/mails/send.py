"""Send mails: claim a set, hand each to the mail server once, write down what it said."""

from collections.abc import Sequence
from typing import Self, assert_never
from uuid import UUID

from db import effects
from db.batch import Batch
from db.mails import send
from db.mails.send import Sending, Server
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import NotSent, Rejected, Unknown
from domain.effects import as_evidence
from domain.mails import SEND, MailAnswer, Taken
from domain.ports import Mail
from domain.tally import Tally
from jobs import outside
from jobs.ports import Ports
from jobs.shapes import Answer, Drain, Queue, StillMine


class SendMails(Drain[Sending, MailAnswer]):
    """Hand every mail that is due to the mail server, each once."""

    name = SEND
    queue = Queue.REST

    def __init__(self, mail: Mail, *, call_seconds_max: float) -> None:
        self.mail = mail
        self.server = Server(name=mail.provider, account=mail.account, freeze=mail.freeze)
        self.gates = (outside.brake(mail),)
        self.call_seconds_max = call_seconds_max

    @classmethod
    def made(cls, ports: Ports) -> Self | None:
        """Needs a mail server."""
        if ports.mail is None:
            return None
        return cls(ports.mail, call_seconds_max=ports.call_seconds_max)

    def claim(self, tx: Tx, order: ClaimOrder) -> Batch[Sending]:
        """Commit to sending up to `order.limit` mails."""
        return send.start_sending(tx, self.server, order)

    def effect(self, item: Sending, still_mine: StillMine) -> MailAnswer:
        """Hand the frozen mail over once; the answer is read as evidence about the mail."""
        return as_evidence(self.mail.send(item.effect.request), item.effect.sends)

    def broke(self, item: Sending, error: Exception) -> MailAnswer:
        """An exception after a send may have begun is an unknown outcome."""
        return Unknown(reason=type(error).__name__)

    def settle(self, tx: LeasedTx, answers: Sequence[Answer[Sending, MailAnswer]]) -> Tally:
        """Taken is SENT, refused FAILED, not taken tried again; in doubt by the policy of its kind."""
        tally = send.conclude(tx, [(a.item, a.result) for a in answers])
        outside.react(tx, self.mail, [a.result for a in answers])
        return tally

    def release(self, tx: LeasedTx, items: Sequence[Sending]) -> None:
        """Take back the intent: the send never began."""
        effects.unsend(tx, [item.effect.key for item in items])

    def keep_evidence(
        self, tx: Tx, answers: Sequence[Answer[Sending, MailAnswer]], run: int
    ) -> None:
        """The server's word is kept even when it may move nothing."""
        told = [(a.item.effect.key, *_in_words(a.result)) for a in answers]
        effects.keep_evidence(tx, told, run=run)

    def evident(self, tx: Tx, answers: Sequence[Answer[Sending, MailAnswer]]) -> set[UUID]:
        """Answers written under their token were settled."""
        return effects.settled_under(tx, {a.item.effect.key: a.item.held for a in answers})


def _in_words(answer: MailAnswer) -> tuple[str, str | None]:
    match answer:
        case Taken(message_id=name, reply=reply):
            return "accepted", f"{name} {reply}"
        case Rejected(code=code, reason=reason):
            return "rejected", f"{code}: {reason}"
        case NotSent(reason=reason):
            return "not_sent", reason
        case Unknown(reason=reason):
            return "unknown", reason
        case _:
            assert_never(answer)
