"""What a settle writes: fenced by the token, states by compare-and-swap, the work row handed on by the table."""

from collections.abc import Iterator

from domain.answers import ProviderStatus
from domain.payout_words import leads_through
from domain.payouts import FOLLOW, PROCESS, RECOVER, PayoutState
from tests.models.claiming import handed_on
from tests.models.mistakes import Mistake
from tests.models.states import (
    ABSENT,
    ACCEPTED,
    FRESH_WORKER,
    NOT_SENT,
    REJECTED,
    UNKNOWN,
    State,
    Step,
    Worker,
    World,
    put,
)

_APPROVED, _PROCESSING = PayoutState.APPROVED.value, PayoutState.PROCESSING.value
_COMPLETED, _FAILED = PayoutState.COMPLETED.value, PayoutState.FAILED.value
_PATHS = {
    (state.value, word.value): leads_through(state, word)  # the rule itself, not a copy of it
    for state in PayoutState
    for word in ProviderStatus
}


_TAKEN_FOR_REFUSAL = {
    (Mistake.TIMEOUT_IS_FAILURE, UNKNOWN),
    (Mistake.ABSENT_IS_FAILED, ABSENT),
}


def settle(s: State, place: int, worker: Worker, world: World) -> Iterator[Step]:
    """Settler._settle: regain by token, then jobs.payouts.*.settle through db.payouts.apply."""
    after = s._replace(workers=put(s, place, FRESH_WORKER))
    if not worker.holds and world.mistake is not Mistake.NO_FENCE:
        yield f"{worker.seen}, fenced: kept as evidence", after
        return
    for label, done in outcome(after, worker.seen, world):
        yield f"settle {worker.seen}: {label}", done


def outcome(s: State, seen: str, world: World) -> Iterator[Step]:
    """db.payouts.verdicts: what becomes of a held payout after what was `seen`."""
    if (world.mistake, seen) in _TAKEN_FOR_REFUSAL:
        seen = REJECTED
    if world.mistake is Mistake.SENDS_RESET:
        s = s._replace(sends=0)
    if seen in {REJECTED, NOT_SENT} and s.state != _PROCESSING:
        yield "its state was changed: parked", handed_on(s, s.job, parked=True)
        return
    match seen:
        case "accepted":
            yield "to follow", _followed(handed_on(s, FOLLOW)._replace(effect=ACCEPTED), world)
        case "rejected":
            yield "failed", handed_on(s, "")._replace(state=_FAILED, effect=REJECTED)
        case "not_sent":
            yield (
                "put back",
                handed_on(s, PROCESS)._replace(state=_APPROVED, effect=NOT_SENT, sends=s.sends - 1),
            )
        case "unknown":
            job = "" if world.mistake is Mistake.UNKNOWN_FORGOTTEN else RECOVER
            yield "to recover", handed_on(s, job)._replace(effect=UNKNOWN)
        case "postponed":
            yield "later", handed_on(s, s.job)
        case "absent":
            yield "parked: two people decide", handed_on(s, s.job, parked=True)
        case _:
            yield from report(s, seen, world)


def report(s: State, says: str, world: World) -> Iterator[Step]:
    """db.payouts.verdicts.of_report: the one completion rule, whoever heard the bank."""
    heard = s._replace(effect=ACCEPTED)
    path = _PATHS[s.state, says]
    if not path:
        yield "to follow", _followed(handed_on(heard, FOLLOW), world)
        if s.state == _COMPLETED:
            yield "watched long enough", handed_on(heard, "")
    else:
        job = FOLLOW if path[-1] is PayoutState.COMPLETED else ""
        yield path[-1].value, handed_on(heard, job)._replace(state=path[-1].value)


def _followed(s: State, world: World) -> State:
    return s._replace(job="") if world.mistake is Mistake.HANDED_OVER_UNSEEN else s
