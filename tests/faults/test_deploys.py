"""Processes come and go: SIGTERM in a batch, restarts one by one, newer releases, missing settings."""

import json
import signal

import sqlalchemy as sa

from db import runs
from db.runs import Request
from domain.runs import Origin
from tests.builders import change, rows, states
from tests.faults.houses import House
from tests.waiting import eventually
from workers.broker import Bell

STOP_SECONDS_MAX = 180.0


def test_sigterm_in_a_batch_ends_in_order(home: House) -> None:
    """F96: exit 0 in time, calls settled, the rest given back; a second SIGTERM changes nothing."""
    home.bank.order("slow", times=8, seconds=0.5)
    worker = home.start().ready()
    home.seed(400)
    eventually(lambda: len(home.recorder.sent) >= 4, what="calls under way")
    for _ in range(2):
        worker.signal(signal.SIGTERM)
    assert worker.ended(STOP_SECONDS_MAX) == 0
    assert rows(home.database, "SELECT FROM work WHERE leased_until IS NOT NULL") == []
    assert rows(home.database, "SELECT FROM leases") == []
    first, *_ = rows(home.database, "SELECT state FROM runs ORDER BY id")
    assert first.state == "stopped"
    [given_back] = rows(
        home.database, "SELECT count(*) AS n FROM effects WHERE state = 'intended' AND sends = 0"
    )
    assert given_back.n > 300
    assert given_back.n + home.count("accepted") == 400
    home.start()
    home.accepted(400)
    assert len(set(home.recorder.sent)) == 400
    home.assert_each_paid_once(400)


def test_a_rolling_restart_loses_and_doubles_nothing(home: House) -> None:
    """F96: three times one of two workers is replaced while a batch runs."""
    home.seed(800)
    serving = [home.start().ready(), home.start().ready()]
    for _ in range(3):
        serving.append(home.start().ready())
        oldest = serving.pop(0)
        oldest.signal(signal.SIGTERM)
        assert oldest.ended(STOP_SECONDS_MAX) == 0
    home.accepted(800)
    home.assert_each_paid_once(800)


def test_what_a_newer_release_asks_for_waits_for_it(home: House) -> None:
    """F50, F97: an unknown job and a newer version stay queued, harm nobody, and somebody is told."""
    wanted = [("dreams.catch", 1), ("payouts.process", 99)]
    with home.database.begin() as tx:
        made = runs.enqueue(
            tx,
            [
                Request(job=job, queue="money", version=version, origin=Origin.OPERATOR, key="new")
                for job, version in wanted
            ],
        )
    change(home.database, "UPDATE runs SET due_at = due_at - interval '10 minutes'")
    bell = Bell(home.broker_url)
    bell.ring("money", [run.id for run in made])
    bell.close()
    home.start().ready()
    home.seed(10)
    home.accepted(10)

    def told() -> set[str]:
        found = "SELECT kind FROM findings WHERE subject = 'dreams.catch' OR subject LIKE 'queue%'"
        return {row.kind for row in rows(home.database, found)}

    eventually(lambda: told() == {"job-nobody-knows", "outbox-stale"}, what="findings")
    left = rows(home.database, "SELECT state, attempts FROM runs WHERE request_key = 'new'")
    assert [(row.state, row.attempts) for row in left] == [("queued", 0)] * 2


def test_p03_a_green_run_that_did_nothing_while_work_waits_is_a_failure(home: House) -> None:
    """F94, invariant 76: somebody holds the row; the run fails and says so, and so does whoever waits for it."""
    home.seed(1)
    engine = sa.create_engine(home.database_url, poolclass=sa.pool.NullPool)
    with engine.begin() as holder:
        holder.execute(sa.text("SELECT FROM bursar.work FOR UPDATE"))
        home.start().ready()
        asked = home.bursar("enqueue", "payouts.process", "--wait", "--json", "--timeout", "20")
        assert asked.ended() == 1
        holder.rollback()
    told = json.loads(asked.log.read_text())
    assert (told["success"], told["tally"]["processed"], told["remaining"]) == (False, 0, 1)
    assert told["reason"] == "processed nothing while 1 items waited"
    home.accepted(1)
    home.assert_each_paid_once(1)


def test_p05_without_a_required_setting_nothing_starts_and_nothing_fails(home: House) -> None:
    """F95: exit 2, naming the variable; no payout is touched. Without any server: exit 3."""
    home.seed(5)
    broken = [
        ({"BURSAR_RAZORPAYX_KEY_ID": ""}, "BURSAR_RAZORPAYX_KEY_ID", 2),
        ({"BURSAR_RAZORPAYX_KEY_SECRET": ""}, "BURSAR_RAZORPAYX_KEY_SECRET", 2),
        ({"BURSAR_RAZORPAYX_ACCOUNT_NUMBER": ""}, "BURSAR_RAZORPAYX_ACCOUNT_NUMBER", 2),
        ({"BURSAR_PAYOUT_PROVIDER": ""}, "BURSAR_PAYOUT_PROVIDER", 2),
        ({"BURSAR_DATABASE_URL": ""}, "BURSAR_DATABASE_URL", 2),
        ({"BURSAR_BROKER_URL": ""}, "BURSAR_BROKER_URL", 2),
        ({"BURSAR_RAZORPAY_KEY_SECRET": "renamed"}, "BURSAR_RAZORPAY_KEY_SECRET", 2),
        (
            {"BURSAR_DATABASE_URL": "", "BURSAR_BROKER_URL": "", "BURSAR_HOME": str(home.folder)},
            "bursar up",
            3,
        ),
    ]
    started = [home.start(**settings) for settings, _, _ in broken]
    for working, (_, name, code) in zip(started, broken, strict=True):
        assert working.ended() == code, (name, working.log.read_text())
        assert working.said(name), (name, working.log.read_text())
        assert not working.said("Traceback")
    assert states(home.database) == {"APPROVED": 5}


def test_p02_two_processes_share_five_thousand_payouts_and_each_is_sent_once(home: House) -> None:
    """Invariant 1: real processes, real HTTP; no reference twice, no request too many."""
    home.seed(5000)
    for _ in range(2):
        home.start(
            BURSAR_CONCURRENCY="16",
            BURSAR_GATEWAY_TIMEOUT_SECONDS="30",  # a bank that is held up loses no reply
            BURSAR_LEASE_SECONDS="60",
        )
    home.accepted(5000)
    [counted] = rows(home.database, "SELECT CAST(sum(sends) AS bigint) AS sends FROM effects")
    assert len(home.recorder.sent) == counted.sends == 5000
    assert len({sent.key for sent in home.recorder.sent}) == 5000
    home.assert_each_paid_once(5000)
