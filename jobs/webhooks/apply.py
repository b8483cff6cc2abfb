"""Apply what providers told us: an event changes what it is about, and is marked, in one transaction."""

from collections.abc import Mapping, Sequence
from typing import assert_never
from uuid import UUID

from db.disputes import hearing as disputes
from db.inbox import events
from db.inbox.events import Concluded, Event
from db.inbox.heard import Heard, Word
from db.orders import hearing as orders
from db.payouts import hearing as payouts
from db.payouts.words import Word as PayoutWord
from db.refunds import hearing as refunds
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import ClaimOrder
from domain.answers import ProviderPayout
from domain.checkout_answers import ProviderRefund
from domain.events import read
from domain.inbox import APPLY, EventState
from domain.tally import Count, Tally
from domain.telling import NothingToDo, Telling, ToldDispute, ToldOrder, Unreadable
from jobs.shapes import Chore, Done, Queue

Read = tuple[Event, Telling]


class ApplyEvents(Chore):
    """Settle what providers told us of, each event once, in whatever order they came."""

    name = APPLY
    queue = Queue.MONEY
    scope_keys = frozenset({"event"})

    def work(self, tx: Tx, order: ClaimOrder) -> Done:
        """Hold a set of events, read each once, settle what they are about, and mark them.

        What is about payouts and what is about orders lock the same books, each last: one transaction
        hears what is of one kind, and leaves the others, untouched, to the next.
        """
        leased, taken = events.take(tx, order)
        gone = len(leased.held) - len(taken)
        mine = _of_one_kind(
            [(event, read(event.provider, event.type, event.body)) for event in taken]
        )
        heard = _hear(tx, mine, order.run)
        ended = [
            concluded
            for event, telling in mine
            if (concluded := _concluded(event.id, telling, heard.get(event.id)))
        ]
        done = {concluded.event for concluded in ended}
        events.conclude(
            leased, ended, again=[event.id for event, _ in mine if event.id not in done]
        )
        return Done(taken=gone + len(mine), tally=_tally(len(mine), ended))

    def give_up(self, tx: LeasedTx, subject: UUID, reason: str) -> bool:
        """What was tried too often has failed: it is listed, and an operator may replay it."""
        events.conclude(tx, [Concluded(subject, EventState.FAILED, reason)])
        return True


def _of_one_kind(told: Sequence[Read]) -> list[Read]:
    """Of events in their order: those from which nothing follows, and all that tell what the first other one tells."""
    kinds = [type(telling) for _, telling in told if not isinstance(telling, _ALONE)]
    return [
        (event, telling) for event, telling in told if isinstance(telling, (*_ALONE, *kinds[:1]))
    ]


_ALONE = (NothingToDo, Unreadable)


def _hear(tx: Tx, told: Sequence[Read], run: int) -> Mapping[UUID, Heard]:
    """Settle what the events are about, all of one kind; what is missing is to come again."""
    paid = [
        PayoutWord(event.id, event.provider, telling)
        for event, telling in told
        if isinstance(telling, ProviderPayout)
    ]
    ordered = [
        Word(event.id, event.provider, event.is_fresh, telling)
        for event, telling in told
        if isinstance(telling, ToldOrder)
    ]
    disputed = [
        Word(event.id, event.provider, event.is_fresh, telling)
        for event, telling in told
        if isinstance(telling, ToldDispute)
    ]
    if paid:
        return payouts.hear(tx, paid, run=run)
    if ordered:
        return orders.hear(tx, ordered, run=run)
    if disputed:
        return disputes.hear(tx, disputed, run=run)
    given = [
        Word(event.id, event.provider, event.is_fresh, telling)
        for event, telling in told
        if isinstance(telling, ProviderRefund)
    ]
    return refunds.hear(tx, given, run=run)


def _concluded(event: UUID, told: Telling, heard: Heard | None) -> Concluded | None:
    """What came of an event; None: it is to come again."""
    match told:
        case NothingToDo(why=why):
            return Concluded(event, EventState.APPLIED, f"nothing to do: {why}")
        case Unreadable(why=why):
            return Concluded(event, EventState.FAILED, f"unreadable: {why}")
        case ProviderPayout() | ToldOrder() | ProviderRefund() | ToldDispute():
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
