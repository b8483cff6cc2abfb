"""Lines of a statement held against the books per second: read from a file, taken over, matched, looked through."""

import csv
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from db.bench import ended
from db.statements.account import Account
from domain import razorpayx
from domain.errors import BrokenError
from domain.money import format_major
from domain.statement_lines import FIELDS, STATEMENT_RECORDS
from domain.statements import in_order
from jobs.payouts.reconcile_statement import Statement, reconcile_statement
from workers.bench.bank import ACCOUNT
from workers.bench.stand import LONG_SECONDS, Stand, opened, seed
from workers.files import read_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.tx import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """How long one statement took: to be read, to be held against the books, and again when all was known."""

    read_seconds: float
    hold_seconds: float
    again_seconds: float


def state(stand: Stand, items: int) -> Stated:
    """Hold a statement of `items` lines against as many payouts. Raises `BrokenError` where one is not matched."""
    with stand.database() as url, tempfile.TemporaryDirectory() as folder:
        seed(url, items)
        with opened(url, role=None) as database, database.begin(LONG_SECONDS) as tx:
            paid = ended.end(tx, razorpayx.PROVIDER, ACCOUNT)
        path = _written(Path(folder) / "statement.csv", paid)
        with opened(url) as database:
            database.warm_up()
            began = time.monotonic()
            lines = in_order(read_file(path, STATEMENT_RECORDS).whole().lines)
            read = time.monotonic()
            statement = Statement(
                whose=Account(provider=razorpayx.PROVIDER, account=ACCOUNT),
                lines=lines,
                start=lines[0].occurred_at,
                end=lines[-1].occurred_at + timedelta(hours=1),
                place=str,
            )
            result = reconcile_statement(database, statement, grace=timedelta(0))
            held = time.monotonic()
            reconcile_statement(database, statement, grace=timedelta(0))
            again = time.monotonic()
    matched = [row["lines"] for row in result.summary if row["state"] == "matched"]
    if matched != [items] or result.missing or result.gaps:
        raise BrokenError(
            f"of {items} lines {matched} are matched: {result.missing}, {result.gaps} gaps"
        )
    return Stated(read_seconds=read - began, hold_seconds=held - read, again_seconds=again - held)


def _written(path: Path, paid: "Sequence[Row]") -> Path:
    balance = 10**16
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(FIELDS)
        for number, row in enumerate(paid):
            balance -= row.amount
            amount, left = (format_major(minor, row.currency) for minor in (row.amount, balance))
            writer.writerow(
                [
                    *(
                        f"txn_{number:014d}",
                        ACCOUNT,
                        row.accepted_at.isoformat(),
                        "debit",
                        amount,
                        "",
                    ),
                    *(row.currency, left, f"{number:012d}", "payout", row.provider_id),
                ]
            )
    return path
