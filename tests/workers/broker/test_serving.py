"""Runs reach threads, whatever comes through Redis and whatever becomes of it."""

import json
import random
import threading
import time
from uuid import uuid4

import pytest
from dramatiq import Message

from tests.workers.broker.conftest import Server, StartWorker, Worker, eventually, frozen
from workers.broker import Bell
from workers.broker.bell import RING_SECONDS_MAX
from workers.broker.scripts import Keys

KEYS = Keys.of("bursar", "money")


def put(server: Server, *bodies: bytes) -> None:
    """Write raw bodies into the queue, as anybody with a link to Redis could."""
    with server.admin.pipeline() as pipe:
        for body in bodies:
            key = str(uuid4())
            pipe.hset(KEYS.bodies, key, body)
            pipe.rpush(KEYS.waiting, key)
        pipe.execute()


def threads() -> list[int]:
    """Return the identities of the living threads."""
    return sorted(thread.ident or 0 for thread in threading.enumerate())


def test_a_rung_run_is_handled_once_and_nothing_is_left(
    server: Server, bell: Bell, start: StartWorker
) -> None:
    worker = start()
    assert bell.ring("money", [7, 8, 7]) == 2
    assert bell.ring("rest", [9]) == 1
    assert worker.has_run(7, 8, 9)
    assert worker.ran == {7: 1, 8: 1, 9: 1}
    assert eventually(lambda: set(server.admin.keys("bursar:*")) == {b"bursar:__heartbeats__"})


def test_each_queue_has_its_own_threads(bell: Bell, start: StartWorker) -> None:
    worker, gate = start(threads=2), threading.Event()
    worker.handle = lambda run_id: None if run_id == 1 else assert_set(gate)
    bell.ring("rest", [10, 11, 12, 13])
    bell.ring("money", [1])
    assert worker.has_run(1)
    assert not worker.ran[10]
    gate.set()
    assert worker.has_run(10, 11, 12, 13)


def assert_set(gate: threading.Event) -> None:
    """Wait for the gate."""
    assert gate.wait(60)


def test_no_message_is_held_that_no_thread_can_start(
    server: Server, bell: Bell, start: StartWorker
) -> None:
    worker, gate = start(threads=2), threading.Event()
    worker.handle = lambda _run_id: assert_set(gate)
    bell.ring("money", [1, 2, 3, 4, 5])
    assert eventually(lambda: server.admin.llen(KEYS.waiting) == 3)
    assert not worker.running.offer("money", 6), "the sweep finds no seat either"
    gate.set()
    assert worker.has_run(1, 2, 3, 4, 5)
    assert eventually(lambda: worker.running.offer("money", 6))
    assert worker.has_run(6)


def test_an_error_in_a_run_costs_neither_the_thread_nor_the_seat(
    bell: Bell, start: StartWorker
) -> None:
    worker = start(threads=1)

    def fail(run_id: int) -> None:
        if run_id < 5:
            message = "planted"
            raise RuntimeError(message)

    worker.handle = fail
    bell.ring("money", [1, 2, 3, 4, 5])
    assert worker.has_run(5)
    assert worker.running.alive()


def _mutants(seed: int, count: int) -> list[bytes]:
    dice = random.Random(seed)
    foreign = Message("other", "run_money", (5,), {}, {"redis_message_id": "x"}).encode()
    unknown = Message("money", "pay_everybody", (5,), {}, {}).encode()
    wholes = [
        foreign,
        unknown,
        b"",
        b"null",
        b"[]",
        b"[" * 20_000,
        b"\xff\xfe",
        b'{"v":1,"run":"0"}',
        b'{"v":1,"run":"9223372036854775808"}',
        b'{"v":1,"run":9}',
        b'{"v":1,"run":"9","more":1}',
        b'{"v":2,"run":"9"}',
        b'{"v":true,"run":"9"}',
        b'{"v":1,"run":"9"}' + b" " * 70_000,
        json.dumps({"v": 1, "run": "\u0669"}, ensure_ascii=False).encode(),
        b'{"v":1,"run":"9"}\n',
    ]
    found = []
    for _ in range(count):
        base = bytearray(dice.choice([*wholes, b'{"v":1,"run":"9"}']))
        for _ in range(dice.randrange(3)):
            at = dice.randrange(len(base) + 1)
            base[at : at + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
        found.append(wholes[0] if _is_wake_up(bytes(base)) else bytes(base))
    return found


def _is_wake_up(body: bytes) -> bool:
    try:
        fields = json.loads(body)
        return fields.keys() == {"v", "run"} and fields["v"] == 1 and int(fields["run"]) > 0
    except (ValueError, AttributeError, TypeError, RecursionError):
        return False


def test_ten_thousand_bad_messages_harm_no_good_one_and_no_thread(
    server: Server, bell: Bell, start: StartWorker
) -> None:
    """F49, R13: undecodable, foreign queue, unknown actor, extra fields, oversized."""
    worker = start(threads=4)
    bell.ring("money", [1])
    assert worker.has_run(1)
    before = threads()
    good = range(100, 200)
    started = time.monotonic()
    for at, run_id in enumerate(good):
        put(server, *_mutants(at, 100))
        bell.ring("money", [run_id])
    assert worker.has_run(*good)
    print(f"\n10,000 mutants and 100 good messages: {time.monotonic() - started:.2f} s")  # noqa: T201 - measured, not judged
    assert eventually(lambda: worker.refusals.total("money") == 10_000)
    assert threads() == before
    assert worker.running.alive()
    assert set(worker.ran) == {1, *good}
    assert eventually(lambda: not server.admin.exists(KEYS.waiting, KEYS.bodies))


def test_good_messages_behind_a_wall_of_bad_ones_come_soon(
    server: Server, bell: Bell, start: StartWorker
) -> None:
    """R13: 10,000 bad messages in front of a good one delay it by no more than a moment."""
    put(server, *_mutants(1, 10_000))
    bell.ring("money", [1])
    started = time.monotonic()
    worker = start()
    assert worker.has_run(1)
    print(f"\nbehind 10,000 bad messages: {time.monotonic() - started:.2f} s")  # noqa: T201 - the same
    assert worker.refusals.total() == 10_000


def test_keys_of_a_wrong_type_stop_nothing(server: Server, bell: Bell, start: StartWorker) -> None:
    worker = start()
    server.admin.delete(KEYS.waiting)
    server.admin.set(KEYS.waiting, "rubbish")
    assert bell.ring("money", [1]) == 0
    bell.ring("rest", [2])
    assert worker.has_run(2)
    server.admin.delete(KEYS.waiting)
    server.admin.set(KEYS.bodies, "rubbish")
    server.admin.rpush(KEYS.waiting, "a", "b")
    assert eventually(lambda: worker.refusals.total("money") >= 2)
    server.admin.delete(KEYS.bodies, KEYS.waiting)
    assert eventually(lambda: bell.ring("money", [3]) == 1)
    assert worker.has_run(3)
    assert worker.running.alive()


def test_a_doubled_message_rings_twice_and_leaves_nothing(
    server: Server, bell: Bell, start: StartWorker
) -> None:
    """F41: the second finds nothing to claim; that is for the run's row to say."""
    bell.ring("money", [1])
    bell.ring("money", [1])
    key = server.admin.lindex(KEYS.waiting, 0)
    assert key is not None
    server.admin.rpush(KEYS.waiting, key)  # one key twice in the list
    worker = start()
    assert eventually(lambda: worker.ran[1] >= 2)
    assert eventually(lambda: not server.admin.exists(KEYS.waiting, KEYS.bodies))
    assert worker.refusals.total() == 0


def test_messages_taken_by_a_lost_reply_are_given_back(
    server: Server, bell: Bell, start: StartWorker
) -> None:
    """F42: the script ran, its reply did not arrive, and this very process is healthy."""
    worker = start()
    broker_id = worker.broker.broker_id  # type: ignore[attr-defined]  # Dramatiq's Redis broker
    bell.ring("money", [1])
    assert worker.has_run(1)
    acks = Keys.of("bursar", "money", broker_id).acks
    server.admin.hset(KEYS.bodies, "lost", b'{"v":1,"run":"2"}')
    server.admin.sadd(acks, "lost")
    assert worker.has_run(2)


def test_a_thousand_wake_ups_of_one_run_are_all_taken_quickly(
    bell: Bell, start: StartWorker
) -> None:
    """F54: the claim makes one of them; the others cost next to nothing."""
    worker = start()
    started = time.monotonic()
    for _ in range(1_000):
        bell.ring("money", [1])
    assert eventually(lambda: worker.ran[1] == 1_000)
    print(f"\n1,000 wake-ups: {time.monotonic() - started:.2f} s")  # noqa: T201 - the same


def test_after_flushall_new_wake_ups_arrive(server: Server, bell: Bell, start: StartWorker) -> None:
    """F36, also with the scripts forgotten; the wiped ones are the sweep's."""
    worker = start()
    bell.ring("money", [1])
    assert worker.has_run(1)
    server.admin.flushall()
    server.admin.script_flush()
    assert bell.ring("money", [2]) == 1
    assert worker.has_run(2)


def test_a_restarted_redis_is_used_again(server: Server, bell: Bell, start: StartWorker) -> None:
    """F37: no thread dies, the sweep's runs go on meanwhile, a failed ack is made good."""
    worker, gate = start(), threading.Event()
    worker.handle = lambda run_id: assert_set(gate) if run_id == 1 else None
    bell.ring("money", [1])
    assert eventually(lambda: not server.admin.exists(KEYS.waiting))
    before = {ident for ident in threads() if ident}
    server.kill()
    assert bell.ring("money", [2]) == 0
    gate.set()
    assert worker.has_run(1)
    assert worker.running.offer("money", 3), "the thread is not held up by the failed ack"
    assert worker.has_run(3)
    server.start()
    assert eventually(lambda: bell.ring("money", [4]) == 1)
    assert worker.has_run(4)
    assert before <= set(threads())
    assert worker.running.alive()


def test_a_frozen_redis_costs_the_caller_a_second_once(
    server: Server, bell: Bell, start: StartWorker
) -> None:
    """F39: one time-out, then free of charge until Redis is back; nothing is stuck afterwards."""
    worker = start()
    bell.ring("money", [1])
    assert worker.has_run(1)
    with frozen(server):
        first, *others = (waited(bell, [2]) for _ in range(3))
        assert max(others) < RING_SECONDS_MAX / 2 < first
        assert worker.running.offer("money", 3)
        assert worker.has_run(3)
        assert worker.running.alive()
    assert eventually(lambda: bell.ring("money", [4]) == 1)
    assert worker.has_run(4)


def waited(bell: Bell, runs: list[int]) -> float:
    """Ring in vain; returns how long that took."""
    started = time.monotonic()
    assert bell.ring("money", runs) == 0
    return time.monotonic() - started


def test_a_bell_without_a_redis_returns_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.broker.bell.RING_SECONDS_MAX", 60.0)
    bell = Bell("unix:///nowhere/at/all")
    assert waited(bell, [1, 2, 3]) < 30
    assert bell.failed == 3
    bell.close()


def test_a_worker_starts_without_a_redis_and_serves_the_sweep() -> None:
    worker = Worker("unix:///nowhere/at/all", {"money": 1, "rest": 1})
    assert worker.running.offer("money", 1)
    assert worker.has_run(1)
    assert worker.running.alive()
    assert worker.running.stop(5.0)


def test_stopping_waits_for_runs_under_way_and_takes_no_more(
    server: Server, bell: Bell, start: StartWorker
) -> None:
    worker, begun, gate = start(threads=1), threading.Event(), threading.Event()

    def wait(_run_id: int) -> None:
        begun.set()
        assert_set(gate)

    worker.handle = wait
    bell.ring("money", [1, 2])
    assert begun.wait(60)
    threading.Timer(0.3, gate.set).start()
    started = time.monotonic()
    assert worker.running.stop(60.0)
    assert time.monotonic() - started < 30
    assert worker.ran == {1: 1}
    assert server.admin.llen(KEYS.waiting) == 1
    assert not worker.running.alive()


def test_a_dead_thread_and_an_endless_run_are_seen(bell: Bell, start: StartWorker) -> None:
    worker, gate = start(threads=1), threading.Event()
    worker.handle = lambda _run_id: assert_set(gate)
    bell.ring("money", [1])
    assert eventually(lambda: not worker.running.alive(busy_seconds_max=0.05))
    assert worker.running.alive(busy_seconds_max=60)
    gate.set()
    assert worker.has_run(1)
    worker.running._workers["rest"].workers[0].stop()
    assert eventually(lambda: not worker.running.alive())
    assert "rest" in worker.running.complaints()[0]


def test_a_message_of_a_dead_process_is_given_to_another(
    server: Server, bell: Bell, start: StartWorker
) -> None:
    """R5's other half: Dramatiq's maintenance, made certain instead of one call in a thousand."""
    long_ago = int((time.time() - 3_600) * 1_000)
    server.admin.zadd("bursar:__heartbeats__", {"dead": long_ago})
    server.admin.sadd(Keys.of("bursar", "money", "dead").acks, "k")
    server.admin.hset(KEYS.bodies, "k", b'{"v":1,"run":"5"}')
    assert bell.ring("money", [6]) == 1
    worker = start()
    assert worker.has_run(5, 6)


def test_wake_latency(bell: Bell, start: StartWorker) -> None:
    """Printed, not asserted: from ringing to the run's first line."""
    worker, pause, took = start(), threading.Event(), []
    for run_id in range(1, 101):
        pause.wait(0.02)
        rung = time.monotonic()
        bell.ring("money", [run_id])
        assert worker.has_run(run_id)
        took.append((worker.times[run_id] - rung) * 1_000)
    took.sort()
    print(f"\nwake-up: p50 {took[50]:.2f} ms, p99 {took[98]:.2f} ms, max {took[-1]:.2f} ms")  # noqa: T201 - the same
