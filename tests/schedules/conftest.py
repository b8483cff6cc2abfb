"""What tests of ticks share: a database, and a ticker whose clocks can be set."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from db.engine import Database, DatabaseOptions
from db.ticks import Target
from domain.schedules import CatchUp, Rhythm, Schedule
from schedules.ticker import Clocks, Ticker

DAY = 86_400
"""Seconds: so long that no test meets the end of a period by chance."""


@dataclass(kw_only=True)
class Bench:
    """A database, what was rung for, and clocks that a test may set ahead."""

    database: Database
    operator: Database
    """The same, as somebody who may change the timetable."""
    rung: list[tuple[str, Sequence[int]]] = field(default_factory=list)
    ahead: timedelta = timedelta(0)
    monotonic_seconds: float = 0.0

    def ticker(self, *schedules: Schedule, by: str = "test", alone: bool = False) -> Ticker:
        """A ticker of these schedules; `alone` makes their jobs sweeps."""
        targets = {
            s.job: Target(job=s.job, queue="money", version=3, is_alone=alone) for s in schedules
        }
        return Ticker(
            self.database,
            schedules,
            targets,
            clocks=Clocks(
                wall=lambda: datetime.now(UTC) + self.ahead,
                monotonic=lambda: datetime.now(UTC).timestamp() + self.monotonic_seconds,
            ),
            ring=lambda queue, runs: self.rung.append((queue, runs)),
            by=by,
            host="scheduler here",
        )

    def run(self, statement: str, **parameters: object) -> None:
        """Change something behind everybody's back."""
        with self.database.begin() as tx:
            tx.run(sa.text(statement), **parameters)

    def die_for(self, schedule: str, seconds: float) -> None:
        """Let the last accounting of `schedule` lie so far back: nobody was there since."""
        self.run(
            "UPDATE schedule_progress SET accounted_until = clock_timestamp() "
            "- make_interval(secs => :seconds), next_tick_at = accounted_until "
            "WHERE schedule = :schedule",
            schedule=schedule,
            seconds=seconds,
        )

    def outcomes(self, schedule: str) -> dict[str, int]:
        """How many ticks of `schedule` became what."""
        with self.database.begin() as tx:
            rows = tx.rows(
                sa.text("SELECT outcome, count(*) AS n FROM ticks WHERE schedule = :s GROUP BY 1"),
                s=schedule,
            )
        return {row.outcome: row.n for row in rows}

    def count(self, statement: str) -> int:
        """Return the one number a statement selects."""
        with self.database.begin() as tx:
            return int(tx.scalar(sa.text(statement)))


@pytest.fixture
def bench(database_url: str) -> Iterator[Bench]:
    """An empty installation."""
    database = Database(DatabaseOptions(url=database_url))
    operator = Database(DatabaseOptions(url=database_url, role="bursar_operator"))
    yield Bench(database=database, operator=operator)
    operator.dispose()
    database.dispose()


@pytest.fixture
def line() -> Callable[..., Schedule]:
    """A maker of schedules: every day, unless said otherwise."""

    def make(
        name: str = "payouts.recover",
        rhythm: Rhythm = Rhythm(every_seconds=DAY),  # noqa: B008  a frozen value
        catch_up: CatchUp = CatchUp.RUN_LATEST,
    ) -> Schedule:
        return Schedule(name=name, job=name, rhythm=rhythm, catch_up=catch_up)

    return make
