"""What happens by itself, and what people do: leases lapse, keys age, requests arrive late, people decide."""

from collections.abc import Iterator

from domain.payouts import PROCESS, PayoutState
from tests.models.claiming import handed_on
from tests.models.mistakes import Mistake
from tests.models.settling import report
from tests.models.states import (
    ABSENT,
    ACCEPTED,
    ASKING,
    CLAIMED,
    FAILED,
    FOLLOWING,
    FRESH,
    GONE,
    GOT,
    INTENDED,
    LAPSED,
    LIVE,
    LIVING,
    NONE,
    OUT,
    OVERDUE,
    PAID,
    PAST,
    POSTPONED,
    READY,
    REJECTED,
    REVERSED,
    UNDER_WAY,
    UNKNOWN,
    State,
    Step,
    Worker,
    World,
)
from tests.models.working import receive

_P = PayoutState


def passes(s: State, world: World) -> Iterator[Step]:
    """Time: a lease lapses, a key grows too old for us, the provider forgets it."""
    if s.lease == LIVE:
        yield "the lease lapses", _lapsed(s)
    if s.state == _P.PROCESSING and s.sends and s.age == FRESH:
        yield "the key is too old for us", s._replace(age=PAST)
    if s.age == PAST and (not _under_way(s) or world.mistake is Mistake.FORGOTTEN_WHILE_OUT):
        # A day later at the least: every lease of before is over, every call has ended.
        yield "the provider forgets the key", _lapsed(s)._replace(age=GONE, known=())


def _lapsed(s: State) -> State:
    """The holder's own clock, counted from before its claim was sent, says so no later than ours."""
    workers = tuple(sorted(_out_of_time(w) for w in s.workers))
    return s._replace(lease=LAPSED if s.lease == LIVE else s.lease, workers=workers)


def _out_of_time(worker: Worker) -> Worker:
    if worker.at in {CLAIMED, ASKING, FOLLOWING}:
        return worker._replace(at=OVERDUE)
    if worker.at == ABSENT:
        return worker._replace(at=GOT, seen=POSTPONED)
    return worker


def _under_way(s: State) -> bool:
    return bool(s.wire) or any(w.at in {READY, OUT} for w in s.workers)


def arrives(s: State, world: World) -> Iterator[Step]:
    """A request nobody waits for reaches the bank after all, or is lost."""
    for place, key in enumerate(s.wire):
        if key not in s.wire[:place]:
            rest = s._replace(wire=s.wire[:place] + s.wire[place + 1 :])
            yield "a late request is lost", rest
            for what, after, _ in receive(rest, key, world):
                yield f"a late request arrives: {what}", after


def banks(s: State) -> Iterator[Step]:
    """The bank concludes what it took, or gives it back."""
    for place, payment in enumerate(s.bank):
        for says in _NEXT.get(payment.says, ()):
            changed = payment._replace(says=says)
            yield (
                f"the bank: {says}",
                s._replace(bank=(*s.bank[:place], changed, *s.bank[place + 1 :])),
            )


_NEXT = {UNDER_WAY: (PAID, FAILED), PAID: (REVERSED,)}


def people(s: State, world: World) -> Iterator[Step]:
    """What operators may do: cancel, retry, unpark, adopt, and as two people declare."""
    if s.state == _P.APPROVED and s.lease != LIVE and not s.sends:
        yield "cancelled (bursar_move)", handed_on(s, "")._replace(state=_P.CANCELLED.value)
    if s.parked:
        yield "unparked (work_listing.unpark)", s._replace(parked=False, claims=0)
    if s.generation < len(s.bank) and (s.state == _P.FAILED or _wrongly_retried(s, world)):
        yield "retried under the next generation (bursar_move)", _retried(s)
    if s.state == _P.PROCESSING and s.job and s.lease != LIVE:
        if world.mistake is Mistake.CANCELLED_AFTER_SEND:
            yield "cancelled after a send", handed_on(s, "")._replace(state=_P.CANCELLED.value)
        if s.effect in {INTENDED, UNKNOWN, ACCEPTED}:
            yield from _resolved(s, world)


def _wrongly_retried(s: State, world: World) -> bool:
    return world.mistake is Mistake.TWO_GENERATIONS and s.effect == UNKNOWN and s.lease != LIVE


def _retried(s: State) -> State:
    fresh = handed_on(s, PROCESS)._replace(state=_P.APPROVED.value, generation=s.generation + 1)
    return fresh._replace(effect=NONE, sends=0, age=FRESH)


def _resolved(s: State, world: World) -> Iterator[Step]:
    """db.payouts.resolve: by the provider's own word, or by two people who know that nothing is out."""
    if s.payment.times:
        yield from (
            (f"adopted (resolve.adopt): {label}", after)
            for label, after in report(s, s.payment.says, world)
        )
    if _under_way(s) and world.mistake is not Mistake.DECLARED_WHILE_OUT:
        return
    if s.payment.says == PAID:
        yield from (
            ("declared paid (resolve.declare)", after) for _, after in report(s, PAID, world)
        )
    elif s.payment.says not in LIVING:
        yield (
            "declared unpaid (resolve.declare)",
            handed_on(s, "")._replace(state=_P.FAILED.value, effect=REJECTED),
        )
