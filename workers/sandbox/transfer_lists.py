"""What Stripe's side of the bank shows of its transfers: by cursor, newest first, each with what came back."""

import sqlite3
from typing import Final

from starlette.datastructures import QueryParams

from workers.sandbox.bank import Bank
from workers.sandbox.refusals import NO_SUCH_PAYOUT, RefusedError
from workers.sandbox.requests import COUNT_DEFAULT, COUNT_MAX, read_whole
from workers.sandbox.stripe_requests import read_amount, wrong

SECONDS_MAX: Final = 10**10
TRANSFERS: Final = (
    "SELECT *, (SELECT coalesce(sum(change), 0) FROM lines"
    " WHERE payout = payouts.number AND change > 0 AND at_ms <= :now) AS reversed_minor"
    " FROM payouts WHERE mode = 'transfer'"
)


def search(bank: Bank, params: QueryParams) -> tuple[list[sqlite3.Row], bool]:
    """Return a page, and whether there is more; a group does not show what is younger than the lag."""
    now, count = bank.storage.now_ms(), read_whole(params, "limit", COUNT_DEFAULT, COUNT_MAX)
    values: dict[str, str | int | None] = {
        "now": now,
        "from_ms": read_whole(params, "created[gte]", 0, SECONDS_MAX) * 1000,
        "to_ms": (read_whole(params, "created[lte]", SECONDS_MAX, SECONDS_MAX) + 1) * 1000,
        "count": count + 1,
    }
    sql = f"{TRANSFERS} AND created_ms >= :from_ms AND created_ms < :to_ms"
    if "transfer_group" in params:
        sql += " AND reference = :group AND created_ms <= :seen_ms"
        values["group"] = params["transfer_group"]
        values["seen_ms"] = now - round(bank.settings.index_lag_seconds * 1000)
    if "starting_after" in params:
        sql += " AND (created_ms, number) < (:after_ms, :after)"
        after = one(bank, params["starting_after"])
        values |= {"after_ms": after["created_ms"], "after": after["number"]}
    rows = bank.storage.rows(f"{sql} ORDER BY created_ms DESC, number DESC LIMIT :count", **values)
    return rows[:count], len(rows) > count


def one(bank: Bank, transfer_id: str) -> sqlite3.Row:
    """Return a transfer as it is now; raises `RefusedError` for an id the bank never gave."""
    row = bank.storage.row(f"{TRANSFERS} AND id = :id", id=transfer_id, now=bank.storage.now_ms())
    if row is None:
        raise RefusedError(NO_SUCH_PAYOUT)
    return row


def reverse(bank: Bank, transfer_id: str, asked: dict[str, str]) -> sqlite3.Row:
    """Take back what `asked` says, or all that is left; returns the transfer as it is then."""
    row = one(bank, transfer_id)
    left = row["amount"] - row["reversed_minor"]
    amount = read_amount(asked) if "amount" in asked else left
    if not 0 < amount <= left:
        raise wrong("amount", f"At most {left} can be reversed.")
    bank.take_back(row["number"], amount, whole=amount == left)
    return one(bank, transfer_id)
