"""Every time becomes a run or a reason, once, whatever died and whoever else schedules."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from db import findings, schedule_settings, switches, ticks
from db.engine import Database, DatabaseOptions
from db.errors import ConnectionLostError
from db.findings import Filter
from db.schedule_settings import Change
from domain.findings import FindingKind
from domain.schedules import CatchUp, Rhythm, Schedule
from schedules.accounting import PAGE_MAX
from tests.schedules.conftest import DAY, Bench

Line = Callable[..., Schedule]
SECONDLY = Rhythm(every_seconds=1)
NAME = "payouts.recover"


def test_a_schedule_is_accounted_for_from_when_it_was_first_seen(bench: Bench, line: Line) -> None:
    ticker = bench.ticker(line())

    [(name, at)] = ticker.look().items()

    assert name == NAME
    assert at.second == 0
    assert (
        bench.count("SELECT count(*) FROM ticks WHERE tick_at < clock_timestamp() - interval '1 s'")
        == 0
    )


def test_a_time_that_came_becomes_one_run_which_is_rung_for(bench: Bench, line: Line) -> None:
    ticker = bench.ticker(line())
    ticker.look()
    bench.die_for(NAME, DAY)

    recorded = ticker.account(NAME)

    assert [tick.outcome for tick in recorded] == ["run"]
    assert bench.rung == [("money", [recorded[0].run])]
    with bench.database.begin() as tx:
        [run] = tx.rows(sa.text("SELECT * FROM runs"))
    key = f"tick:{NAME}:{recorded[0].tick_at:%Y-%m-%dT%H:%M:%SZ}"
    assert (run.origin, run.state, run.version, run.request_key) == ("tick", "queued", 3, key)


@pytest.mark.parametrize(
    ("catch_up", "became"),
    [
        (CatchUp.RUN_LATEST, {"coalesced": 14, "run": 1}),
        (CatchUp.RUN_ALL, {"run": 15}),
    ],
)
def test_fifteen_missed_times_are_all_accounted_for(
    bench: Bench, line: Line, catch_up: CatchUp, became: dict[str, int]
) -> None:
    """F81, F82."""
    ticker = bench.ticker(line(catch_up=catch_up))
    ticker.look()
    bench.die_for(NAME, 15 * DAY)

    ticker.look()

    assert bench.outcomes(NAME) == became
    assert bench.count("SELECT count(*) FROM ticks WHERE run IS NULL AND reason IS NULL") == 0


def test_a_policy_to_skip_says_so_of_each(bench: Bench, line: Line) -> None:
    ticker = bench.ticker(line(catch_up=CatchUp.SKIP))
    ticker.look()
    bench.die_for(NAME, 5 * DAY)

    ticker.look()

    outcomes = bench.outcomes(NAME)
    assert sum(outcomes.values()) == 5
    assert outcomes.get("skipped", 0) >= 4
    assert outcomes.get("coalesced") is None


def test_a_day_of_missed_seconds_is_recorded_page_by_page(bench: Bench, line: Line) -> None:
    """F81: 86,400 ticks, none unexplained."""
    ticker = bench.ticker(line(rhythm=SECONDLY))
    ticker.look()
    before = sum(bench.outcomes(NAME).values())
    bench.run("DELETE FROM runs")
    bench.die_for(NAME, 86_400)

    recorded = ticker.account(NAME)

    assert len(recorded) > 8 * PAGE_MAX
    assert 86_400 <= len(recorded) + before <= 86_500
    assert bench.count("SELECT count(*) FROM runs") == 1
    assert bench.count("SELECT count(*) FROM ticks WHERE outcome = 'run'") == 1 + before
    gaps = "SELECT max(tick_at) - min(tick_at) = (count(*) - 1) * interval '1 s' FROM ticks"
    with bench.database.begin() as tx:
        assert tx.scalar(sa.text(gaps)) is True


def test_three_schedulers_record_each_time_once(bench: Bench, line: Line) -> None:
    """F80: one run per tick."""
    lines = [line(rhythm=SECONDLY, catch_up=CatchUp.RUN_ALL)]
    tickers = [bench.ticker(*lines, by=f"scheduler {n}") for n in range(3)]
    tickers[0].look()
    bench.die_for(NAME, 50)
    ready = threading.Barrier(3)

    def race(n: int) -> None:
        ready.wait()
        for _ in range(5):
            tickers[n].look()

    threads = [threading.Thread(target=race, args=[n]) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    recorded = sum(bench.outcomes(NAME).values())
    assert recorded >= 50
    assert bench.outcomes(NAME) == {"run": recorded}
    assert bench.count("SELECT count(*) FROM runs") == recorded
    assert bench.count("SELECT count(DISTINCT run) FROM ticks") == recorded


def test_killed_in_the_middle_neither_tick_nor_run_is_there(
    bench: Bench, line: Line, superuser_url: str
) -> None:
    """F83: both or none."""
    ticker = bench.ticker(line())
    ticker.look()
    bench.die_for(NAME, DAY)
    killer = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)

    def die_before_the_commit() -> None:
        with bench.database.begin() as tx:
            recorded, _ = ticker._account_once(tx, NAME)
            assert len(recorded) == 1
            pid = tx.scalar(sa.text("SELECT pg_backend_pid()"))
            with killer.begin() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": pid})
            tx.scalar(sa.text("SELECT 1"))

    with pytest.raises(ConnectionLostError):
        die_before_the_commit()

    assert (
        bench.count("SELECT count(*) FROM ticks") == bench.count("SELECT count(*) FROM runs") == 0
    )
    ticker.look()
    assert bench.outcomes(NAME) == {"run": 1}
    assert bench.count("SELECT count(*) FROM runs") == 1


@pytest.mark.parametrize(
    "switch", ["maintenance", f"schedule:{NAME}", f"job:{NAME}", "queue:money"]
)
def test_a_switch_holds_times_which_are_recorded_and_not_caught_up(
    bench: Bench, line: Line, switch: str
) -> None:
    ticker = bench.ticker(line())
    ticker.look()
    with bench.database.begin() as tx:
        switches.turn(tx, switch, on=True, who="meera", why="counting")
    bench.die_for(NAME, DAY)
    ticker.look()
    with bench.database.begin() as tx:
        switches.turn(tx, switch, on=False, who="meera", why="counted")
    ticker.look()

    assert bench.outcomes(NAME) == {"held": 1}
    with bench.database.begin() as tx:
        [tick] = ticks.listing(tx, NAME)
    assert tick.reason == f"{switch} is on: counting"


@pytest.mark.parametrize(("is_sweep", "outcome"), [(True, "skipped"), (False, "run")])
def test_a_sweep_does_not_start_beside_itself_and_a_drain_may(
    bench: Bench, line: Line, *, is_sweep: bool, outcome: str
) -> None:
    """F87."""
    ticker = bench.ticker(line(), alone=is_sweep)
    ticker.look()
    bench.run(
        "INSERT INTO runs (job, queue, origin, state, request_key) "
        "VALUES (:job, 'money', 'tick', 'running', 'earlier')",
        job=NAME,
    )
    running = bench.count("SELECT id FROM runs")
    bench.die_for(NAME, DAY)

    [tick] = ticker.account(NAME)

    assert tick.outcome == outcome
    if is_sweep:
        assert tick.reason == f"overlap: run {running} of an earlier tick is running"


def test_a_changed_rhythm_is_in_force_at_the_next_look(bench: Bench, line: Line) -> None:
    default = line(rhythm=Rhythm(cron="0 6 * * mon"))
    ticker = bench.ticker(default)
    ticker.look()
    with bench.operator.begin() as tx:
        schedule_settings.set_(tx, default, Change(every_seconds=1), who="meera", why="a hurry")

    at = ticker.look()[NAME]

    assert bench.count("SELECT count(*) FROM schedule_progress WHERE rhythm = 'every 1'") == 1
    with bench.database.begin() as tx:
        now = ticks.progress(tx, [NAME])[0].now
    assert at - now < timedelta(seconds=2)


def test_times_before_a_change_are_those_of_the_old_rhythm(bench: Bench, line: Line) -> None:
    """Changed ten days ago while no scheduler was up for twenty: ten days of each."""
    default = line(catch_up=CatchUp.RUN_ALL)
    ticker = bench.ticker(default)
    ticker.look()
    bench.die_for(NAME, 20 * DAY)
    with bench.operator.begin() as tx:
        change = Change(every_seconds=5 * DAY)
        schedule_settings.set_(tx, default, change, who="meera", why="calmer")
        earlier = "UPDATE schedule_settings SET changed_at = changed_at - interval '10 days'"
        tx.run(sa.text(earlier))

    ticker.look()

    assert bench.outcomes(NAME) == {"run": 10 + 2}
    other_days = (
        "SELECT count(*) FROM ticks WHERE extract(epoch FROM tick_at)::bigint % 432000 <> 0"
    )
    assert bench.count(other_days) == 8
    assert bench.count(f"{other_days} AND tick_at > clock_timestamp() - interval '10 days'") == 0


def test_a_setting_that_cannot_be_read_leaves_the_default_and_is_found(
    bench: Bench, line: Line, database_url: str
) -> None:
    ticker = bench.ticker(line())
    owner = sa.create_engine(database_url, poolclass=sa.pool.NullPool)
    with owner.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO bursar.schedule_settings (schedule, cron, changed_by, why) "
                "VALUES ('payouts.recover', 'whenever', 'psql', 'a slip')"
            )
        )

    ticker.look()

    assert bench.count("SELECT count(*) FROM schedule_progress WHERE rhythm = 'every 86400'") == 1
    with bench.database.begin() as tx:
        [found] = findings.listing(tx, Filter())
    assert (found.kind, found.subject) == ("schedule-unreadable", NAME)


@pytest.mark.parametrize("ahead", [600, -600])
def test_a_machine_with_a_wrong_clock_records_nothing_and_says_so(
    bench: Bench, line: Line, ahead: float
) -> None:
    """F84."""
    ticker = bench.ticker(line())
    ticker.look()
    bench.ahead = timedelta(seconds=ahead)
    bench.die_for(NAME, DAY)
    ticker.look()
    refused = bench.outcomes(NAME)
    with bench.database.begin() as tx:
        [found] = findings.listing(tx, Filter(kind=FindingKind.CLOCK_SKEW))
    bench.ahead = timedelta(0)

    ticker.look()

    assert refused == {}
    assert (found.severity, found.subject) == ("P0", "scheduler here")
    assert bench.outcomes(NAME) == {"run": 1}
    with bench.database.begin() as tx:
        assert findings.listing(tx, Filter(kind=FindingKind.CLOCK_SKEW)) == []


def test_a_jump_of_the_database_clock_is_found(bench: Bench, line: Line) -> None:
    """F85: the same as monotonic time standing still while the database's clock moves."""
    ticker = bench.ticker(line())
    ticker.look()
    bench.monotonic_seconds -= 600

    ticker.look()

    with bench.database.begin() as tx:
        [found] = findings.listing(tx, Filter(kind=FindingKind.CLOCK_SKEW))
    assert found.subject == "the database"
    assert "jumped by +600" in found.detail


def test_a_schedule_that_left_the_timetable_is_not_waited_for(bench: Bench, line: Line) -> None:
    bench.ticker(line(), line("payouts.follow")).look()

    bench.ticker(line()).look()

    waited = "SELECT count(*) FROM schedule_progress WHERE isfinite(next_tick_at)"
    assert bench.count(waited) == 1


def test_a_scheduler_whose_turn_it_is_not_waits_for_nobody(bench: Bench, line: Line) -> None:
    ticker = bench.ticker(line())
    ticker.look()
    bench.die_for(NAME, DAY)

    with bench.database.begin() as tx:
        assert ticks.lock(tx, NAME) is not None
        assert ticker.account(NAME) == []

    assert len(ticker.account(NAME)) == 1


def test_it_works_with_one_connection(database_url: str, bench: Bench, line: Line) -> None:
    bench.database.dispose()
    bench.database = Database(DatabaseOptions(url=database_url, pool_max=1, pooler="transaction"))
    ticker = bench.ticker(line())
    ticker.look()
    bench.die_for(NAME, DAY)

    assert len(ticker.account(NAME)) == 1
    bench.database.dispose()
