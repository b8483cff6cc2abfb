"""Redis is wiped, restarted, gone or frozen: it is a bell, and the work is done without it."""

import signal
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis

from db import runs
from db.clock import now
from db.runs import Request
from domain.runs import Origin
from tests.builders import rows
from tests.faults.houses import House
from tests.servers import Cluster, freeze, kill, restart, thaw
from tests.waiting import eventually
from workers.broker import Bell

BATCH = 200
RATE = """SELECT count(*) / extract(epoch FROM max(at) - min(at)) AS rate
  FROM (SELECT at FROM effect_answers WHERE answer = 'accepted' ORDER BY at DESC LIMIT :last) a"""


def flush(servers: Cluster) -> None:
    """Forget every message, and the scripts too."""
    with redis.Redis.from_url(servers.broker_url) as client:
        client.flushall()
        client.script_flush()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(flush, id="wiped"),
        pytest.param(lambda servers: restart(servers.redis), id="restarted"),
        pytest.param(lambda servers: kill(servers.redis), id="gone"),
        pytest.param(lambda servers: freeze(servers.redis), id="frozen"),
    ],
)
def test_due_work_is_done_whatever_redis_does(
    own_home: House, own_servers: Cluster, fault: Callable[[Cluster], None]
) -> None:
    """F36, F37, F38, F39: before a batch comes and again in its middle; all of it is done in time."""
    worker = own_home.start().ready()
    fault(own_servers)
    own_home.seed(BATCH)
    eventually(lambda: own_home.count("accepted") > 20, what="a batch under way")
    if own_servers.redis.running:
        fault(own_servers)
    own_home.accepted(BATCH)
    thaw(own_servers.redis)
    worker.signal(signal.SIGTERM)
    assert worker.ended() == 0
    own_home.assert_each_paid_once(BATCH)


def test_without_redis_a_batch_is_done_at_the_usual_rate(
    own_home: House, own_servers: Cluster, record_property: Callable[[str, object], None]
) -> None:
    """F38: the ratio is told (0.8 or more on a quiet machine), and only a generous bound is held."""
    own_home.start(BURSAR_CONCURRENCY="16").ready()

    def rate(first: int) -> float:
        """Items a second from a batch's first answer to its last."""
        own_home.seed(600, first=first)
        own_home.accepted(first + 600, seconds=60)
        [row] = rows(own_home.database, RATE, last=600)
        return float(row.rate)

    usual = rate(0)
    kill(own_servers.redis)
    record_property("rate_without_redis", round(rate(600) / usual, 2))
    own_home.assert_each_paid_once(1200)


def test_a_worker_that_starts_without_a_redis_works_and_hears_it_later(
    own_home: House, own_servers: Cluster
) -> None:
    """F38, F40: no bell at all; once there is one, it is listened to."""
    own_servers.redis.stop()
    own_home.start().ready()
    own_home.seed(20)
    own_home.accepted(20)
    own_servers.redis.start()
    bell = Bell(own_servers.broker_url)
    run = asked(own_home, "later")
    eventually(lambda: bell.ring("money", [run]), what="a bell that rings")
    bell.close()
    eventually(lambda: state(own_home, run) == "succeeded", what="the run rung for")
    own_home.assert_each_paid_once(20)


def test_what_is_due_later_is_run_at_its_time_whatever_became_of_redis(
    own_home: House, own_servers: Cluster
) -> None:
    """F52: no delay lies in Redis: it is wiped and restarted meanwhile, and the run starts when it is due."""
    own_home.start().ready()
    with own_home.database.begin() as tx:
        due = now(tx) + timedelta(seconds=3)
        later = Request(
            job="payouts.process",
            queue="money",
            version=1,
            origin=Origin.OPERATOR,
            key="later",
            due_at=due,
        )
        run = runs.enqueue(tx, [later])[0].id
    with redis.Redis.from_url(own_servers.broker_url) as client:
        assert not [key for key in client.scan_iter("*") if b"DQ" in key]
        client.flushall()
    restart(own_servers.redis)
    eventually(lambda: state(own_home, run) == "succeeded", what="the run that was due later")
    [row] = rows(own_home.database, "SELECT started_at FROM runs WHERE id = :id", id=run)
    assert row.started_at >= due


def asked(home: House, key: str) -> int:
    """Put a run on record without ringing for it."""
    request = Request(
        job="payouts.process", queue="money", version=1, origin=Origin.OPERATOR, key=key
    )
    with home.database.begin() as tx:
        return runs.enqueue(tx, [request])[0].id


def state(home: House, run: int) -> str:
    """How the run stands."""
    return str(rows(home.database, "SELECT state FROM runs WHERE id = :id", id=run)[0].state)


@pytest.mark.parametrize("strike", ["kill:after_enqueue", "kill:before_enqueue"])
def test_killed_around_the_commit_that_should_be_rung_for(home: House, strike: str) -> None:
    """F44: nobody rang; what was committed is found by the sweep, what was not is not there."""
    command = ("enqueue", "payouts.process", "--key", "k")
    assert home.start(strike, command=command).ended() == -signal.SIGKILL
    committed = strike == "kill:after_enqueue"
    found = rows(home.database, "SELECT id, state FROM runs")
    assert [row.state for row in found] == ["queued"] * committed
    if committed:
        home.start().ready()
        eventually(lambda: state(home, found[0].id) == "succeeded", what="found by the sweep")


def test_a_storm_of_wake_ups_for_one_run_starts_it_once(home: House) -> None:
    """F41, F45, F54: rung for a thousand times, by two workers, before and after it ran."""
    for _ in range(2):
        home.start()
    for working in home.started:
        working.ready()
    run, bell = asked(home, "storm"), Bell(home.broker_url)
    rung = 0
    while rung < 1000:  # what a busy machine was late with is not counted
        rung += bell.ring("money", [run])
    eventually(lambda: state(home, run) == "succeeded", what="the run")
    last = asked(home, "last")
    bell.ring("money", [run, last])
    eventually(lambda: state(home, last) == "succeeded", what="what came behind the storm")
    bell.close()
    attempts = rows(home.database, "SELECT run FROM run_attempts WHERE run = :run", run=run)
    assert len(attempts) == 1
