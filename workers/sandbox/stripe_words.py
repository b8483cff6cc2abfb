"""Transfers, pages and errors as Stripe writes them in JSON."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from starlette.responses import JSONResponse

from workers.sandbox.refusals import (
    IN_FLIGHT,
    NO_BALANCE,
    NO_SUCH_PAYOUT,
    OTHER_BODY,
    REFUSED,
    SERVER_ERROR,
    TOO_MANY,
    UNPROCESSABLE,
    Refusal,
)

INVALID: Final = "invalid_request_error"
REFUND_STATUSES: Final = {"pending": "pending", "processed": "succeeded", "failed": "failed"}
DISPUTE_STATUSES: Final = {
    "open": "needs_response",
    "won": "won",
    "lost": "lost",
    "closed": "warning_closed",
}

WORDS: Final[dict[str, tuple[int, str, str | None]]] = {
    refusal.description: words
    for refusal, words in {
        IN_FLIGHT: (409, "idempotency_error", "idempotency_key_in_use"),
        NO_BALANCE: (400, INVALID, "balance_insufficient"),
        NO_SUCH_PAYOUT: (404, INVALID, "resource_missing"),
        OTHER_BODY: (400, "idempotency_error", None),
        REFUSED: (400, INVALID, "account_invalid"),
        SERVER_ERROR: (500, "api_error", None),
        TOO_MANY: (429, INVALID, "rate_limit"),
        UNPROCESSABLE: (402, "card_error", "card_declined"),
    }.items()
}
"""Status, type and code of refusals that are more than a field that is wrong."""


def in_stripes_words(refusal: Refusal) -> JSONResponse:
    """Return `refusal` as Stripe answers it."""
    status, kind, code = WORDS.get(refusal.description, (refusal.status, INVALID, None))
    error: dict[str, object] = {"type": kind, "message": refusal.description}
    if code:
        error["code"] = code
    if refusal.field:
        error["param"] = refusal.field
    return JSONResponse({"error": error}, status, refusal.headers)


def transfer(row: sqlite3.Row, *, reversed_minor: int) -> dict[str, object]:
    """Return the transfer of a row, of which so much came back."""
    return {
        "id": row["id"],
        "object": "transfer",
        "amount": row["amount"],
        "amount_reversed": reversed_minor,
        "created": row["created_ms"] // 1000,
        "currency": row["currency"].lower(),
        "description": row["narration"],
        "destination": row["fund_account_id"],
        "destination_payment": f"py_{row['number']:014d}",
        "livemode": False,
        "metadata": json.loads(row["notes"]),
        "reversed": reversed_minor == row["amount"],
        "source_transaction": None,
        "source_type": "card",
        "transfer_group": row["reference"],
    }


def intent(row: sqlite3.Row, at_ms: int | None = None) -> dict[str, object]:
    """Return the PaymentIntent of an order's row, as it is, or as it was at a time."""
    is_paid = row["paid_ms"] is not None and (at_ms is None or row["paid_ms"] <= at_ms)
    status = "succeeded" if is_paid else "requires_payment_method"
    return {
        "id": row["id"],
        "object": "payment_intent",
        "amount": row["amount"],
        "amount_received": row["amount"] if is_paid else 0,
        "currency": row["currency"].lower(),
        "status": "canceled" if row["cancel_ms"] is not None else status,
        "metadata": {"reference": row["reference"]} if row["reference"] else {},
        "livemode": False,
        "created": row["created_ms"] // 1000,
    }


def refund(row: sqlite3.Row) -> dict[str, object]:
    """Return the refund of a row."""
    return {
        "id": row["id"],
        "object": "refund",
        "amount": row["amount"],
        "currency": row["currency"].lower(),
        "payment_intent": row["payment_id"],
        "status": REFUND_STATUSES[row["status"]],
        "metadata": {"reference": row["reference"]} if row["reference"] else {},
        "created": row["created_ms"] // 1000,
    }


def dispute(row: sqlite3.Row) -> dict[str, object]:
    """Return the dispute of a row."""
    return {
        "id": row["id"],
        "object": "dispute",
        "amount": row["amount"],
        "currency": row["currency"].lower(),
        "payment_intent": row["payment_id"],
        "status": DISPUTE_STATUSES[row["status"]],
        "reason": "fraudulent",
        "created": row["created_ms"] // 1000,
    }


def event(due: sqlite3.Row, name: str, told: dict[str, object]) -> dict[str, object]:
    """Return the event `name` that a row of `events` is, about an object as it was then."""
    return {
        "id": f"evt_{due['number']:014d}",
        "object": "event",
        "type": name,
        "created": due["at_ms"] // 1000,
        "data": {"object": told},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
    }


def page(
    items: Sequence[dict[str, object]], *, has_more: bool, url: str = "transfers"
) -> dict[str, object]:
    """Return a piece of a list."""
    return {"object": "list", "data": items, "has_more": has_more, "url": f"/v1/{url}"}
