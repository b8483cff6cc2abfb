"""Whatever a process dies of, and wherever: nothing is lost, nothing is done twice, every promise holds.

`make test` takes a sample of each world, `make explore` everything; a failure names its fault, which
`BURSAR_TEST_EXPLORE=<fault>` lets happen again.
"""

from collections.abc import Callable
from typing import Final

import pytest

from jobs.catalog import ALL
from tests.crash.explorer import prepared
from tests.crash.figures import EXPLORE, EXPLORED, line
from tests.crash.points import Fault, faults, sample
from tests.crash.worlds import every
from tests.kit.world import World
from tests.lending import Lender
from tests.servers import Databases

SAMPLE: Final = 4
SLICES: Final = 6 if EXPLORE == "full" else 1
"""Parts of a world's faults, so that test processes share them."""


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.parametrize("world", every(), ids=lambda world: world.name)
def test_a_death_anywhere_changes_nothing(
    world: World,
    part: int,
    databases: Databases,
    lender: Lender,
    record_property: Callable[[str, object], None],
) -> None:
    failed = {}
    with prepared(world, databases, lender) as ready:
        points = ready.points()
        wanted = chosen(faults(points), world.name)[part::SLICES]
        for fault in wanted:
            try:
                ready.explore(fault)
            except AssertionError as error:
                failed[f"{fault} at {fault.what}"] = str(error)
    record_property(EXPLORED, line(world.name, len(points), len(wanted), len(failed)))
    assert failed == {}
    assert wanted


def chosen(found: list[Fault], name: str) -> list[Fault]:
    """What is explored of a world in this session."""
    match EXPLORE:
        case "full":
            return found
        case "sample":
            return sample(found, SAMPLE, name)
        case fault:
            return [Fault.parse(fault)]


def test_every_job_has_a_world() -> None:
    """Whoever adds a job adds the world in which it is killed."""
    assert {job.name for job in ALL} <= {world.job for world in every()}
    names = [world.name for world in every()]
    assert len(names) == len(set(names))
