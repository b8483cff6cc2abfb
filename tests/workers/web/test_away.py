"""Servers that are away when a webhook comes: its sender is told to come again, and soon."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from db.engine import Database
from tests.domain.webhooks.signing import SECRET, payout_event, raw, razorpay_headers
from tests.operating import opened, query
from tests.servers import Cluster, freeze, kill, restart, thaw
from tests.waiting import eventually
from tests.workers.web.webs import Web, web
from workers.broker.bell import Bell
from workers.free_ports import free_ports
from workers.web import keeping, webhooks

BODY = raw(payout_event())
ROOT = Path(__file__).parents[3]
SECONDS_MAX = 6.0
"""What an answer may take on a machine that does much else; a frozen database never gives one."""


def rows(database: Database) -> int:
    [row] = query(
        database,
        "SELECT count(*) AS n FROM inbox i JOIN work w ON w.subject = i.id AND w.due_at <= clock_timestamp()",
    )
    return int(row.n)


def is_taken(here: Web, body: bytes) -> bool:
    return here.send(body).status_code == 200


def test_a_database_that_is_away_is_never_answered_2xx(
    own_servers: Cluster, own_database_url: str
) -> None:
    """F77: frozen, killed and back: 503 in time, and 200 when it is there again."""
    with (
        opened(own_database_url) as operator,
        web(own_database_url, own_servers.broker_url) as here,
    ):
        eventually(partial(is_taken, here, BODY))
        for hurt, heal in ((freeze, thaw), (kill, restart)):
            hurt(own_servers.postgres)
            for number in range(2):
                began = time.monotonic()
                other = raw(payout_event(id=f"pout_{hurt.__name__}_{number}"))
                answer = here.send(other)
                assert (answer.status_code, answer.json()) == (503, {"status": "try again"})
                assert time.monotonic() - began < SECONDS_MAX
            heal(own_servers.postgres)
            for body in (BODY, other):
                eventually(partial(is_taken, here, body))
        assert rows(operator) >= 3
        assert here.counted("unstored") >= 4


def test_a_bell_that_is_away_keeps_nobody_waiting(
    own_servers: Cluster, own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F77: Redis frozen: the event is committed and answered, and the sweep finds it."""
    with (
        opened(own_database_url) as operator,
        web(own_database_url, own_servers.broker_url) as here,
    ):
        monkeypatch.setattr(keeping, "KEEP_SECONDS_MAX", 60.0)
        monkeypatch.setattr(webhooks, "COMMIT_SECONDS_MAX", 60.0)
        freeze(own_servers.redis)
        for number in range(5):
            assert here.send(raw(payout_event(id=f"pout_{number}"))).status_code == 200
        thaw(own_servers.redis)
        assert rows(operator) == 5


def test_an_answer_waits_for_no_ring(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F77: committed is answered, whatever becomes of the ring."""
    begun, gate, ended = threading.Event(), threading.Event(), threading.Event()

    def ring(_bell: Bell, _queue: str, _runs: Sequence[int]) -> int:
        begun.set()
        gate.wait(120)
        ended.set()
        return 0

    monkeypatch.setattr(Bell, "ring", ring)
    with opened(database_url) as operator, web(database_url, redis_url) as here:
        try:
            assert here.send(BODY).status_code == 200
            assert rows(operator) == 1
            assert begun.wait(60)
            assert here.send(raw(payout_event(id="pout_2"))).status_code == 200
            assert not ended.is_set()
        finally:
            gate.set()


@contextmanager
def bursar_web(database_url: str, broker_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`bursar web` as a process of its own, and its address."""
    [port] = free_ports(1)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    told = {
        "BURSAR_DATABASE_URL": database_url,
        "BURSAR_BROKER_URL": broker_url,
        "BURSAR_RAZORPAYX_WEBHOOK_SECRETS": SECRET,
    }
    words = [sys.executable, "-m", "workers.cli", "web", "--port", str(port)]
    with subprocess.Popen(
        words, cwd=ROOT, env={**clean, **told}, stderr=subprocess.DEVNULL
    ) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            eventually(lambda: _lives(address), 180, "a web process")
            yield process, address
        finally:
            process.kill()


def _lives(address: str) -> bool:
    try:
        return httpx.get(f"{address}/live", trust_env=False, timeout=60).is_success
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_answered_outlives_the_process(
    database_url: str, redis_url: str, number: signal.Signals
) -> None:
    """F76: killed as soon as it has answered, the row is there, and due."""
    with (
        opened(database_url) as operator,
        bursar_web(database_url, redis_url) as (process, address),
    ):
        answer = httpx.post(
            f"{address}/webhooks/razorpayx",
            content=BODY,
            headers=razorpay_headers(BODY),
            trust_env=False,
            timeout=60,
        )
        process.send_signal(number)
        assert process.wait(180) in {0, -signal.SIGKILL}
        assert answer.status_code == 200
        assert rows(operator) == 1
