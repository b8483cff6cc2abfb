"""What is late, stale, silent, parked or unknown becomes a finding, and heals when it is over."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from db import findings, runs, switches, watch
from db.engine import Database, DatabaseOptions
from db.findings import Filter
from db.runs import Request
from db.tx import Row
from domain.findings import Finding, FindingKind
from domain.runs import Origin
from jobs.upkeep.watch import ALERTS_MAX, Watch
from tests.fakes.alerts import Receiver

DRIFT = Finding(kind=FindingKind.BOOKS_DRIFT, subject="cash INR", detail="off by 1")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An installation with one live worker that knows one job."""
    database = Database(DatabaseOptions(url=database_url))
    with database.begin() as tx:
        tx.run(
            sa.text(
                "INSERT INTO workers (id, host, pid, version, jobs) "
                "VALUES ('here:1:1', 'here', 1, '1', ARRAY['payouts.process'])"
            )
        )
    yield database
    database.dispose()


def change(database: Database, statement: str) -> None:
    """Make something true behind everybody's back."""
    with database.begin() as tx:
        tx.run(sa.text(statement))


def look(database: Database, job: Watch | None = None) -> None:
    """One whole run of the job: a page, outside, a page."""
    job = job or Watch(None)
    with database.begin() as tx:
        first = job.page(tx, {}, 1)
    job.outside()
    assert first.cursor is not None
    with database.begin() as tx:
        assert job.page(tx, first.cursor, 1).cursor is None
    job.outside()


def found(database: Database) -> dict[str, Row]:
    """What is open, by key."""
    with database.begin() as tx:
        return {row.key: row for row in findings.listing(tx, Filter())}


def enqueue(database: Database, job: str, minutes_ago: float, *, version: int = 1) -> None:
    """A run that has been due for so long, asked for by a release that has the job in this version."""
    due_at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    with database.begin() as tx:
        request = Request(
            job=job, queue="rest", version=version, origin=Origin.OPERATOR, due_at=due_at
        )
        runs.enqueue(tx, [request])


def test_where_all_is_well_nothing_is_found(database: Database) -> None:
    look(database)

    assert found(database) == {}


def test_a_dead_scheduler_is_found_by_the_workers_and_heals(database: Database) -> None:
    change(
        database,
        "INSERT INTO schedule_progress VALUES ('payouts.recover', 'every 300', "
        "clock_timestamp() - interval '400 s', clock_timestamp() - interval '100 s')",
    )
    look(database)
    silent = found(database)
    change(database, "UPDATE schedule_progress SET next_tick_at = clock_timestamp()")
    look(database)

    assert list(silent) == ["scheduler-silent:scheduler"]
    assert "payouts.recover is 100 s late" in silent["scheduler-silent:scheduler"].detail
    assert found(database) == {}


def test_one_schedule_that_stands_still_while_others_go_on_is_its_own_finding(
    database: Database,
) -> None:
    change(
        database,
        "INSERT INTO schedule_progress VALUES ('payouts.recover', 'every 300', "
        "clock_timestamp() - interval '600 s', clock_timestamp() - interval '300 s'), "
        "('payouts.follow', 'every 60', clock_timestamp(), clock_timestamp() + interval '60 s')",
    )
    look(database)

    assert list(found(database)) == ["tick-missed:payouts.recover"]


def test_a_scheduler_that_was_never_started_is_found(database: Database) -> None:
    change(database, "UPDATE workers SET started_at = started_at - interval '6 minutes'")
    look(database)

    assert list(found(database)) == ["scheduler-silent:scheduler"]


def test_runs_and_work_that_no_live_worker_knows_are_found_after_five_minutes(
    database: Database,
) -> None:
    enqueue(database, "photos.match", 6)
    enqueue(database, "payouts.process", 6)
    enqueue(database, "notices.fan_out", 4)
    change(
        database,
        "INSERT INTO work (job, subject, due_at) SELECT job, gen_random_uuid(), clock_timestamp() "
        "- interval '6 minutes' FROM unnest(ARRAY['payouts.process', 'refunds.submit']) AS j (job)",
    )
    look(database)

    unknown = {key for key in found(database) if key.startswith("job-nobody-knows:")}
    assert unknown == {"job-nobody-knows:photos.match", "job-nobody-knows:refunds.submit"}


def test_a_run_in_a_version_that_no_live_worker_has_is_found_until_one_starts(
    database: Database,
) -> None:
    """F50: asked for by a newer release, it waits for a worker that has it, and somebody is told."""
    enqueue(database, "payouts.process", 6, version=2)
    look(database)
    before = found(database)
    change(
        database,
        "INSERT INTO workers (id, host, pid, version, jobs, versions) "
        "VALUES ('here:2:1', 'here', 2, '2', ARRAY['payouts.follow', 'payouts.process'], ARRAY[1, 2])",
    )
    look(database)

    assert "job-nobody-knows:payouts.process" in before
    assert "job-nobody-knows:payouts.process" not in found(database)


def test_a_stale_outbox_is_found_unless_a_switch_explains_it(database: Database) -> None:
    enqueue(database, "payouts.process", 1)
    look(database)
    stale = found(database)
    with database.begin() as tx:
        switches.turn(tx, "queue:rest", on=True, who="meera", why="counting")
    look(database)

    assert list(stale) == ["outbox-stale:queue rest"]
    assert "1 runs" in stale["outbox-stale:queue rest"].detail
    assert found(database) == {}


def test_parked_work_is_one_finding_for_each_job(database: Database, database_url: str) -> None:
    owner = sa.create_engine(database_url, poolclass=sa.pool.NullPool)
    with owner.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO bursar.catalog VALUES "
                "('payouts.process', 'money', 'drain', 1, 'Submit.') ON CONFLICT DO NOTHING"
            )
        )
    change(
        database,
        "INSERT INTO work (job, subject, due_at, parked_reason) SELECT 'payouts.process', "
        "gen_random_uuid(), 'infinity', 'the bank said no' FROM generate_series(1, 3)",
    )
    look(database)

    parked = found(database)["work-parked:payouts.process"]
    assert parked.detail == "3 parked; the oldest: the bank said no"


def test_a_worker_that_went_quiet_is_found_and_one_that_said_goodbye_is_not(
    database: Database,
) -> None:
    change(database, "UPDATE workers SET beat_at = beat_at - interval '2 minutes'")
    look(database)
    quiet = list(found(database))
    change(database, "UPDATE workers SET stopping = true")
    look(database)

    assert quiet == ["worker-silent:here:1:1"]
    assert found(database) == {}


def test_a_brake_and_a_restored_database_are_found_while_they_last(database: Database) -> None:
    with database.begin() as tx:
        switches.turn(tx, "brake:razorpayx:acc", on=True, who="bursar", why="401: bad key")
        switches.turn(tx, "restored", on=True, who="bursar", why="another timeline")
    look(database)
    lasting = found(database)
    with database.begin() as tx:
        switches.turn(tx, "brake:razorpayx:acc", on=False, who="meera", why="new key")
        switches.turn(tx, "restored", on=False, who="meera", why="compared")
    look(database)

    assert set(lasting) == {"provider-brake:razorpayx:acc", "database-restored:installation"}
    assert lasting["provider-brake:razorpayx:acc"].detail == "401: bad key"
    assert found(database) == {}


@pytest.mark.parametrize(("ahead", "keys"), [(-60, ["clock-skew:worker here"]), (0, [])])
def test_a_worker_on_a_machine_with_a_wrong_clock_says_so(
    database: Database, ahead: float, keys: list[str]
) -> None:
    """F84."""
    wall = lambda: datetime.now(UTC) + timedelta(seconds=ahead)  # noqa: E731  a clock of one line
    look(database, Watch(None, wall=wall, host="here"))

    assert list(found(database)) == keys


def test_an_alert_is_sent_once_with_its_runbook_and_a_heartbeat_each_time(
    database: Database,
) -> None:
    receiver = Receiver()
    job = Watch(receiver)
    with database.begin() as tx:
        findings.report(tx, [DRIFT])
    look(database, job)
    look(database, job)

    [sent] = receiver.got
    assert (sent["key"], sent["severity"]) == (DRIFT.key, "P0")
    assert sent["runbook"] == "docs/findings.md#books-drift"
    assert sent["text"] == "P0 books-drift: cash INR: off by 1"
    assert receiver.beats == 2


def test_alerts_that_do_not_arrive_are_found_and_sent_again(database: Database) -> None:
    receiver = Receiver(room=1)
    job = Watch(receiver)
    others = [Finding(kind=DRIFT.kind, subject=f"account {n}", detail="x") for n in range(3)]
    with database.begin() as tx:
        findings.report(tx, others)
    look(database, job)
    undelivered = found(database)["alert-undelivered:BURSAR_ALERT_URL"]
    receiver.room = 1000
    look(database, job)
    look(database, job)

    assert undelivered.detail.startswith("2 alerts wait")
    keys = [document["key"] for document in receiver.got]
    assert keys == [*(other.key for other in others), undelivered.key][: len(keys)]
    assert {other.key for other in others} <= set(keys)
    assert "alert-undelivered:BURSAR_ALERT_URL" not in found(database)


def test_a_worker_that_dies_before_it_notes_the_delivery_sends_again(database: Database) -> None:
    receiver = Receiver()
    with database.begin() as tx:
        findings.report(tx, [DRIFT])
    dying = Watch(receiver)
    with database.begin() as tx:
        dying.page(tx, {}, 1)
    dying.outside()

    look(database, Watch(receiver))
    look(database, Watch(receiver))

    assert [document["key"] for document in receiver.got] == [DRIFT.key, DRIFT.key]


def test_no_more_than_a_bounded_number_is_sent_by_one_run(database: Database) -> None:
    receiver = Receiver()
    many = [Finding(kind=DRIFT.kind, subject=f"account {n}", detail="x") for n in range(25)]
    with database.begin() as tx:
        findings.report(tx, many)
    look(database, Watch(receiver))

    assert len(receiver.got) == ALERTS_MAX
    with database.begin() as tx:
        assert watch.late_schedules(tx) == []
