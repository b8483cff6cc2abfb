"""GET /balance_transactions: what moved on the bank's account, as Stripe lists it."""

import sqlite3
from typing import Final

from starlette.datastructures import QueryParams

from workers.sandbox.bank import Bank
from workers.sandbox.refusals import NO_SUCH_PAYOUT, RefusedError
from workers.sandbox.requests import COUNT_DEFAULT, COUNT_MAX, read_whole
from workers.sandbox.stripe_words import transfer
from workers.sandbox.transfer_lists import SECONDS_MAX

SOURCE: Final = "data.source"
LINES: Final = (
    "SELECT lines.number AS line, at_ms, change, payouts.*, 0 AS reversed_minor"
    " FROM lines LEFT JOIN payouts ON payouts.number = lines.payout"
    " WHERE balance IS NOT NULL AND coalesce(mode, 'transfer') = 'transfer'"
)
"""Of transfers, and what was put in; what payouts moved is told to those who ask for payouts."""


def page(bank: Bank, params: QueryParams) -> tuple[list[dict[str, object]], bool]:
    """Return a piece of the list, newest first, and whether there is more."""
    bank.balance()
    count = read_whole(params, "limit", COUNT_DEFAULT, COUNT_MAX)
    values: dict[str, str | int | None] = {
        "from_ms": read_whole(params, "created[gte]", 0, SECONDS_MAX) * 1000,
        "to_ms": read_whole(params, "created[lt]", SECONDS_MAX, SECONDS_MAX) * 1000,
        "count": count + 1,
    }
    sql = f"{LINES} AND at_ms >= :from_ms AND at_ms < :to_ms"
    if "starting_after" in params:
        after = _named(bank, params["starting_after"])
        sql += " AND (at_ms, lines.number) < (:after_ms, :after)"
        values |= {"after_ms": after["at_ms"], "after": after["number"]}
    rows = bank.storage.rows(f"{sql} ORDER BY at_ms DESC, lines.number DESC LIMIT :count", **values)
    expands = SOURCE in [value for name, value in params.multi_items() if name[:6] == "expand"]
    return [_entity(row, expands=expands) for row in rows[:count]], len(rows) > count


def _named(bank: Bank, line: str) -> sqlite3.Row:
    number = line.removeprefix("txn_")
    row = bank.storage.row(
        "SELECT number, at_ms FROM lines WHERE number = :number",
        number=int(number) if number.isascii() and number.isdigit() else 0,
    )
    if row is None:
        raise RefusedError(NO_SUCH_PAYOUT)
    return row


def _entity(row: sqlite3.Row, *, expands: bool) -> dict[str, object]:
    kind, source = _source(row)
    return {
        "id": f"txn_{row['line']:014d}",
        "object": "balance_transaction",
        "amount": row["change"],
        "available_on": row["at_ms"] // 1000,
        "balance_type": "payments",
        "created": row["at_ms"] // 1000,
        "currency": (row["currency"] or "INR").lower(),
        "description": row["narration"],
        "fee": 0,
        "fee_details": [],
        "net": row["change"],
        "reporting_category": kind,
        "source": source if expands else source["id"],
        "status": "available",
        "type": kind,
    }


def _source(row: sqlite3.Row) -> tuple[str, dict[str, object]]:
    """What a line comes from, and the word for it."""
    if row["id"] is None:
        return "topup", {"id": f"tu_{row['line']:014d}", "object": "topup"}
    if row["change"] < 0:
        return "transfer", transfer(row, reversed_minor=row["reversed_minor"])
    back = {
        "id": f"trr_{row['line']:014d}",
        "object": "transfer_reversal",
        "amount": row["change"],
        "transfer": row["id"],
    }
    return "transfer_refund", back
