"""What an event says and how it is signed: as RazorpayX tells of payouts, Stripe of transfers, and both of the till."""

import hashlib
import hmac
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workers.sandbox import entities, stripe_words, till_messages
from workers.sandbox.bank import STATUS, Bank
from workers.sandbox.stripe_requests import TRANSFER
from workers.sandbox.transfer_lists import TRANSFERS

Sign = Callable[[bytes, str], Mapping[str, str]]
"""Makes the headers of a body that is signed with a secret, now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One event on its way: where to, what it says, and what a forger would make of it."""

    url: str
    reference: str | None
    body: bytes
    forged: bytes
    """The payout was given back; of the till, the same of something else."""
    sign: Sign


def write(bank: Bank, due: sqlite3.Row) -> Message:
    """Return the event of a row of `events`: it shows what it is about as it was when the event happened."""
    if due["payout"] is None:
        return _of_till(bank, due)
    row = bank.storage.one(
        f"SELECT *, {STATUS} AS status FROM payouts WHERE number = :number",  # noqa: S608  constants
        number=due["payout"],
        now=due["at_ms"],
    )
    return _transfer(bank, due) if row["mode"] == TRANSFER else _payout(bank, due, row)


def _payout(bank: Bank, due: sqlite3.Row, row: sqlite3.Row) -> Message:
    name, at = due["event"], due["at_ms"] // 1000
    forged = entities.event("payout.reversed", row, at)
    payload = json.loads(json.dumps(forged))
    payload["payload"]["payout"]["entity"]["status"] = "reversed"
    return Message(
        url=bank.settings.webhook_url,
        reference=row["reference"],
        body=json.dumps(entities.event(name, row, at)).encode(),
        forged=json.dumps(payload).encode(),
        sign=_razorpay_headers(due),
    )


def _transfer(bank: Bank, due: sqlite3.Row) -> Message:
    row = bank.storage.one(
        f"{TRANSFERS} AND number = :number", number=due["payout"], now=due["at_ms"]
    )
    told = stripe_words.transfer(row, reversed_minor=row["reversed_minor"])
    back = stripe_words.transfer(row, reversed_minor=row["amount"])
    return Message(
        url=bank.settings.stripe_webhook_url,
        reference=row["reference"],
        body=json.dumps(stripe_words.event(due, due["event"], told)).encode(),
        forged=json.dumps(stripe_words.event(due, "transfer.reversed", back)).encode(),
        sign=_stripe_headers,
    )


def _of_till(bank: Bank, due: sqlite3.Row) -> Message:
    settings, storage = bank.settings, bank.storage
    told, forged = till_messages.told(storage, due)
    is_razorpays = till_messages.is_razorpays(storage, due)
    return Message(
        url=settings.razorpay_webhook_url if is_razorpays else settings.stripe_webhook_url,
        reference=till_messages.reference(storage, due),
        body=json.dumps(told).encode(),
        forged=json.dumps(forged).encode(),
        sign=_razorpay_headers(due) if is_razorpays else _stripe_headers,
    )


def _razorpay_headers(due: sqlite3.Row) -> Sign:
    return lambda body, secret: {
        "X-Razorpay-Signature": _hmac(body, secret),
        "x-razorpay-event-id": f"evt_{due['number']:014d}",
    }


def _stripe_headers(body: bytes, secret: str) -> Mapping[str, str]:
    """Signed anew at each telling, by the time of this machine: an old signature is refused."""
    at = str(int(time.time()))
    return {"Stripe-Signature": f"t={at},v1={_hmac(at.encode() + b'.' + body, secret)}"}


def _hmac(text: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
