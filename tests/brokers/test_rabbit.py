"""Wake-ups through a real RabbitMQ: each arrives, nothing is left, and no fault of its ends a thread."""

import threading
from collections.abc import Iterator

import pika  # type: ignore[import-untyped]  # it has no types
import pytest

from domain.errors import RefusedError, UnreachableError
from tests.brokers.conftest import port_of, through, working
from tests.waiting import eventually
from workers.broker import QUEUES, Bell, check_broker
from workers.broker.rabbit_links import (
    NAME_PREFIX,
    declare,
    linked,
    parameters,
)
from workers.broker.senders import FAULTS, RabbitSender
from workers.broker.wakeups import encode
from workers.broker_depth import depths
from workers.chaos.link import Link

EMPTY = dict.fromkeys(QUEUES, 0)


@pytest.fixture
def url(rabbit_url: str) -> str:
    """The RabbitMQ, with our queues, empty."""
    with linked(parameters(rabbit_url)) as link:
        for queue in QUEUES:
            declare(link.channel, queue)
            link.channel.queue_purge(NAME_PREFIX + queue)
    return rabbit_url


@pytest.fixture
def way(url: str) -> Iterator[Link]:
    """A way to it that can be cut."""
    with Link(port_of(url)) as link:
        yield link


@pytest.fixture
def bell(url: str) -> Iterator[Bell]:
    """A bell straight at it."""
    made = Bell(url)
    yield made
    made.close()


def forget(url: str) -> None:
    """Delete our queues."""
    with linked(parameters(url)) as link:
        for queue in QUEUES:
            link.channel.queue_delete(NAME_PREFIX + queue)


def opened(gate: threading.Event) -> None:
    """Wait at a gate."""
    assert gate.wait(20)


def put(url: str, *bodies: bytes, queue: str = "money") -> None:
    """Publish raw bodies, as anybody with a link could."""
    with linked(parameters(url)) as link:
        declare(link.channel, queue)
        for body in bodies:
            link.channel.basic_publish("", NAME_PREFIX + queue, body)


def test_each_wake_up_runs_once_and_all_are_acked(url: str, bell: Bell) -> None:
    """What is not acked would come again once the link is closed."""
    with working(url) as worker:
        assert bell.ring("money", list(range(1, 301))) == 300
        assert bell.ring("rest", [301]) == 1
        assert worker.has_run(*range(1, 302))
        assert set(worker.ran.values()) == {1}
    assert depths(url) == EMPTY


def test_what_is_no_wake_up_is_acked_and_counted(url: str) -> None:
    """Undecodable, foreign, a whole message of Dramatiq's, too large; a good one behind them."""
    foreign = b'{"queue_name":"other","actor_name":"x","args":[],"kwargs":{},"options":{}}'
    put(url, b"", b"\xff\xfe", foreign, b'{"v":2,"run":"1"}', encode(1) + b" " * 70_000, encode(7))
    with working(url) as worker:
        assert worker.has_run(7)
        assert eventually(lambda: worker.refusals.total("money") == 5)
        assert worker.ran == {7: 1}
        assert worker.running.alive()
    assert depths(url) == EMPTY


def test_a_worker_holds_no_more_than_its_threads_and_gives_back_the_rest(
    url: str, bell: Bell
) -> None:
    gate = threading.Event()
    with working(url, {"money": 1, "rest": 1}) as worker:
        worker.handle = lambda _run: opened(gate)
        bell.ring("money", [1, 2, 3])
        assert eventually(lambda: depths(url)["money"] == 2)
        assert not worker.running.offer("money", 4), "its one thread is taken"
        gate.set()
        assert worker.has_run(1, 2, 3)


@pytest.mark.parametrize("harm", ["drop", "half_close", "stall"])
def test_a_lost_link_is_made_anew_by_the_same_threads(
    url: str, way: Link, bell: Bell, harm: str
) -> None:
    """Also while a run is handled, whose ack then has nowhere to go."""
    gate = threading.Event()
    with working(through(url, way)) as worker:
        before = sorted(thread.ident or 0 for thread in threading.enumerate())
        worker.handle = lambda run: opened(gate) if run == 1 else None
        bell.ring("money", [1])
        assert eventually(lambda: depths(url)["money"] == 0)
        getattr(way, harm)()
        bell.ring("money", [2])
        gate.set()
        way.heal()
        assert worker.has_run(1, 2)
        assert worker.running.alive()
        assert set(before) <= {thread.ident for thread in threading.enumerate()}
    assert depths(url) == EMPTY


def test_runs_of_the_sweep_are_handled_where_rabbit_was_never_there(url: str) -> None:
    """They were never in RabbitMQ, so there is nothing to ack."""
    with Link(port_of(url)) as way:
        way.refuse()
        with working(through(url, way)) as worker:
            assert eventually(lambda: worker.running.offer("money", 1))
            assert worker.has_run(1)
            assert worker.running.alive(beat_seconds_max=9.0)
            way.heal()
            put(url, encode(2))
            assert worker.has_run(2)


def test_a_deleted_queue_is_made_again(url: str, bell: Bell) -> None:
    with working(url) as worker:
        bell.ring("money", [1])
        assert worker.has_run(1)
        forget(url)  # who rings while others make the queue may ring for nobody
        assert eventually(lambda: bell.ring("money", [2]) and worker.has_run(2, seconds=0.5))


def test_a_bell_says_sent_only_of_what_arrived(url: str, way: Link) -> None:
    """Publishing alone proves nothing: it is the server's answer that counts."""
    bell = Bell(through(url, way))
    try:
        assert bell.ring("money", [1]) == 1
        way.stall()
        assert bell.ring("money", [2, 3]) == 0
        assert bell.failed == 2
        way.heal()
        assert eventually(lambda: bell.ring("money", [4]) == 1)
    finally:
        bell.close()


def test_a_link_lost_between_two_rings_costs_no_wake_up(url: str, way: Link) -> None:
    """The bell looks after its link while nothing is sent; RabbitMQ ends one that answers nothing."""
    sender = RabbitSender(through(url, way))
    try:
        assert sender.send("money", [1]) == 1
        sender.rest()
        assert way.drop() == 1, "resting kept it"
        assert eventually(lambda: _is_lost(sender))
        assert sender.send("money", [2]) == 1
    finally:
        sender.close()


def _is_lost(sender: RabbitSender) -> bool:
    try:
        sender.rest()
    except FAULTS:
        return True
    return False


def test_a_server_that_does_not_take_us_is_refused_at_the_start(url: str) -> None:
    check_broker(url)
    with Link(port_of(url)) as way:
        way.refuse()
        with pytest.raises(UnreachableError, match="does not answer"):
            check_broker(through(url, way))
    stranger = f"amqp://nobody:wrong@127.0.0.1:{port_of(url)}/"
    with pytest.raises(RefusedError, match="BURSAR_BROKER_URL") as caught:
        check_broker(stranger)
    assert "wrong" not in str(caught.value)
    nowhere = f"{url.rstrip('/')}/nowhere" if url.endswith("/") else f"{url}/nowhere"
    with pytest.raises(RefusedError):
        check_broker(nowhere)


def test_a_queue_of_ours_made_by_somebody_else_is_refused_at_the_start(url: str) -> None:
    forget(url)
    with linked(parameters(url)) as link:
        link.channel.queue_declare(NAME_PREFIX + "money", durable=True)
    try:
        with pytest.raises(RefusedError, match="quorum"):
            check_broker(url)
    finally:
        forget(url)


def test_a_closed_bell_and_a_stopped_worker_leave_no_link(url: str, way: Link) -> None:
    bell = Bell(through(url, way))
    with working(through(url, way)) as worker:
        assert bell.ring("money", [1]) == 1
        assert worker.has_run(1)
    bell.close()
    assert eventually(lambda: way.drop() == 0)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker), linked(parameters(url)) as link:
        link.channel.queue_declare(NAME_PREFIX + "unknown", passive=True)
