"""Orders, their payments and refunds as Razorpay writes them in JSON."""

import sqlite3


def order(row: sqlite3.Row) -> dict[str, object]:
    """Return the order entity of a row."""
    paid = row["amount"] if row["paid_ms"] is not None else 0
    return {
        "id": row["id"],
        "entity": "order",
        "amount": row["amount"],
        "amount_paid": paid,
        "amount_due": row["amount"] - paid,
        "currency": row["currency"],
        "receipt": row["reference"],
        "status": "paid" if paid else "created",
        "attempts": 1 if paid else 0,
        "notes": {"reference": row["reference"]},
        "created_at": row["created_ms"] // 1000,
    }


def payment(row: sqlite3.Row) -> dict[str, object]:
    """Return the payment entity of a row."""
    return {
        "id": row["payment_id"],
        "entity": "payment",
        "amount": row["amount"],
        "currency": row["currency"],
        "status": "captured",
        "order_id": row["id"],
        "captured": True,
        "created_at": row["paid_ms"] // 1000,
    }


def refund(row: sqlite3.Row) -> dict[str, object]:
    """Return the refund entity of a row."""
    return {
        "id": row["id"],
        "entity": "refund",
        "amount": row["amount"],
        "currency": row["currency"],
        "payment_id": row["payment_id"],
        "notes": {"reference": row["reference"]} if row["reference"] else [],
        "receipt": row["reference"],
        "status": row["status"],
        "speed_requested": "normal",
        "created_at": row["created_ms"] // 1000,
    }


def refused(row: sqlite3.Row, attempt: int) -> dict[str, object]:
    """Return the payment entity of a try to pay an order that its bank refused."""
    return {
        "id": f"pay_refused{attempt:07d}",
        "entity": "payment",
        "amount": row["amount"],
        "currency": row["currency"],
        "status": "failed",
        "order_id": row["id"],
        "captured": False,
        "error_code": "BAD_REQUEST_ERROR",
        "created_at": row["created_ms"] // 1000,
    }


def dispute(row: sqlite3.Row) -> dict[str, object]:
    """Return the dispute entity of a row."""
    return {
        "id": row["id"],
        "entity": "dispute",
        "payment_id": row["payment_id"],
        "amount": row["amount"],
        "currency": row["currency"],
        "phase": "chargeback",
        "status": row["status"],
        "created_at": row["created_ms"] // 1000,
    }


def event(name: str, at_seconds: int, **entities: dict[str, object]) -> dict[str, object]:
    """Return the webhook body that tells `name` of entities."""
    return {
        "entity": "event",
        "account_id": "acc_sandbox",
        "event": name,
        "contains": list(entities),
        "payload": {kind: {"entity": entity} for kind, entity in entities.items()},
        "created_at": at_seconds,
    }
