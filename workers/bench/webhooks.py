"""How soon a real `bursar web` answers webhooks that come at a steady rate, whatever its answers take."""

import asyncio
import hashlib
import hmac
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import psutil

from db.bench import proof
from domain.errors import BrokenError
from domain.webhooks.providers import Provider
from workers.bench.load import cpu_seconds
from workers.bench.stand import Stand, opened
from workers.bench.wake import Latencies
from workers.free_ports import free_ports
from workers.procfile import BURSAR

SECRET: Final = "of the benchmark"  # noqa: S105  it guards nothing
START_SECONDS_MAX: Final = 60.0
ANSWER_SECONDS_MAX: Final = 30.0
WARM_UP: Final = 50
"""Webhooks before those that are timed: the first open connections and prepare statements."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """From when a webhook was to be sent to its answer, its event and work committed."""

    latencies: Latencies
    per_second: float
    cpu_seconds: float
    """Of the web process."""


def answers(stand: Stand, *, rate: float, count: int) -> Answered:
    """Send `count` events of their own, `rate` a second, and prove that each was kept once.

    Raises `BrokenError` where one was not.
    """
    with stand.database() as url, _web(stand, url) as (process, address):
        asyncio.run(_send(address, rate, range(WARM_UP)))
        used, began = cpu_seconds([process]), time.monotonic()
        taken = asyncio.run(_send(address, rate, range(WARM_UP, WARM_UP + count)))
        seconds = time.monotonic() - began
        used = cpu_seconds([process]) - used
        with opened(url) as database, database.begin() as tx:
            kept = proof.events_waiting(tx)
    if kept != WARM_UP + count:
        raise BrokenError(f"{kept} of {WARM_UP + count} events are kept and due")
    return Answered(
        latencies=Latencies.of(taken), per_second=round(count / seconds, 1), cpu_seconds=used
    )


async def _send(address: str, rate: float, numbers: range) -> list[float]:
    """Send at the times of the rate, not when the one before is answered: milliseconds from then."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with httpx.AsyncClient(
        base_url=address, limits=limits, timeout=ANSWER_SECONDS_MAX, trust_env=False
    ) as client:
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), []
        for place, number in enumerate(numbers):
            at = began + place / rate
            await asyncio.sleep(max(0.0, at - loop.time()))
            sent.append(asyncio.create_task(_one(client, number, at)))
        return list(await asyncio.gather(*sent))


async def _one(client: httpx.AsyncClient, number: int, at: float) -> float:
    body = _body(number)
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Razorpay-Signature": signed}
    answer = await client.post(f"/webhooks/{Provider.RAZORPAYX}", content=body, headers=headers)
    if not answer.is_success:
        raise BrokenError(f"a webhook was answered {answer.status_code}")
    return (asyncio.get_running_loop().time() - at) * 1000


def _body(number: int) -> bytes:
    """An event of about the size RazorpayX sends."""
    entity = {
        "id": f"pout_{number:014d}",
        "status": "processed",
        "amount": 125_050,
        "notes": {"note": "x" * 600},
    }
    return json.dumps(
        {"event": "payout.processed", "payload": {"payout": {"entity": entity}}}
    ).encode()


@contextmanager
def _web(stand: Stand, url: str) -> Iterator[tuple[psutil.Process, str]]:
    [port] = free_ports(1)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BURSAR_")}
    environment |= {
        "BURSAR_DATABASE_URL": url,
        "BURSAR_BROKER_URL": stand.share.broker_url,
        "BURSAR_RAZORPAYX_WEBHOOK_SECRETS": SECRET,
        "BURSAR_LOG_LEVEL": "warning",
    }
    with subprocess.Popen([*BURSAR, "web", "--port", str(port)], env=environment) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address)
            yield psutil.Process(process.pid), address
        finally:
            process.terminate()


def _wait_for(address: str) -> None:
    limit = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < limit:
        try:
            if httpx.get(f"{address}/ready", trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise BrokenError("`bursar web` did not start")
