"""Payouts, statement lines and events as RazorpayX writes them in JSON."""

import json
import sqlite3
from collections.abc import Sequence

FAILED = {"failed": "beneficiary_bank_rejected", "reversed": "beneficiary_bank_failure"}


def payout(row: sqlite3.Row) -> dict[str, object]:
    """Return the payout entity of a row that has a `status`."""
    status, reason = row["status"], FAILED.get(row["status"])
    return {
        "id": row["id"],
        "entity": "payout",
        "fund_account_id": row["fund_account_id"],
        "amount": row["amount"],
        "currency": "INR",
        "notes": json.loads(row["notes"]),
        "fees": 0,
        "tax": 0,
        "status": status,
        "utr": f"{row['number']:012d}" if status in {"processed", "reversed"} else None,
        "mode": row["mode"],
        "purpose": row["purpose"],
        "reference_id": row["reference"],
        "narration": row["narration"],
        "batch_id": None,
        "status_details": {
            "description": "The payout did not reach the beneficiary." if reason else None,
            "source": "beneficiary_bank" if reason else None,
            "reason": reason,
        },
        "created_at": row["created_ms"] // 1000,
        "fee_type": None,
    }


def line(row: sqlite3.Row, account_number: str) -> dict[str, object]:
    """Return the statement line of a row that has a line and, unless it is a deposit, its payout."""
    change = row["change"]
    of_payout = payout if change < 0 else reversal
    return {
        "id": f"txn_{row['line']:014d}",
        "entity": "transaction",
        "account_number": account_number,
        "amount": abs(change),
        "currency": "INR",
        "credit": max(change, 0),
        "debit": max(-change, 0),
        "balance": row["balance"],
        "source": bank_transfer(row) if row["id"] is None else of_payout(row),
        "created_at": row["at_ms"] // 1000,
    }


def reversal(row: sqlite3.Row) -> dict[str, object]:
    """Return the reversal entity that a credit's line has as its source."""
    return {
        "id": f"rvrsl_{row['line']:014d}",
        "entity": "reversal",
        "payout_id": row["id"],
        "amount": row["change"],
        "currency": "INR",
        "utr": f"{row['number']:012d}",
        "created_at": row["at_ms"] // 1000,
    }


def bank_transfer(row: sqlite3.Row) -> dict[str, object]:
    """Return the entity that a deposit's line has as its source."""
    return {
        "id": f"bt_{row['line']:014d}",
        "entity": "bank_transfer",
        "amount": abs(row["change"]),
        "currency": "INR",
    }


def event(name: str, row: sqlite3.Row, at_seconds: int) -> dict[str, object]:
    """Return the webhook body that tells `name` of a payout."""
    return {
        "entity": "event",
        "account_id": "acc_sandbox",
        "event": name,
        "contains": ["payout"],
        "payload": {"payout": {"entity": payout(row)}},
        "created_at": at_seconds,
    }


def collection(items: Sequence[dict[str, object]]) -> dict[str, object]:
    """Return a page of entities."""
    return {"entity": "collection", "count": len(items), "items": items}
