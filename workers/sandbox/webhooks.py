"""Events told to whoever listens: signed, at least once, tried again for a day."""

import asyncio
import hashlib
import sqlite3
from dataclasses import dataclass
from typing import Final

import httpx
import structlog

from workers.sandbox.faults import Fault
from workers.sandbox.messages import Message, write
from workers.sandbox.mishaps import FORGERS_SECRET, PUTS_OFF, mishap, put_off
from workers.sandbox.service import Service
from workers.sandbox.settings import SandboxSettings
from workers.sandbox.storage import Storage

LOOK_SECONDS: Final = 0.1
SET_MAX: Final = 16
"""Told side by side: fewer than the connections that a client keeps, so none is made anew."""
TIMEOUT_SECONDS: Final = 5.0
"""The time a listener has to answer 2xx (RazorpayX, webhooks)."""
GIVE_UP_MS: Final = 24 * 3_600_000
FIRST_WAIT_MS: Final = 1000

log = structlog.get_logger()


async def tell_for_ever(service: Service) -> None:
    """Send what is due, until cancelled."""
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        while True:
            if not await tell_due(service, client):
                await asyncio.sleep(LOOK_SECONDS)


async def tell_due(service: Service, client: httpx.AsyncClient) -> int:
    """Tell a set of due events, side by side; return how many there were.

    What is told for the first time goes first: a listener that was away hears what is new, then what it missed.
    The till's events wait for none of the payouts': elsewhere they are two providers'.
    """
    storage = service.bank.storage
    due = storage.rows(
        'SELECT number, payout, "order", refund, dispute, event, at_ms, attempts FROM events'
        " WHERE due_ms <= :now ORDER BY attempts > 0, payout IS NOT NULL, due_ms LIMIT :count",
        now=storage.now_ms(),
        count=SET_MAX,
    )
    told = await asyncio.gather(*(_meet_and_tell(service, client, row) for row in due))
    for row, was_told in zip(due, told, strict=True):
        if was_told or row["at_ms"] + GIVE_UP_MS < storage.now_ms():
            storage.run("DELETE FROM events WHERE number = :number", number=row["number"])
        elif was_told is False:
            wait_ms = FIRST_WAIT_MS * 2 ** min(row["attempts"], 12)
            put_off(storage, row["number"], storage.now_ms() + wait_ms)
    return len(due)


async def _meet_and_tell(
    service: Service, client: httpx.AsyncClient, due: sqlite3.Row
) -> bool | None:
    """Tell an event as its fault says: True when that is done, None when it was dated anew."""
    message = write(service.bank, due)
    fault = mishap(service, due, message.reference)
    if fault is Fault.EVENT_MUTE:
        return True
    if fault in PUTS_OFF:
        return None
    tell = _Telling(service.bank.settings, client, due, message)
    forged = message.forged
    if fault is Fault.EVENT_FORGED and await tell(forged, secret=FORGERS_SECRET):
        service.bank.storage.add("forgeries_believed")
    if fault is Fault.EVENT_TWICE:
        await _tell_and_note(service.bank.storage, tell)
    return await _tell_and_note(service.bank.storage, tell)


async def _tell_and_note(storage: Storage, tell: "_Telling") -> bool:
    """Tell the event itself; the book knows every body that was told, and how often it was taken."""
    body = tell.message.body
    digest = hashlib.sha256(body).hexdigest()
    storage.run(
        "INSERT INTO told (digest, sends) VALUES (:digest, 1)"
        " ON CONFLICT (digest) DO UPDATE SET sends = sends + 1",
        digest=digest,
    )
    was_taken = await tell(body)
    if was_taken:
        storage.run("UPDATE told SET heard = heard + 1 WHERE digest = :digest", digest=digest)
    return was_taken


@dataclass(frozen=True, slots=True)
class _Telling:
    """POSTs bodies of one event; calling it says whether the listener took this one."""

    settings: SandboxSettings
    client: httpx.AsyncClient
    due: sqlite3.Row
    message: Message

    async def __call__(self, body: bytes, secret: str | None = None) -> bool:
        signed = self.message.sign(body, secret or self.settings.webhook_secret)
        headers = {"Content-Type": "application/json", **signed}
        try:
            response = await self.client.post(self.message.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            reason = type(error).__name__
            log.warning("sandbox.webhook_failed", event_name=self.due["event"], reason=reason)
            return False
        return response.is_success
