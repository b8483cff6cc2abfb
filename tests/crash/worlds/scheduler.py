"""A scheduler that was away for a day, beside a sweep with due work: who makes runs, and dies."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from domain.payouts import RECOVER
from domain.schedules import Rhythm, Schedule
from jobs.catalog import ALL
from schedules.targets import targets_of
from schedules.ticker import Clocks, Ticker
from tests.builders import change, rows, seed, states
from tests.kit.quiet import sweep_of
from tests.kit.world import BATCH, Scene, World

EVERY_SECONDS: Final = 4 * 3600
AWAY: Final = """
    UPDATE schedule_progress SET accounted_until = accounted_until - interval '1 day',
           next_tick_at = next_tick_at - interval '1 day'"""


class Away(World):
    """Each missed time is a row, and the latest became one run."""

    job = "scheduler"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        self.act(scene)
        change(scene.owner, AWAY)

    def act(self, scene: Scene) -> None:
        line = Schedule(name=RECOVER, job=RECOVER, rhythm=Rhythm(every_seconds=EVERY_SECONDS))
        Ticker(
            scene.database,
            [line],
            targets_of(ALL),
            clocks=Clocks(wall=lambda: datetime.now(UTC), monotonic=lambda: 0.0),
            ring=lambda queue, runs: scene.rung.extend((run, queue) for run in runs),
            by="scheduler",
            host="here",
        ).look()

    def check(self, scene: Scene) -> None:
        ticks = rows(scene.owner, "SELECT * FROM ticks ORDER BY tick_at")
        apart = {(b.tick_at - a.tick_at).total_seconds() for a, b in pairwise(ticks)}
        assert apart == {EVERY_SECONDS}
        assert [tick.outcome for tick in ticks] == ["coalesced"] * (len(ticks) - 1) + ["run"]
        [run] = rows(scene.owner, "SELECT * FROM runs WHERE origin = 'tick'")
        assert (run.id, run.state) == (ticks[-1].run, "succeeded")


class Swept(World):
    """Work that nobody rang for: the sweep that makes its run dies."""

    job = "sweep"

    def prepare(self, scene: Scene) -> None:
        seed(scene.url, BATCH)

    def act(self, scene: Scene) -> None:
        sweep_of(scene).sweep()

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"COMPLETED": BATCH}
        assert (
            rows(scene.owner, "SELECT FROM runs WHERE state = 'queued' AND origin = 'wake'") == []
        )


WORLDS: Final = (Away(), Swept())
