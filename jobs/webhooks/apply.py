"""Apply what providers told us: an event changes its payout, and is marked, in one transaction."""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

from db.inbox import events
from db.inbox.events import Concluded
from db.payouts.hearing import Heard, hear
from db.payouts.words import Word
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import ProviderPayout
from domain.events import read
from domain.inbox import APPLY, EventState
from domain.tally import Count, Tally
from domain.telling import NothingToDo, Telling, Unreadable
from jobs.shapes import Chore, Done, Queue


class ApplyEvents(Chore):
    """Settle payouts by what their provider told us, each event once, in whatever order they came."""

    name = APPLY
    queue = Queue.MONEY
    scope_keys = frozenset({"event"})

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Claim a set of events, read each once, settle what they are about, and mark them."""
        leased, taken = events.take(tx, order)
        told = {event: read(event.provider, event.type, event.body) for event in taken}
        words = [
            Word(event.id, event.provider, word)
            for event, word in told.items()
            if isinstance(word, ProviderPayout)
        ]
        heard = hear(tx, words, run=order.run)
        ended = [
            concluded
            for event, telling in told.items()
            if (concluded := _concluded(event.id, telling, heard.get(event.id)))
        ]
        done = {concluded.event for concluded in ended}
        events.conclude(leased, ended, again=[event.id for event in taken if event.id not in done])
        return Done(taken=len(leased.held), tally=_tally(len(taken), ended))

    def give_up(self, tx: LeasedTx, subject: UUID, reason: str) -> bool:
        """What was tried too often has failed: it is listed, and an operator may replay it."""
        events.conclude(tx, [Concluded(subject, EventState.FAILED, reason)])
        return True


def _concluded(event: UUID, told: Telling, heard: Heard | None) -> Concluded | None:
    """What came of an event; None: it is to come again."""
    match told:
        case NothingToDo(why=why):
            return Concluded(event, EventState.APPLIED, f"nothing to do: {why}")
        case Unreadable(why=why):
            return Concluded(event, EventState.FAILED, f"unreadable: {why}")
        case ProviderPayout():
            if heard is None:
                return None
            state = EventState.APPLIED if heard.applied else EventState.FAILED
            return Concluded(event, state, heard.outcome)
        case _:
            assert_never(told)


def _tally(taken: int, ended: Sequence[Concluded]) -> Tally:
    failed = sum(concluded.state is EventState.FAILED for concluded in ended)
    return Tally(
        {
            Count.PROCESSED: taken,
            Count.SUCCEEDED: len(ended) - failed,
            Count.FAILED: failed,
            Count.WAITING: taken - len(ended),
        }
    )
