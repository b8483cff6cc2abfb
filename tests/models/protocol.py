"""The claim, intent, call, settle protocol as one relation: every step any state allows."""

from collections.abc import Iterator

from tests.models.claiming import claims
from tests.models.outside import arrives, banks, passes, people
from tests.models.states import State, Step, World, fold
from tests.models.working import works


def alone(s: State, world: World) -> Iterator[Step]:
    """What workers, the network, the bank and time may do next."""
    yield from claims(s, world)
    yield from works(s, world)
    yield from passes(s, world)
    yield from arrives(s, world)
    yield from banks(s)


def steps(s: State, world: World) -> Iterator[tuple[str, State, bool]]:
    """Every next step: what happened, what it led to, and whether people did it."""
    folds = world.folds
    for relation, by_people in ((alone, False), (people, True)):
        for label, after in relation(s, world):
            yield label, fold(after) if folds else after, by_people
