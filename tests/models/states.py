"""One payout, its work row, its effect, its bank and its workers: everything the protocol can be in, in one tuple.

Small words instead of tokens, clocks and ids, so that a state is compact and a trace can be read. Tokens matter
only by being the work row's or not (`Worker.holds`), times only by what has passed (`State.lease`, `State.age`).
Workers are kept sorted: which of them is which makes no difference, and `orbit` says how many states that folds.
"""

from collections import Counter
from dataclasses import dataclass
from math import factorial, prod
from typing import NamedTuple

from domain.answers import ProviderStatus
from domain.effects import EffectState
from domain.payouts import PROCESS, PayoutState
from tests.models.mistakes import Mistake

NONE, INTENDED, ACCEPTED = "", EffectState.INTENDED.value, EffectState.ACCEPTED.value
REJECTED, NOT_SENT, UNKNOWN = (
    EffectState.REJECTED.value,
    EffectState.NOT_SENT.value,
    EffectState.UNKNOWN.value,
)
"""The outcome of the newest effect, or a worker's answer, in the product's own words."""

FREE, LIVE, LAPSED = "free", "live", "lapsed"
"""A lease by the database's clock: none, running, over and not yet taken again."""

FRESH, PAST, GONE = "fresh", "past", "gone"
"""The key's age: sent again safely; too old for us; forgotten by the provider (a day later at the least)."""

UNDER_WAY, PAID, FAILED, REVERSED = (
    ProviderStatus.UNDER_WAY.value,
    ProviderStatus.PAID.value,
    ProviderStatus.FAILED.value,
    ProviderStatus.REVERSED.value,
)
"""What the bank says of its newest payment of a generation ("" where it made none)."""
LIVING = frozenset({UNDER_WAY, PAID})

IDLE, CLAIMED, READY, OUT, GOT = "idle", "claimed", "ready", "out", "got"
OVERDUE, ASKING, ABSENT, FOLLOWING, READING = "overdue", "asking", "absent", "following", "reading"
"""Where a worker is: see the functions of `working` that leave each."""
POSTPONED = "postponed"
"""What a look-up says that failed: nothing."""

SENDS_MAX = 3
"""3 stands for "3 or more": only none, one and more than one differ to the product."""


class Worker(NamedTuple):
    """One holder, from its claim to its settle; its process's memory is gone with a crash."""

    at: str = IDLE
    holds: bool = False
    """Whether its token is the work row's."""
    sends: int = 0
    """`sends` as its claim committed it; 0 where it may not send."""
    generation: int = 0
    seen: str = ""
    """What it heard: an outcome of a send, or the bank's word."""


FRESH_WORKER = Worker()


class Payment(NamedTuple):
    """What the bank made under one reference."""

    times: int = 0
    says: str = ""


Key = tuple[int, int]
"""Generation and attempt; the attempt is 0 where the key is made by rule."""


class State(NamedTuple):
    """The payout, its newest effect, its work row, the bank, the wire and the workers."""

    state: str = PayoutState.APPROVED.value
    generation: int = 1
    effect: str = NONE
    sends: int = 0
    age: str = FRESH
    job: str = PROCESS
    lease: str = FREE
    claims: int = 0
    parked: bool = False
    bank: tuple[Payment, ...] = ()
    known: tuple[Key, ...] = ()
    """Keys the provider remembers."""
    wire: tuple[Key, ...] = ()
    """Requests on their way that nobody waits for any more."""
    workers: tuple[Worker, ...] = ()
    crashes: int = 0
    """How many more there may be."""

    @property
    def payment(self) -> Payment:
        """What the bank made of the newest generation."""
        return self.bank[self.generation - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How much may happen, and which mistake is planted."""

    workers: int = 3
    crashes: int = 3
    generations: int = 1
    claims_max: int = 1
    """A row claimed this often without a settle is looked up (db.work.CLAIMS_MAX, where it is 3)."""
    wire_max: int = 1
    mistake: Mistake | None = None

    @property
    def folds(self) -> bool:
        """Whether it makes no difference what a fenced holder heard."""
        return self.mistake not in {Mistake.NO_FENCE, Mistake.CLIENT_CLOCK_CALL}

    @property
    def start(self) -> State:
        """An approved payout, nothing begun."""
        return State(
            bank=(Payment(),) * self.generations,
            workers=(FRESH_WORKER,) * self.workers,
            crashes=self.crashes,
        )


Step = tuple[str, State]
"""What happened, as the product's function or the fault, and what it led to."""


LATE = Worker(at=GOT, seen="whatever it heard")
"""A holder that was fenced before it could settle: all it can do is keep its evidence."""


def fold(s: State) -> State:
    """The state with what fenced holders heard left out: nothing that follows depends on it."""
    if any(w.at in {GOT, OVERDUE} and not w.holds for w in s.workers):
        late = (LATE if w.at in {GOT, OVERDUE} and not w.holds else w for w in s.workers)
        return s._replace(workers=tuple(sorted(late)))
    return s


def put(s: State, place: int, worker: Worker) -> tuple[Worker, ...]:
    """The workers with one changed, sorted."""
    rest = s.workers[:place] + s.workers[place + 1 :]
    return tuple(sorted((*rest, worker)))


def is_past_key(s: State) -> bool:
    """Whether a same-key send is no longer known to be safe (`is_past_key` of db.payouts.details)."""
    return s.sends > 0 and s.age != FRESH


def fenced(workers: tuple[Worker, ...]) -> tuple[Worker, ...]:
    """The workers after the row got a new token, or lost it: nobody holds it."""
    return tuple(sorted(w._replace(holds=False) if w.holds else w for w in workers))


def orbit(s: State) -> int:
    """How many states differ from this one only in which worker is which."""
    alike = Counter(s.workers).values()
    return factorial(len(s.workers)) // prod(map(factorial, alike))
