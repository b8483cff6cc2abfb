"""The bank's till: orders that customers pay, captures, and refunds of them, each once per key."""

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import Final

from workers.sandbox.faults import Fault
from workers.sandbox.refusals import OTHER_BODY, Refusal, RefusedError
from workers.sandbox.settings import SandboxSettings
from workers.sandbox.storage import Storage
from workers.sandbox.till_events import Events

NO_SUCH_THING: Final = Refusal(description="The id provided does not exist", reason="not_found")
NOT_OPEN: Final = Refusal(description="The order cannot be paid, or cancelled, any more")
NOT_CAPTURED: Final = Refusal(description="The payment has not been captured")
TOO_MUCH: Final = Refusal(
    description="The total refund amount is greater than the refund payment amount"
)

DISPUTE_STATUSES: Final = ("open", "won", "lost", "closed")

ORDERS: Final = "SELECT * FROM orders"
REFUNDS: Final = """SELECT r.*, o.payment_id, o.id AS order_id, o.currency, o.provider,
    CASE WHEN r.final_ms <= :now THEN r.final_status ELSE 'pending' END AS status
    FROM refunds r JOIN orders o ON o.number = r."order" """
"""A refund's status is no column but a function of time, as a payout's is."""
DISPUTES: Final = """SELECT d.*, o.payment_id, o.id AS order_id, o.currency, o.provider,
    CASE WHEN d.end_ms <= :now THEN d.end_status ELSE 'open' END AS status
    FROM disputes d JOIN orders o ON o.number = d."order" """


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An order, or a refund, that somebody asks for, as the bank understood it."""

    amount: int
    currency: str
    reference: str | None
    key: str | None
    """None where the provider keeps no keys of it: the same request twice is two orders."""
    body: bytes


class Till:
    """What customers pay to one merchant."""

    def __init__(self, settings: SandboxSettings, storage: Storage) -> None:
        self._settings = settings
        self._storage = storage
        self._events = Events(settings, storage)

    def open(self, provider: str, prefix: str, wanted: Wanted) -> sqlite3.Row:
        """Make an order, or return the one its key made. Raises `RefusedError` for another body."""
        with self._storage.transaction():
            known = self._known("orders", wanted)
            if known is not None:
                return known
            number = self._storage.fact("orders") + 1
            self._storage.add("orders")
            self._storage.run(
                "INSERT INTO orders (number, id, provider, reference, amount, currency, created_ms, key, body_hash)"
                " VALUES (:number, :id, :provider, :reference, :amount, :currency, :now, :key, :hash)",
                number=number,
                id=prefix + self._digits("order", number),
                provider=provider,
                reference=wanted.reference,
                amount=wanted.amount,
                currency=wanted.currency,
                now=self._storage.now_ms(),
                key=wanted.key,
                hash=_hash(wanted.body),
            )
        return self._storage.one(f"{ORDERS} WHERE number = :number", number=number)

    def order(self, provider: str, order_id: str) -> sqlite3.Row:
        """Return an order; raises `RefusedError` for an id the bank never gave."""
        row = self._storage.row(
            f"{ORDERS} WHERE id = :id AND provider = :provider", id=order_id, provider=provider
        )
        if row is None:
            raise RefusedError(NO_SUCH_THING)
        return row

    def orders(self, provider: str, reference: str) -> list[sqlite3.Row]:
        """Return the orders under a reference that its search sees by now, newest first."""
        seen = self._storage.now_ms() - round(self._settings.index_lag_seconds * 1000)
        return self._storage.rows(
            f"{ORDERS} WHERE provider = :provider AND reference = :reference AND created_ms <= :seen"
            " ORDER BY number DESC",
            provider=provider,
            reference=reference,
            seen=seen,
        )

    def capture(self, order_id: str) -> sqlite3.Row:
        """Let a customer pay an order, once; raises `RefusedError` where it was cancelled."""
        changed = self._storage.run(
            "UPDATE orders SET paid_ms = :now, payment_id ="
            " CASE provider WHEN 'stripe' THEN id ELSE 'pay_' || substr(id, 7) END"
            " WHERE id = :id AND cancel_ms IS NULL AND paid_ms IS NULL",
            id=order_id,
            now=self._storage.now_ms(),
        )
        row = self._storage.row(f"{ORDERS} WHERE id = :id", id=order_id)
        if row is None:
            raise RefusedError(NO_SUCH_THING)
        if not changed and row["paid_ms"] is None:
            raise RefusedError(NOT_OPEN)
        if changed:
            self._events.of_order(row, "payment.captured", "order.paid", "payment_intent.succeeded")
        return row

    def fail(self, order_id: str) -> sqlite3.Row:
        """Let a customer try to pay an order, and be refused: it stays as it is."""
        row = self._storage.row(f"{ORDERS} WHERE id = :id", id=order_id)
        if row is None:
            raise RefusedError(NO_SUCH_THING)
        self._events.of_order(row, "payment.failed", "payment_intent.payment_failed")
        return row

    def dispute(self, order_id: str, status: str, amount: int | None) -> sqlite3.Row:
        """Let a customer dispute what paid an order, or their bank decide; raises `RefusedError` where nobody paid."""
        paid = self._storage.row(f"{ORDERS} WHERE id = :id", id=order_id)
        if paid is None or paid["paid_ms"] is None:
            raise RefusedError(NOT_CAPTURED)
        now = self._storage.now_ms()
        opened = self._storage.run(
            'INSERT INTO disputes (id, "order", amount, created_ms)'
            " VALUES (:id, :order, :amount, :now) ON CONFLICT DO NOTHING",
            id=f"{'du_' if paid['provider'] == 'stripe' else 'disp_'}{self._digits('dispute', paid['number'])}",
            order=paid["number"],
            amount=amount or paid["amount"],
            now=now,
        )
        where = f'{DISPUTES} WHERE d."order" = :order'
        if opened:
            row = self._storage.one(where, order=paid["number"], now=now)
            self._events.of_dispute(
                row, "payment.dispute.created", "charge.dispute.created", at=now
            )
        if status != "open":
            self._storage.run(
                'UPDATE disputes SET end_status = :status, end_ms = :now WHERE "order" = :order'
                " AND end_ms IS NULL",
                status=status,
                order=paid["number"],
                now=now + 1,  # the dispute that was opened just now was open
            )
            row = self._storage.one(where, order=paid["number"], now=now + 1)
            ending = (f"payment.dispute.{row['status']}", "charge.dispute.closed")
            self._events.of_dispute(row, *ending, at=now + 1)
        return self._storage.one(where, order=paid["number"], now=now + 1)

    def cancel(self, provider: str, order_id: str) -> sqlite3.Row:
        """Let nobody pay an order any more; raises `RefusedError` where somebody did, or it was cancelled before."""
        self.order(provider, order_id)
        changed = self._storage.run(
            "UPDATE orders SET cancel_ms = :now WHERE id = :id AND paid_ms IS NULL AND cancel_ms IS NULL",
            id=order_id,
            now=self._storage.now_ms(),
        )
        if not changed:
            raise RefusedError(NOT_OPEN)
        row = self.order(provider, order_id)
        self._events.of_order(row, "payment_intent.canceled")
        return row

    def paid(self, provider: str, payment_id: str) -> sqlite3.Row:
        """Return the order that a payment paid; raises `RefusedError` where there is none."""
        row = self._storage.row(
            f"{ORDERS} WHERE provider = :provider AND payment_id = :payment",
            provider=provider,
            payment=payment_id,
        )
        if row is None:
            raise RefusedError(NOT_CAPTURED)
        return row

    def refund(
        self, paid: sqlite3.Row, prefix: str, wanted: Wanted, fault: Fault | None
    ) -> sqlite3.Row:
        """Give back a part of a capture, or return what the key gave back; never more than was captured."""
        with self._storage.transaction():
            known = self._known("refunds", wanted)
            if known is None:
                known = self._give(paid, prefix, wanted, fault)
        return self._refunds("r.number = :number", number=known["number"])[0]

    def _give(
        self, paid: sqlite3.Row, prefix: str, wanted: Wanted, fault: Fault | None
    ) -> sqlite3.Row:
        now = self._storage.now_ms()
        given = self._storage.one(
            'SELECT coalesce(sum(amount), 0) AS minor FROM refunds WHERE "order" = :order'
            " AND NOT (final_status = 'failed' AND final_ms <= :now)",
            order=paid["number"],
            now=now,
        )["minor"]
        if given + wanted.amount > paid["amount"]:
            raise RefusedError(TOO_MUCH)
        number = self._storage.fact("refunds") + 1
        self._storage.add("refunds")
        final = now + round(self._settings.process_seconds * 1000)
        status = "failed" if fault is Fault.FAIL else "processed"
        made = self._storage.one(
            'INSERT INTO refunds (number, id, "order", reference, amount, created_ms, final_ms, final_status,'
            " key, body_hash)"
            " VALUES (:number, :id, :order, :reference, :amount, :now, :final, :status, :key, :hash) RETURNING number",
            number=number,
            id=prefix + self._digits("refund", number),
            order=paid["number"],
            reference=wanted.reference,
            amount=wanted.amount,
            now=now,
            final=final,
            status=status,
            key=wanted.key,
            hash=_hash(wanted.body),
        )
        self._events.of_refund(paid, number, "refund.created", "refund.created", at=now)
        ended = "refund.failed" if status == "failed" else "refund.updated"
        self._events.of_refund(paid, number, f"refund.{status}", ended, at=final)
        return made

    def refunds(self, paid: sqlite3.Row) -> list[sqlite3.Row]:
        """Return the refunds of a capture, newest first."""
        return self._refunds('r."order" = :number ORDER BY r.number DESC', number=paid["number"])

    def refunds_between(self, provider: str, first: int, last: int) -> list[sqlite3.Row]:
        """Return the refunds of one gateway made in the unix seconds from `first` to `last`, newest first."""
        return self._storage.rows(
            f"{REFUNDS} WHERE o.provider = :provider AND r.created_ms >= :low AND r.created_ms < :high"
            " ORDER BY r.number DESC",
            provider=provider,
            low=first * 1000,
            high=(last + 1) * 1000,
            now=self._storage.now_ms(),
        )

    def summary(self) -> dict[str, object]:
        """What customers paid, and what of it was given back: counts and sums."""
        paid = self._storage.one(
            "SELECT count(*) AS count, coalesce(sum(amount), 0) AS amount FROM orders WHERE paid_ms IS NOT NULL"
        )
        given = self._storage.one(
            "SELECT count(*) AS count, coalesce(sum(amount), 0) AS amount FROM refunds"
            " WHERE final_ms <= :now AND final_status = 'processed'",
            now=self._storage.now_ms(),
        )
        return {
            "captures": paid["count"],
            "captured_minor": paid["amount"],
            "refunds": given["count"],
            "refunded_minor": given["amount"],
        }

    def _refunds(self, where: str, *, number: int) -> list[sqlite3.Row]:
        return self._storage.rows(
            f"{REFUNDS} WHERE {where}", number=number, now=self._storage.now_ms()
        )

    def _known(self, table: str, wanted: Wanted) -> sqlite3.Row | None:
        row = self._storage.row(f"SELECT * FROM {table} WHERE key = :key", key=wanted.key)  # noqa: S608  two tables
        if row is not None and row["body_hash"] != _hash(wanted.body):
            raise RefusedError(OTHER_BODY)
        return row

    def _digits(self, what: str, number: int) -> str:
        return hashlib.sha256(f"{self._settings.seed}:{what}:{number}".encode()).hexdigest()[:14]


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
