"""Events told to whoever listens: signed, at least once, tried again for a day."""

import asyncio
import hashlib
import hmac
import json
import sqlite3
from typing import Final

import httpx
import structlog

from workers.sandbox import entities
from workers.sandbox.bank import STATUS, Bank

LOOK_SECONDS: Final = 0.1
SET_MAX: Final = 50
TIMEOUT_SECONDS: Final = 5.0
"""The time a listener has to answer 2xx (RazorpayX, webhooks)."""
GIVE_UP_MS: Final = 24 * 3_600_000
FIRST_WAIT_MS: Final = 1000

log = structlog.get_logger()


def signature(body: bytes, secret: str) -> str:
    """Return `X-Razorpay-Signature`: hex HMAC-SHA256 of the raw body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def tell_for_ever(bank: Bank) -> None:
    """Send what is due, until cancelled."""
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        while True:
            if not await tell_due(bank, client):
                await asyncio.sleep(LOOK_SECONDS)


async def tell_due(bank: Bank, client: httpx.AsyncClient) -> int:
    """Send a set of due events, side by side; return how many there were."""
    due = bank.storage.rows(
        "SELECT number, payout, event, at_ms, attempts FROM events"
        " WHERE due_ms <= :now ORDER BY due_ms LIMIT :count",
        now=bank.storage.now_ms(),
        count=SET_MAX,
    )
    told = await asyncio.gather(*(_tell(bank, client, row) for row in due))
    for row, was_told in zip(due, told, strict=True):
        if was_told or row["at_ms"] + GIVE_UP_MS < bank.storage.now_ms():
            bank.storage.run("DELETE FROM events WHERE number = :number", number=row["number"])
        else:
            bank.storage.run(
                "UPDATE events SET attempts = attempts + 1, due_ms = :due WHERE number = :number",
                due=bank.storage.now_ms() + FIRST_WAIT_MS * 2 ** min(row["attempts"], 12),
                number=row["number"],
            )
    return len(due)


async def _tell(bank: Bank, client: httpx.AsyncClient, due: sqlite3.Row) -> bool:
    row = bank.storage.one(
        f"SELECT *, {STATUS} AS status FROM payouts WHERE number = :number",  # noqa: S608  constants
        number=due["payout"],
        now=due["at_ms"],
    )
    body = json.dumps(entities.event(due["event"], row, due["at_ms"] // 1000)).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Razorpay-Signature": signature(body, bank.settings.webhook_secret),
        "x-razorpay-event-id": f"evt_{due['number']:014d}",
    }
    try:
        response = await client.post(bank.settings.webhook_url, content=body, headers=headers)
    except httpx.HTTPError as error:
        log.warning("sandbox.webhook_failed", event_name=due["event"], reason=type(error).__name__)
        return False
    return response.is_success
