"""What the bank shows of many payouts at once: searches, statement lines, and its own counts."""

import sqlite3
from typing import Final

from starlette.datastructures import QueryParams

from workers.sandbox.bank import STATUS, Bank
from workers.sandbox.requests import COUNT_DEFAULT, COUNT_MAX, read_whole

SKIP_MAX: Final = 10**9
SECONDS_MAX: Final = 10**10
FILTERS: Final = ("reference_id", "fund_account_id", "mode", "status")
COLUMNS: Final = {
    "reference_id": "reference",
    "fund_account_id": "fund_account_id",
    "mode": "mode",
    "status": STATUS,
}


def search(bank: Bank, params: QueryParams) -> list[sqlite3.Row]:
    """Return a page of payouts, newest first; raises `RefusedError` for a senseless filter.

    `from` and `to` are unix seconds, both included. A search by reference does not see what is
    younger than the index lag.
    """
    now = bank.storage.now_ms()
    values: dict[str, str | int | None] = {"now": now, **_page(params)}
    clauses = ["mode <> 'transfer'", "created_ms >= :from_ms", "created_ms < :to_ms"]
    for name in FILTERS:
        if name in params:
            clauses.append(f"{COLUMNS[name]} = :{name}")
            values[name] = params[name]
    if "reference_id" in params:
        clauses.append("created_ms <= :seen_ms")
        values["seen_ms"] = now - round(bank.settings.index_lag_seconds * 1000)
    return bank.storage.rows(
        f"SELECT *, {STATUS} AS status FROM payouts WHERE {' AND '.join(clauses)}"  # noqa: S608  constants
        " ORDER BY created_ms DESC, number DESC LIMIT :count OFFSET :skip",
        **values,
    )


def statement(bank: Bank, params: QueryParams) -> list[sqlite3.Row]:
    """Return a page of statement lines that have happened, newest first, each with its payout, if it has one."""
    bank.balance()
    return bank.storage.rows(
        f"SELECT lines.number AS line, at_ms, change, balance, payouts.*, {STATUS} AS status"  # noqa: S608 - names of this module's own
        " FROM lines LEFT JOIN payouts ON payouts.number = lines.payout"
        " WHERE balance IS NOT NULL AND at_ms >= :from_ms AND at_ms < :to_ms"
        " ORDER BY at_ms DESC, lines.number DESC LIMIT :count OFFSET :skip",
        now=bank.storage.now_ms(),
        **_page(params),
    )


def _page(params: QueryParams) -> dict[str, int]:
    return {
        "from_ms": read_whole(params, "from", 0, SECONDS_MAX) * 1000,
        "to_ms": (read_whole(params, "to", SECONDS_MAX, SECONDS_MAX) + 1) * 1000,
        "count": read_whole(params, "count", COUNT_DEFAULT, COUNT_MAX),
        "skip": read_whole(params, "skip", 0, SKIP_MAX),
    }


def summary(bank: Bank) -> dict[str, object]:
    """Return what was really paid: counts and sums by status, and what any reference got."""
    by_status = bank.storage.rows(
        f"SELECT {STATUS} AS status, count(*) AS count, sum(amount) AS amount"  # noqa: S608  constants
        " FROM payouts GROUP BY 1",
        now=bank.storage.now_ms(),
    )
    references = bank.storage.one(
        "SELECT coalesce(max(times), 0) AS times_max, count(*) AS count,"
        " count(*) FILTER (WHERE times > 1) AS doubled"
        " FROM (SELECT count(*) AS times FROM payouts WHERE reference IS NOT NULL"
        " GROUP BY reference)"
    )
    keys = bank.storage.one(
        "SELECT count(*) AS count, coalesce(sum(sends), 0) AS sends,"
        " coalesce(max(sends), 0) AS sends_max,"
        " count(*) FILTER (WHERE sends > 1) AS replayed FROM keys"
    )
    facts = bank.storage.facts()
    return {
        "transfers": sum(row["count"] for row in by_status),
        "transfers_by_status": {row["status"]: row["count"] for row in by_status},
        "amount_minor": sum(row["amount"] for row in by_status),
        "amount_minor_by_status": {row["status"]: row["amount"] for row in by_status},
        "references": references["count"],
        "transfers_per_reference_max": references["times_max"],
        "references_with_more_than_one": references["doubled"],
        "keys": keys["count"],
        "sends": keys["sends"],
        "sends_per_key_max": keys["sends_max"],
        "keys_sent_again": keys["replayed"],
        "requests": facts.get("requests", 0),
        "rate_limited": facts.get("rate_limited", 0),
        "balance_minor": bank.balance(),
        "forgeries_believed": facts.get("forgeries_believed", 0),
        "faults": {
            name.removeprefix("fault:"): value
            for name, value in sorted(facts.items())
            if name.startswith("fault:")
        },
    }


def doubled(bank: Bank) -> list[str]:
    """Return up to 100 references that were paid more than once."""
    found = bank.storage.rows(
        "SELECT reference FROM payouts WHERE reference IS NOT NULL"
        " GROUP BY reference HAVING count(*) > 1 ORDER BY reference LIMIT 100"
    )
    return [row["reference"] for row in found]
