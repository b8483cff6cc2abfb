"""Which events the till tells of, and when each is due: in the words of the provider that the order is at."""

import sqlite3

from domain.razorpay import PROVIDER as RAZORPAY
from workers.sandbox.settings import SandboxSettings
from workers.sandbox.storage import Storage


class Events:
    """Writes down what is to be told, where somebody listens."""

    def __init__(self, settings: SandboxSettings, storage: Storage) -> None:
        self._storage = storage
        self._heard = {
            RAZORPAY: bool(settings.razorpay_webhook_url),
            "stripe": bool(settings.stripe_webhook_url),
        }

    def of_order(self, order: sqlite3.Row, *events: str) -> None:
        """Tell now those of `events` that are of the order's provider."""
        at = self._storage.now_ms()
        for event in events:
            is_stripes = event.startswith("payment_intent.")
            if is_stripes == (order["provider"] != RAZORPAY):
                self._tell(order["provider"], event, at, order["number"])

    def of_refund(
        self, paid: sqlite3.Row, refund: int, razorpays: str, stripes: str, *, at: int
    ) -> None:
        """Tell of a refund at a time (ms)."""
        event = razorpays if paid["provider"] == RAZORPAY else stripes
        self._tell(paid["provider"], event, at, paid["number"], refund=refund)

    def of_dispute(self, dispute: sqlite3.Row, razorpays: str, stripes: str, *, at: int) -> None:
        """Tell of a dispute at a time (ms)."""
        event = razorpays if dispute["provider"] == RAZORPAY else stripes
        order, number = dispute["order"], dispute["number"]
        self._tell(dispute["provider"], event, at, order, dispute=number)

    def _tell(
        self,
        provider: str,
        event: str,
        at: int,
        order: int,
        *,
        refund: int | None = None,
        dispute: int | None = None,
    ) -> None:
        if self._heard[provider]:
            self._storage.run(
                'INSERT INTO events ("order", refund, dispute, event, at_ms, due_ms)'
                " VALUES (:order, :refund, :dispute, :event, :at, :at)",
                order=order,
                refund=refund,
                dispute=dispute,
                event=event,
                at=at,
            )
