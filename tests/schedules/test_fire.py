"""A schedule fired by hand is a run of its job, told apart from its ticks."""

from collections.abc import Callable

import sqlalchemy as sa

from db import ticks
from db.ticks import Target
from domain.schedules import Schedule
from schedules.fire import fire
from tests.schedules.conftest import DAY, Bench

NAME = "payouts.recover"


def test_firing_puts_one_run_on_record_and_leaves_the_ticks_alone(
    bench: Bench, line: Callable[..., Schedule]
) -> None:
    ticker = bench.ticker(line())
    ticker.look()
    target = Target(job=NAME, queue="money", version=1, is_alone=False)
    with bench.operator.begin() as tx:
        made = fire(tx, NAME, target, who="meera", why="now, please")
        again = fire(tx, NAME, target, who="meera", why="once more")
        run = tx.row(sa.text("SELECT * FROM runs WHERE id = :id"), id=made.id)

    assert run is not None
    assert (run.origin, run.requested_by) == ("operator", "meera")
    assert run.why == f"schedule {NAME}: now, please"
    assert made.id != again.id
    assert bench.outcomes(NAME) == {}


def test_the_latest_tick_of_each_schedule_is_told_with_its_next_time(
    bench: Bench, line: Callable[..., Schedule]
) -> None:
    ticker = bench.ticker(line(), line("payouts.follow"))
    ticker.look()
    bench.die_for(NAME, 2 * DAY)
    times = ticker.look()
    with bench.database.begin() as tx:
        follow, recover = ticks.latest(tx)

    assert (follow.schedule, follow.tick_at) == ("payouts.follow", None)
    assert (recover.schedule, recover.outcome) == (NAME, "run")
    assert recover.next_tick_at == times[NAME]
    assert (recover.next_tick_at - recover.tick_at).total_seconds() == DAY
