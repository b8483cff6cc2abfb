"""What a claim makes of a ready work row, job by job, each in one transaction."""

from collections.abc import Iterator

from domain.payees import PayeeKind
from domain.payouts import FOLLOW, PAYOUTS, PROCESS, RECOVER, PayoutState
from tests.models.mistakes import Mistake
from tests.models.states import (
    ASKING,
    CLAIMED,
    FOLLOWING,
    FREE,
    FRESH,
    FRESH_WORKER,
    INTENDED,
    LAPSED,
    LIVE,
    NONE,
    NOT_SENT,
    READING,
    REJECTED,
    SENDS_MAX,
    State,
    Step,
    Worker,
    World,
    fenced,
    is_past_key,
    put,
)

_APPROVED, _PROCESSING = PayoutState.APPROVED.value, PayoutState.PROCESSING.value
_CALLS = {
    (state.value, effect): PAYOUTS.call_for(state.value, effect or None, PayeeKind.PERSON)
    for state in PayoutState
    for effect in (NONE, INTENDED, "accepted", REJECTED, NOT_SENT, "unknown")
}
"""The product's own table: what a state, with what is known of its effect, waits for."""


def claims(s: State, world: World) -> Iterator[Step]:
    """Any idle worker may claim a row that is ready: unparked, due some time, unleased or lapsed."""
    if s.job and not s.parked and (s.lease != LIVE or _by_own_clock(world)):
        place = next((i for i, w in enumerate(s.workers) if w == FRESH_WORKER), None)
        if place is not None:
            yield _CLAIMS[s.job](s, place, world)
    if world.mistake is Mistake.READ_THEN_WRITE:
        yield from (_write(s, i, world) for i, w in enumerate(s.workers) if w.at == READING)


def _by_own_clock(world: World) -> bool:
    return world.mistake is Mistake.CLIENT_CLOCK_CLAIM


def _process(s: State, place: int, world: World) -> Step:
    """db.payouts.claim.start_processing: CAS, the effect intended, `sends + 1`; or handed on."""
    label = "claim for a send (start_processing)"
    call = _CALLS[s.state, s.effect]
    if call is None:
        return f"{label}: parked", handed_on(s, PROCESS, parked=True)
    if call.job != PROCESS:
        return f"{label}: handed to {call.job}", handed_on(s, call.job or "")
    if s.state == _PROCESSING and s.lease == LAPSED and world.mistake is Mistake.LAPSED_IS_FAILED:
        return f"{label}: failed, its lease lapsed", _failed(s)
    is_worn = s.claims >= world.claims_max
    if s.state == _PROCESSING and is_worn and world.mistake is Mistake.WORN_IS_FAILED:
        return f"{label}: failed, claimed too often", _failed(s)
    by_window = world.mistake is not Mistake.WINDOW_FROM_LAST_SEND and is_past_key(s)
    if s.state == _PROCESSING and (is_worn or by_window):
        return f"{label}: handed to {RECOVER}", handed_on(s, RECOVER)
    if world.mistake is Mistake.READ_THEN_WRITE:
        return "read a row that is free", s._replace(
            workers=put(s, place, Worker(at=READING, generation=s.generation))
        )
    return label, _sending(s, place, world)


def _sending(s: State, place: int, world: World) -> State:
    counted = world.mistake is not Mistake.INTENT_AFTER_CALL
    sends = min(s.sends + 1, SENDS_MAX)
    taken = _taken(s, world)
    worker = Worker(at=CLAIMED, holds=True, sends=sends, generation=s.generation)
    return taken._replace(
        state=_PROCESSING,
        effect=INTENDED if s.effect in {NONE, NOT_SENT} else s.effect,
        sends=sends if counted else s.sends,
        age=FRESH if s.sends == 0 else s.age,
        workers=put(taken, taken.workers.index(s.workers[place]), worker),
    )


def _write(s: State, place: int, world: World) -> Step:
    return "write the claim, whatever became of the row", _sending(s, place, world)


def _recover(s: State, place: int, world: World) -> Step:
    """db.payouts.ask.start_recovering: look up; inside the key's window the same request may go again."""
    label = "claim for a look-up (start_recovering)"
    if s.claims >= 2 * world.claims_max:
        return f"{label}: parked", handed_on(s, RECOVER, parked=True)
    if not (s.state == _PROCESSING and s.effect == INTENDED):
        call = _CALLS[s.state, s.effect]
        if call is None:
            return f"{label}: parked", handed_on(s, RECOVER, parked=True)
        if call.job != RECOVER:
            return f"{label}: handed to {call.job}", handed_on(s, call.job or "")
    forgetful = {Mistake.SENT_WITHOUT_LOOKING, Mistake.WINDOW_FROM_LAST_SEND}
    may_send = (not is_past_key(s) or world.mistake in forgetful) and s.claims < world.claims_max
    sends = min(s.sends + 1, SENDS_MAX)
    taken = _taken(s, world)
    # As evidence a send of recover is never the first: `max(2, sends)` in jobs.payouts.recover.
    worker = Worker(ASKING, holds=True, sends=max(2, sends) * may_send, generation=s.generation)
    return label, taken._replace(
        sends=sends if may_send else s.sends,
        age=FRESH if may_send and s.sends == 0 else s.age,
        workers=put(taken, taken.workers.index(FRESH_WORKER), worker),
    )


def _follow(s: State, place: int, world: World) -> Step:
    """db.payouts.ask.start_following."""
    label = "claim to follow (start_following)"
    if s.claims >= world.claims_max:
        return f"{label}: parked", handed_on(s, FOLLOW, parked=True)
    call = _CALLS[s.state, s.effect]
    if call is None:
        return f"{label}: parked", handed_on(s, FOLLOW, parked=True)
    if call.job != FOLLOW:
        return f"{label}: handed to {call.job}", handed_on(s, call.job or "")
    taken = _taken(s, world)
    worker = Worker(FOLLOWING, holds=True, generation=s.generation)
    return label, taken._replace(workers=put(taken, taken.workers.index(FRESH_WORKER), worker))


_CLAIMS = {PROCESS: _process, RECOVER: _recover, FOLLOW: _follow}


def _taken(s: State, world: World) -> State:
    """db.work.claim: a new token, a lease by the database's clock, one claim more."""
    kept = world.mistake is Mistake.TAKEN_UNFENCED
    return s._replace(
        lease=LIVE,
        claims=s.claims + 1,
        workers=s.workers if kept else fenced(s.workers),
    )


def handed_on(s: State, job: str, *, parked: bool = False) -> State:
    """db.work.settle: another job, later, parked, or (no job) gone; whoever held it is fenced."""
    return s._replace(job=job, parked=parked, lease=FREE, claims=0, workers=fenced(s.workers))


def _failed(s: State) -> State:
    return handed_on(s, "")._replace(state=PayoutState.FAILED.value, effect=REJECTED)
