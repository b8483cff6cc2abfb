"""Every race, in many orders: whoever is first, each effect happens once and every promise holds."""

import os
from collections.abc import Callable

import pytest

from tests.races.catalog import RACES
from tests.races.conftest import FIGURES, Bounds
from tests.races.explorer import explore, replay
from tests.races.stage import Stage

AGAIN, _, SCHEDULE = os.environ.get("BURSAR_TEST_SCHEDULE", "").partition(":")
"""One schedule to run again: `race:id`, as a failure prints it."""

pytestmark = pytest.mark.timeout(3600)


@pytest.mark.parametrize("name", [AGAIN] if AGAIN else sorted(RACES))
def test_whoever_is_first_every_promise_holds(
    stage: Stage, bounds: Bounds, name: str, record_property: Callable[[str, object], None]
) -> None:
    race = RACES[name]
    stage.given = race.prepare(stage)
    stage.keep()
    if SCHEDULE:
        replay(stage, race, SCHEDULE)
        return

    done = explore(stage, race, most=bounds.most, walks=bounds.walks, seed=bounds.seed)

    assert done.schedules >= 2
    record_property(FIGURES, f"{name:34} {done}")
