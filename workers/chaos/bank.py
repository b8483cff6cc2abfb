"""The storm's hand on the sandbox bank: its faults while it runs, its own book afterwards, and two canaries."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from workers.sandbox.bank import STATUS
from workers.servers import SandboxPlan

CALL_SECONDS_MAX: Final = 3.0
ACCOUNT: Final = "2323230000000001"
"""Not named as a sandbox's: the storm's processes see configured servers."""
EVERYTHING: Final = (
    "drop=0.02,error=0.02,truncate=0.01,garbage=0.01,slow=0.01,drip=0.005,hang=0.005,"
    "wrong_amount=0.003,wrong_reference=0.003,fail=0.01,reverse=0.01,error_before=0.01,"
    "sticky_error=0.003,reset=0.01,rate_limit=0.008,refuse=0.01,unprocessable=0.005,"
    "unauthorised=0.002,forbidden=0.002"
)
"""Every fault the bank knows at once: about one send in six meets one."""
EVENTS: Final = (
    "event_late=0.05,event_twice=0.05,event_reordered=0.05,event_forged=0.05,event_mute=0.05"
)
"""Every fault of its webhooks at once: one in four meets one."""
PAID, GIVEN_BACK = "processed", "reversed"
"""How a transfer ends well, and how it is undone."""
DOUBLE, LOST = "double-payment", "lost-payment"
CANARIES: Final = (DOUBLE, LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One line of the bank's book. Amount in paise."""

    reference: str
    key: str
    amount_minor: int
    status: str
    """`processing`, `processed`, `failed`, `reversed` …, as it is when the book is read."""
    sends: int
    """How often its key came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One webhook that the bank signed, by what it says (SHA-256, hex): how often told, how often answered 2xx."""

    digest: str
    sends: int
    heard: int


class Bank:
    """The bank of one home, asked at its own door and not through the link."""

    def __init__(self, plan: SandboxPlan, book: Path) -> None:
        self.plan, self._book = plan, book

    def set_faults(self, rates: str) -> bool:
        """Change what goes wrong from here on; False where the bank does not answer."""
        return self._post("faults", {"rates": rates})

    def order(self, fault: str, times: int, seconds: float | None = None) -> bool:
        """Let the next sends meet a fault."""
        return self._post("faults", {"fault": fault, "times": times, "seconds": seconds})

    def _post(self, door: str, body: Mapping[str, object]) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            reply = httpx.post(
                f"{self.plan.url.removesuffix('/v1')}/_sandbox/{door}",
                json=body,
                auth=(self.plan.key_id, self.plan.key_secret),
                timeout=CALL_SECONDS_MAX,
                trust_env=False,
            )
            return reply.is_success
        return False

    def transfers(self) -> list[Transfer]:
        """Return every transfer there ever was."""
        with self._read() as book:
            rows = book.execute(
                f"SELECT p.reference, p.key, p.amount, {STATUS} AS status, k.sends"  # noqa: S608  constants
                " FROM payouts p JOIN keys k ON k.key = p.key ORDER BY p.number",
                {"now": 2**62},
            ).fetchall()
        return [
            Transfer(reference=r[0] or "", key=r[1], amount_minor=r[2], status=r[3], sends=r[4])
            for r in rows
        ]

    def told(self) -> list[Telling]:
        """Return every webhook that was really the bank's."""
        with self._read() as book:
            rows = book.execute("SELECT digest, sends, heard FROM told ORDER BY digest").fetchall()
        return [Telling(digest=r[0], sends=r[1], heard=r[2]) for r in rows]

    def stuck_keys(self) -> set[str]:
        """Return the keys under which the bank answers with one and the same error for ever."""
        with self._read() as book:
            return {row[0] for row in book.execute("SELECT key FROM keys WHERE sticky = 1")}

    def facts(self) -> dict[str, int]:
        """Return what the bank counted: its requests, and its faults as `fault:<name>`."""
        with self._read() as book:
            facts = {str(n): int(v) for n, v in book.execute("SELECT name, value FROM facts")}
            again = book.execute("SELECT count(*) FROM keys WHERE sends > 1").fetchone()[0]
        return facts | {"keys_sent_again": int(again)}

    def plant(self, canary: str) -> str:
        """Do what must never happen, in the bank's own book; returns the reference concerned.

        A run that does not find it proves nothing.
        """
        with closing(sqlite3.connect(self._book, isolation_level=None)) as book:
            row = book.execute(
                "SELECT number, reference FROM payouts WHERE final_status = 'processed'"
                " AND reverse_ms IS NULL AND final_ms IS NOT NULL ORDER BY number DESC LIMIT 1"
            ).fetchone()
            if row is None:
                return ""
            number, reference = row
            if canary == DOUBLE:
                book.execute(
                    "INSERT INTO payouts SELECT (SELECT max(number) + 1 FROM payouts), id || 'x', key,"
                    " body_hash, reference, fund_account_id, amount, currency, mode, purpose, narration, notes,"
                    " created_ms, final_status, final_ms, reverse_ms, cancel_ms FROM payouts"
                    " WHERE number = ?",
                    (number,),
                )
            else:
                book.execute("DELETE FROM payouts WHERE number = ?", (number,))
            return str(reference)

    @contextlib.contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._book)) as book:
            yield book
