"""The explorer finds what it is there to find: mistakes planted on purpose, each by its own kind of death."""

from typing import Final

import pytest

from db.work import ClaimOrder
from domain.answers import Answer
from domain.payouts import PROCESS
from domain.ports import FrozenRequest
from jobs.payouts.process import ProcessPayouts
from tests.builders import change, rows, seed
from tests.crash.explorer import NotReachedError, Prepared, prepared
from tests.crash.points import Fault, How, Point, Side, common, faults, sample
from tests.crash.worlds.payouts_process import Approved
from tests.fakes.bank import FakeBank
from tests.kit.world import Fakes, Scene, World
from tests.lending import Lender
from tests.servers import Databases

TURN: Final = "INSERT INTO switches VALUES (:name, true, 'asha', 'planted')"


class Torn(World):
    """What belongs together is written in two transactions, and nobody finishes the second."""

    job = "planted"
    asks_again = False

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, 1, approve=False)

    def act(self, scene: Scene) -> None:
        if not rows(scene.operator, "SELECT FROM switches"):
            change(scene.operator, TURN, name="job:one")
            change(scene.operator, TURN, name="job:two")

    def check(self, scene: Scene) -> None:
        assert len(rows(scene.owner, "SELECT FROM switches")) in {0, 2}


class Keyless(FakeBank):
    """A bank that pays whenever it is asked: what a key of each try's own would come to."""

    def _pay(self, request: FrozenRequest) -> Answer:
        kept, self.transfers = self.transfers, []
        paid = super()._pay(request)
        self.transfers = kept + self.transfers
        return paid


class Doubled(Approved):
    """A second send is a second payment."""

    def fakes(self) -> Fakes:
        return Fakes(bank=Keyless())


class Early(World):
    """The bank is called inside the transaction that commits to calling it."""

    job = "early"

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, 1)

    def act(self, scene: Scene) -> None:
        job = scene.jobs[PROCESS]
        assert isinstance(job, ProcessPayouts)
        with scene.database.begin() as tx:
            for item in job.claim(tx, ClaimOrder(run=1, limit=1, lease_seconds=15.0)).items:
                job.bank.submit(item.request)

    def check(self, scene: Scene) -> None:
        """Never reached."""


def found_by(ready: Prepared, wanted: list[Fault]) -> list[Fault]:
    """Those of `wanted` after which something is amiss."""
    amiss = []
    for fault in wanted:
        try:
            ready.explore(fault)
        except NotReachedError:
            raise
        except AssertionError:
            amiss.append(fault)
    return amiss


def test_two_transactions_for_one_thing_are_found(databases: Databases, lender: Lender) -> None:
    """Between them, and nowhere else."""
    with prepared(Torn(), databases, lender) as ready:
        # It looks, writes the one, writes the other; each ends with a commit.
        _, one, other = [p for p in ready.points() if p.side is Side.COMMITTED]
        amiss = found_by(ready, faults([one, other]))
    assert amiss == faults([one])


def test_a_second_payment_is_found(databases: Databases, lender: Lender) -> None:
    with prepared(Doubled(), databases, lender) as ready:
        called = [p for p in ready.points() if p.side is Side.CALLED]
        assert found_by(ready, faults(called)) == faults(called)


def test_a_call_before_its_commit_is_found(databases: Databases, lender: Lender) -> None:
    """Its end looks right: only the bank itself can see that nothing was written down."""
    with (
        prepared(Early(), databases, lender) as ready,
        pytest.raises(AssertionError, match="sent before it was written"),
    ):
        ready.points()


@pytest.mark.parametrize("how", [How.DIE, How.CUT])
def test_a_point_that_is_never_reached_is_no_success(
    databases: Databases, lender: Lender, how: How
) -> None:
    """Whether the process was to die there, or to lose its connection and go on."""
    with prepared(Torn(), databases, lender) as ready, pytest.raises(NotReachedError):
        ready.explore(Fault("main:before:00000000:1", how))


def points(thread: str, *sides: Side) -> list[Point]:
    """Points of one thread."""
    return [Point(thread, side, "SELECT", number) for number, side in enumerate(sides, 1)]


def test_what_only_some_runs_pass_is_no_point() -> None:
    main = points("main", Side.BEFORE, Side.AFTER)
    again = points("main", Side.BEFORE, Side.AFTER, Side.BEFORE)
    assert common([main, again]) == main
    assert common([main, points("main", Side.COMMIT)]) == []


def test_a_sample_has_every_way_once_and_is_always_the_same() -> None:
    every = faults(points("main", *[Side.BEFORE, Side.AFTER] * 20, Side.COMMIT, Side.CALLED))
    chosen = sample(every, 12, "seed")
    assert len(chosen) == len(set(chosen)) == 12
    assert {fault.kind for fault in chosen} == {fault.kind for fault in every}
    assert chosen == sample(every, 12, "seed")
    few = sample(every, 3, "seed")
    assert len({fault.kind for fault in few}) == len(few) == 3
    assert sorted(map(str, sample(every, 1000, "seed"))) == sorted(map(str, every))
    assert [Fault.parse(str(fault)) for fault in every] == every
