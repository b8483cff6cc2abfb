"""What a worker does between its claim and its settle: ask its lease, call, hear or not hear, die."""

from collections.abc import Iterator

from domain.answers import (
    Accepted,
    Answer,
    NotSent,
    ProviderPayout,
    Rejected,
    Unknown,
)
from domain.effects import as_evidence
from tests.models.mistakes import Mistake
from tests.models.settling import settle
from tests.models.states import (
    ABSENT,
    ACCEPTED,
    ASKING,
    CLAIMED,
    FOLLOWING,
    FREE,
    FRESH_WORKER,
    GONE,
    GOT,
    IDLE,
    NOT_SENT,
    OUT,
    OVERDUE,
    POSTPONED,
    READING,
    READY,
    REJECTED,
    SENDS_MAX,
    UNDER_WAY,
    UNKNOWN,
    Key,
    Payment,
    State,
    Step,
    Worker,
    World,
    put,
)


def works(s: State, world: World) -> Iterator[Step]:
    """Every next step of every worker that holds something; of workers that are alike, of one."""
    for place, worker in enumerate(s.workers):
        if worker.at != IDLE and worker not in s.workers[:place]:
            yield from _ACTS[worker.at](s, place, worker, world)
            if s.crashes:
                yield from _crash(s, place, worker, world)


def _claimed(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    yield "the lease outlives a call (Callers._still_mine)", _at(s, place, worker, READY)
    yield _release(s, place, worker)


def _overdue(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    yield _release(s, place, worker)
    if world.mistake is Mistake.CLIENT_CLOCK_CALL and worker.sends:
        yield "its clock says there is time left", _at(s, place, worker, READY)


def _ready(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    """However long ago it asked its lease: the process may have been frozen since."""
    yield "the request leaves (Bank.submit)", _at(s, place, worker, OUT)
    yield "nothing could leave", _heard(s, place, worker, NOT_SENT, world)


def _out(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    key = key_of(worker, world)
    for what, after, reply in receive(s, key, world):
        yield f"{what}, the reply arrives", _heard(after, place, worker, reply, world)
        yield f"{what}, the reply is lost", _heard(after, place, worker, UNKNOWN, world)
    yield "the request is lost", _heard(s, place, worker, UNKNOWN, world)
    if len(s.wire) < world.wire_max:
        late = s._replace(wire=tuple(sorted((*s.wire, key))))
        yield "time-out, the request still under way", _heard(late, place, worker, UNKNOWN, world)
        if world.mistake is Mistake.RELEASED_WHILE_OUT:
            yield _release(late, place, worker)


def _asking(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    """jobs.payouts.recover.RecoverPayouts.effect: the look-up by reference."""
    first = s.bank[0] if world.mistake is Mistake.REFERENCE_REPEATS else Payment()
    found = s.bank[worker.generation - 1]
    found = found if found.times else first
    if found.times:
        yield f"look-up: found {found.says}", _at(s, place, worker, GOT, found.says)
    if not found.times or s.age != GONE:  # the provider's search may lag
        believed = world.mistake is Mistake.ABSENT_IS_FAILED or not worker.sends
        absent = _at(s, place, worker, GOT, ABSENT) if believed else _at(s, place, worker, ABSENT)
        yield "look-up: nothing found", absent
    yield "look-up failed", _at(s, place, worker, GOT, POSTPONED)
    yield _release(s, place, worker)
    if world.mistake is Mistake.SENT_WITHOUT_LOOKING and worker.sends:
        yield "sent again unseen", _at(s, place, worker, READY)


def _absent(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    yield "the lease outlives a second call (still_mine)", _at(s, place, worker, READY)


def _following(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    """jobs.payouts.follow.FollowPayouts.ask."""
    says = s.bank[worker.generation - 1].says
    if says:
        yield f"the bank is asked: {says}", _at(s, place, worker, GOT, says)
    yield "the bank could not be asked", _at(s, place, worker, GOT, POSTPONED)
    yield _release(s, place, worker)


def _got(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    yield from settle(s, place, worker, world)


def _reading(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    yield from ()


_ACTS = {
    CLAIMED: _claimed,
    OVERDUE: _overdue,
    READY: _ready,
    OUT: _out,
    GOT: _got,
    ASKING: _asking,
    ABSENT: _absent,
    FOLLOWING: _following,
    READING: _reading,
}


def _at(s: State, place: int, worker: Worker, at: str, seen: str = "") -> State:
    return s._replace(workers=put(s, place, worker._replace(at=at, seen=seen)))


def _heard(s: State, place: int, worker: Worker, answer: str, world: World) -> State:
    """What was answered, as the evidence it is about the payment."""
    proven = _PROVEN[answer, min(worker.sends, 2)]
    believed = {Mistake.SECOND_REFUSAL: REJECTED, Mistake.SECOND_NOT_SENT: NOT_SENT}
    if world.mistake in believed and believed[world.mistake] == answer:
        proven = answer
    if world.mistake is Mistake.INTENT_AFTER_CALL:
        s = s._replace(sends=min(s.sends + 1, SENDS_MAX))
    return _at(s, place, worker, GOT, proven)


def _release(s: State, place: int, worker: Worker) -> Step:
    """workers.runner.settler.release: as if it had not been claimed, if the token is still its own."""
    after = s._replace(workers=put(s, place, FRESH_WORKER))
    if not worker.holds:
        return "released too late: fenced", after
    return "released unsent (settler.release, effects.unsend)", after._replace(
        lease=FREE, claims=s.claims - 1, sends=s.sends - min(1, worker.sends)
    )


def _crash(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    after = s._replace(crashes=s.crashes - 1, workers=put(s, place, FRESH_WORKER))
    yield f"the worker dies ({worker.at})", after
    if worker.at == OUT and len(s.wire) < world.wire_max:
        late = tuple(sorted((*s.wire, key_of(worker, world))))
        yield "the worker dies, its request still under way", after._replace(wire=late)


def key_of(worker: Worker, world: World) -> Key:
    """domain.effects.effect_key: from the generation, never from the attempt."""
    own = worker.sends if world.mistake is Mistake.KEY_PER_ATTEMPT else 0
    return worker.generation, own


def receive(s: State, key: Key, world: World) -> Iterator[tuple[str, State, str]]:
    """A request reaches the bank: a key it remembers gets its payment again, any other is paid or refused."""
    if key in s.known and world.mistake is not Mistake.NO_KEY:
        yield "the bank knows the key", s, ACCEPTED
        return
    place = key[0] - 1
    paid = Payment(s.bank[place].times + 1, UNDER_WAY)
    bank = (*s.bank[:place], paid, *s.bank[place + 1 :])
    known = tuple(sorted({*s.known, key}))
    yield "the bank pays", s._replace(bank=bank, known=known), ACCEPTED
    yield "the bank refuses", s, REJECTED


def _evidence(answer: str, sends: int) -> str:
    proven = as_evidence(_ANSWERS[answer], sends)
    return next(name for name, one in _ANSWERS.items() if isinstance(proven, type(one)))


_MADE = ProviderPayout.__new__(ProviderPayout)
_ANSWERS: dict[str, Answer] = {
    ACCEPTED: Accepted(payout=_MADE),
    REJECTED: Rejected(code="", reason=""),
    NOT_SENT: NotSent(reason=""),
    UNKNOWN: Unknown(reason=""),
}
_PROVEN = {(answer, sends): _evidence(answer, sends) for answer in _ANSWERS for sends in (0, 1, 2)}
"""By the product's own rule: what an answer proves when so many claims may have sent."""
