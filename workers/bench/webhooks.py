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
CONNECTIONS: Final = 64
"""Kept open by the sender, as a provider's proxies do."""
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
    with stand.database() as url, _web(stand, url) as (process, port):
        asyncio.run(_send(port, rate, range(WARM_UP)))
        used, began = cpu_seconds([process]), time.monotonic()
        taken = asyncio.run(_send(port, rate, range(WARM_UP, WARM_UP + count)))
        seconds = time.monotonic() - began
        used = cpu_seconds([process]) - used
        with opened(url) as database, database.begin() as tx:
            kept = proof.events_waiting(tx)
    if kept != WARM_UP + count:
        raise BrokenError(f"{kept} of {WARM_UP + count} events are kept and due")
    return Answered(
        latencies=Latencies.of(taken), per_second=round(count / seconds, 1), cpu_seconds=used
    )


async def _send(port: int, rate: float, numbers: range) -> list[float]:
    """Send at the times of the rate, not when the one before is answered: milliseconds from then."""
    loop = asyncio.get_running_loop()
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    requests = [_request(number) for number in numbers]
    lines = [asyncio.create_task(_line(port, due)) for _ in range(CONNECTIONS)]
    began = loop.time()
    for place, request in enumerate(requests):
        at = began + place / rate
        await asyncio.sleep(max(0.0, at - loop.time()))
        due.put_nowait((at, request))
    for _ in lines:
        due.put_nowait(None)
    return [taken for line in lines for taken in await line]


async def _line(port: int, due: asyncio.Queue[tuple[float, bytes] | None]) -> list[float]:
    """Send what is due over one connection, one after another; no client's own work is timed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    while one := await due.get():
        at, request = one
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise BrokenError(f"a webhook was answered {head[:20]!r}")
        await reader.readexactly(_length(head))
        taken.append((asyncio.get_running_loop().time() - at) * 1000)
    writer.close()
    return taken


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length: ")
    return int(rest.partition(b"\r\n")[0])


def _request(number: int) -> bytes:
    body = _body(number)
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST /webhooks/{Provider.RAZORPAYX} HTTP/1.1\r\nHost: bench\r\n"
        f"Content-Length: {len(body)}\r\nX-Razorpay-Signature: {signed}\r\n\r\n"
    )
    return head.encode() + body


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
def _web(stand: Stand, url: str) -> Iterator[tuple[psutil.Process, int]]:
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
            _wait_for(f"http://127.0.0.1:{port}")
            yield psutil.Process(process.pid), port
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
