"""Faults that were ordered by hand: the next few requests that fit meet them, before any chance."""

from dataclasses import dataclass
from enum import StrEnum

from workers.sandbox.faults import Fault


class Call(StrEnum):
    """Which requests an order is for."""

    SUBMIT = "submit"
    READ = "read"
    EVENT = "event"
    """What the bank tells by webhook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One fault for the next `times` requests of a kind, of any reference or of one."""

    fault: Fault | None
    """None lets the request pass untouched, whatever the rates say."""
    times: int = 1
    call: Call = Call.SUBMIT
    reference: str | None = None
    retry_after: str | None = None
    """The text of a 429's Retry-After, instead of the bank's own."""
    seconds: float | None = None
    """How long to be slow, or to hang, instead of the bank's own."""


class Script:
    """The orders still to be met, oldest first."""

    def __init__(self) -> None:
        self._orders: list[Order] = []

    def add(self, order: Order) -> None:
        """Put `order` at the end."""
        self._orders.extend([order] * order.times)

    def clear(self) -> None:
        """Forget every order."""
        self._orders.clear()

    def waiting(self) -> int:
        """Return how many requests are still to meet an order."""
        return len(self._orders)

    def take(self, call: Call, reference: str | None) -> Order | None:
        """Return and forget the first order that fits this request."""
        for index, order in enumerate(self._orders):
            if order.call is call and order.reference in {None, reference}:
                return self._orders.pop(index)
        return None
