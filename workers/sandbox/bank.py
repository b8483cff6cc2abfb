"""The bank itself: it accepts payouts once per key, and moves its account's balance."""

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import Final

from workers.sandbox.faults import Fault
from workers.sandbox.refusals import (
    NO_BALANCE,
    NO_SUCH_PAYOUT,
    NOT_QUEUED,
    OTHER_BODY,
    SERVER_ERROR,
    Refusal,
    RefusedError,
)
from workers.sandbox.requests import Ask
from workers.sandbox.settings import SandboxSettings
from workers.sandbox.storage import Storage

STATUS: Final = """CASE
    WHEN cancel_ms IS NOT NULL THEN 'cancelled'
    WHEN reverse_ms <= :now THEN 'reversed'
    WHEN final_ms <= :now THEN final_status
    WHEN final_ms IS NULL THEN 'queued'
    ELSE 'processing' END"""
"""A status is no column but a function of time: nothing has to run for it to change."""


ENDS: Final[dict[Fault | None, str]] = {Fault.FAIL: "failed", Fault.REVERSE: "reversing"}
"""How a payout ends where it is not `processed`; `reversing` until the times are known."""


TRANSFER_EVENTS: Final = {
    "payout.initiated": "transfer.created",
    "payout.reversed": "transfer.reversed",
}
"""What Stripe calls what it tells of a transfer; it has none that fails, and tells of a part that came back, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One arrival of a key: its number, from 1, and the error that sticks to it, if one does."""

    number: int
    stuck: Refusal | None


STICK: Final = {SERVER_ERROR: 1, NO_BALANCE: 2}
"""Errors that a key may keep, and how they are written down."""
STUCK: Final = {number: refusal for refusal, number in STICK.items()}


class Bank:
    """One account and its payouts, and one balance: minor units, whatever a transfer's currency."""

    def __init__(self, settings: SandboxSettings, storage: Storage) -> None:
        self.settings = settings
        self.storage = storage

    def note_send(self, key: str) -> Send:
        """Count one arrival of `key`."""
        row = self.storage.one(
            "INSERT INTO keys (key, sends) VALUES (:key, 1)"
            " ON CONFLICT (key) DO UPDATE SET sends = sends + 1 RETURNING sends, sticky",
            key=key,
        )
        return Send(number=row["sends"], stuck=STUCK.get(row["sticky"]))

    def stick(self, key: str, refusal: Refusal) -> None:
        """Let every further send under `key` end in the same error."""
        self.storage.run(
            "UPDATE keys SET sticky = :sticky WHERE key = :key", key=key, sticky=STICK[refusal]
        )

    def pay(self, key: str, body: bytes, ask: Ask, fault: Fault | None) -> sqlite3.Row:
        """Accept a payout, or return the one that `key` already made, as it is now.

        Raises `RefusedError` for another body under the key, or no balance and no wish to queue.
        """
        body_hash = hashlib.sha256(body).hexdigest()
        with self.storage.transaction():
            number = self._known(key, body_hash, ask.key_seconds_max)
            if number is None:
                self._settle_lines()
                number = self._insert(key, body_hash, ask, fault)
        return self.by_number(number)

    def _known(self, key: str, body_hash: str, seconds_max: float) -> int | None:
        row = self.storage.row(
            "SELECT number, body_hash, created_ms FROM payouts WHERE key = :key"
            " ORDER BY number DESC LIMIT 1",
            key=key,
        )
        window_ms = round(min(self.settings.key_window_seconds, seconds_max) * 1000)
        if row is None or row["created_ms"] + window_ms <= self.storage.now_ms():
            return None
        if row["body_hash"] != body_hash:
            raise RefusedError(OTHER_BODY)
        return int(row["number"])

    def _insert(self, key: str, body_hash: str, ask: Ask, fault: Fault | None) -> int:
        now, enough = self.storage.now_ms(), self.storage.fact("balance") >= ask.amount
        if not (enough or ask.may_queue):
            raise RefusedError(NO_BALANCE)
        made = self.storage.fact("payouts") + 1
        self.storage.add("payouts")
        self.storage.run(
            "INSERT INTO payouts (number, id, key, body_hash, reference, fund_account_id, amount,"
            " currency, mode, purpose, narration, notes, created_ms, final_status)"
            " VALUES (:number, :id, :key, :body_hash, :reference, :fund_account_id, :amount,"
            " :currency, :mode, :purpose, :narration, :notes, :now, :final_status)",
            number=made,
            id=ask.id_prefix
            + hashlib.sha256(f"{self.settings.seed}:{made}".encode()).hexdigest()[:14],
            key=key,
            body_hash=body_hash,
            reference=ask.reference,
            fund_account_id=ask.fund_account_id,
            amount=ask.amount,
            currency=ask.currency,
            mode=ask.mode,
            purpose=ask.purpose,
            narration=ask.narration,
            notes=ask.notes,
            now=now,
            final_status=ENDS.get(fault, "processed"),
        )
        if enough:
            self._start(made)
        else:
            self._tell(made, "payout.queued", now)
        return made

    def _start(self, number: int) -> None:
        """Debit the account and set the times at which the payout's status will change."""
        now = self.storage.now_ms()
        final_ms = now + round(self.settings.process_seconds * 1000)
        reverse_ms = final_ms + round(self.settings.reverse_seconds * 1000)
        row = self.storage.one(
            "UPDATE payouts SET final_ms = :final_ms,"
            " reverse_ms = CASE final_status WHEN 'reversing' THEN :reverse_ms END,"
            " final_status = CASE final_status WHEN 'failed' THEN 'failed' ELSE 'processed' END"
            " WHERE number = :number RETURNING amount, final_status, reverse_ms",
            number=number,
            final_ms=final_ms,
            reverse_ms=reverse_ms,
        )
        self._line(number, now, -row["amount"], self.storage.fact("balance") - row["amount"])
        self.storage.add("balance", -row["amount"])
        self._tell(number, "payout.initiated", now)
        self._tell(number, f"payout.{row['final_status']}", final_ms)
        if row["final_status"] == "failed":
            self._line(number, final_ms, row["amount"], None)
        if row["reverse_ms"] is not None:
            self._line(number, reverse_ms, row["amount"], None)
            self._tell(number, "payout.reversed", reverse_ms)

    def _line(self, number: int | None, at_ms: int, change: int, balance: int | None) -> None:
        self.storage.run(
            "INSERT INTO lines (payout, at_ms, change, balance)"
            " VALUES (:number, :at, :change, :balance)",
            number=number,
            at=at_ms,
            change=change,
            balance=balance,
        )

    def _tell(self, number: int, event: str, at_ms: int) -> None:
        """Queue an event, where its provider's are listened to; of transfers not every one is told."""
        told = event if self.settings.webhook_url else None
        transfer = TRANSFER_EVENTS.get(event) if self.settings.stripe_webhook_url else None
        self.storage.run(
            "INSERT INTO events (payout, event, at_ms, due_ms)"
            " SELECT number, event, :at, :at FROM ("
            "SELECT number, CASE mode WHEN 'transfer' THEN :transfer ELSE :event END AS event"
            " FROM payouts WHERE number = :number) WHERE event IS NOT NULL",
            number=number,
            event=told,
            transfer=transfer,
            at=at_ms,
        )

    def _settle_lines(self) -> None:
        """Give back what failed and reversed payouts took, once its time has come."""
        for row in self.storage.rows(
            "SELECT number, change FROM lines WHERE balance IS NULL AND at_ms <= :now"
            " ORDER BY at_ms",
            now=self.storage.now_ms(),
        ):
            self.storage.add("balance", row["change"])
            self.storage.run(
                "UPDATE lines SET balance = :balance WHERE number = :number",
                balance=self.storage.fact("balance"),
                number=row["number"],
            )

    def balance(self) -> int:
        """Return what the account holds now."""
        with self.storage.transaction():
            self._settle_lines()
        return self.storage.fact("balance")

    def deposit(self, amount: int) -> None:
        """Add to the account (negative: take away), and start what was queued, oldest first."""
        with self.storage.transaction():
            self._settle_lines()
            held = self.storage.fact("balance") + amount
            self._line(None, self.storage.now_ms(), amount, held)
            self.storage.add("balance", amount)
            for row in self.storage.rows(
                "SELECT number, amount FROM payouts WHERE final_ms IS NULL AND cancel_ms IS NULL"
                " ORDER BY number"
            ):
                if self.storage.fact("balance") < row["amount"]:
                    break
                self._start(row["number"])

    def take_back(self, number: int, amount: int, *, whole: bool) -> None:
        """Credit `amount` of a payout to the account; with the `whole` of it the payout is reversed."""
        now = self.storage.now_ms()
        with self.storage.transaction():
            self._line(number, now, amount, None)
            self._settle_lines()
            self._tell(number, "payout.reversed", now)
            if whole:
                self.storage.run(
                    "UPDATE payouts SET reverse_ms = :now WHERE number = :number",
                    now=now,
                    number=number,
                )

    def cancel(self, payout_id: str) -> sqlite3.Row:
        """Cancel a payout while it is queued; raises `RefusedError` otherwise."""
        found = self.by_id(payout_id)
        changed = self.storage.run(
            "UPDATE payouts SET cancel_ms = :now"
            " WHERE id = :id AND final_ms IS NULL AND cancel_ms IS NULL",
            id=payout_id,
            now=self.storage.now_ms(),
        )
        if not changed:
            raise RefusedError(NOT_QUEUED)
        self._tell(found["number"], "payout.updated", self.storage.now_ms())
        return self.by_id(payout_id)

    def by_number(self, number: int) -> sqlite3.Row:
        """Return a payout that exists, as it is now."""
        return self._one("number = :value", number)

    def by_id(self, payout_id: str) -> sqlite3.Row:
        """Return a payout as it is now; raises `RefusedError` for an id the bank never gave."""
        return self._one("id = :value", payout_id)

    def _one(self, where: str, value: str | int) -> sqlite3.Row:
        row = self.storage.row(
            f"SELECT *, {STATUS} AS status FROM payouts WHERE {where}",  # noqa: S608  constants
            value=value,
            now=self.storage.now_ms(),
        )
        if row is None:
            raise RefusedError(NO_SUCH_PAYOUT)
        return row
