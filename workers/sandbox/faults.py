"""What can go wrong between a bank and its client, and which request it happens to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from domain.errors import BadInputError


class Fault(StrEnum):
    """One thing that goes wrong with one request."""

    DROP = "drop"
    """Executed, then the connection is reset: the reply is lost."""
    ERROR = "error"
    """Executed, then 500."""
    TRUNCATE = "truncate"
    """Executed, then the connection is reset in the middle of the body."""
    GARBAGE = "garbage"
    """Executed, then 200 with a page that is not JSON."""
    SLOW = "slow"
    """Executed, then answered late."""
    DRIP = "drip"
    """Executed, then answered a byte at a time for as long as the client reads."""
    HANG = "hang"
    """Executed, then nothing, on an open connection."""
    WRONG_AMOUNT = "wrong_amount"
    """Executed as asked, but the answer shows another amount."""
    WRONG_REFERENCE = "wrong_reference"
    """Executed as asked, but the answer shows another reference."""
    FAIL = "fail"
    """Executed; the payout ends `failed` instead of `processed`."""
    REVERSE = "reverse"
    """Executed; the payout is `reversed` some time after `processed`."""
    ERROR_BEFORE = "error_before"
    """500, and nothing was executed."""
    STICKY_ERROR = "sticky_error"
    """500, nothing was executed, and the same for ever under this key."""
    RESET = "reset"
    """The connection is reset before anything was executed."""
    RATE_LIMIT = "rate_limit"
    """429 with Retry-After; nothing was executed."""
    REFUSE = "refuse"
    """400 with the provider's error body; nothing was executed."""
    UNPROCESSABLE = "unprocessable"
    """422 with the provider's error body; nothing was executed."""
    UNAUTHORISED = "unauthorised"
    """401; nothing was executed."""
    FORBIDDEN = "forbidden"
    """403; nothing was executed."""
    EVENT_LATE = "event_late"
    """An event is told late."""
    EVENT_TWICE = "event_twice"
    """An event is told, and told again."""
    EVENT_REORDERED = "event_reordered"
    """An event is told after the one that follows it."""
    EVENT_FORGED = "event_forged"
    """Beside an event somebody tells the opposite of it, signed with a secret of his own."""
    EVENT_MUTE = "event_mute"
    """An event is never told."""


BEFORE: Final = frozenset(
    {
        Fault.ERROR_BEFORE, Fault.STICKY_ERROR, Fault.RESET, Fault.RATE_LIMIT, Fault.REFUSE,
        Fault.UNPROCESSABLE, Fault.UNAUTHORISED, Fault.FORBIDDEN,
    }
)  # fmt: skip
"""Faults that keep a request from being executed."""

FIRST_SEND_ONLY: Final = frozenset({Fault.REFUSE, Fault.UNPROCESSABLE, Fault.FAIL, Fault.REVERSE})
"""Faults that chance brings only to a key's first send: they are about the payment itself."""


OF_EVENTS: Final = frozenset(
    {
        Fault.EVENT_LATE, Fault.EVENT_TWICE, Fault.EVENT_REORDERED, Fault.EVENT_FORGED,
        Fault.EVENT_MUTE,
    }
)  # fmt: skip
"""Faults of what the bank tells by webhook; the others are of what it is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often each fault happens: shares of all sends, or of all events; each at most 1 together."""

    rates: Mapping[Fault, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """Read `drop=0.03,error=0.01,refuse=0.02`; raises `BadInputError` naming what is wrong."""
        rates: dict[Fault, float] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, share = part.partition("=")
            rates[_fault(name.strip())] = _share(name.strip(), share.strip())
        of_events = sum(share for fault, share in rates.items() if fault in OF_EVENTS)
        if of_events > 1 or sum(rates.values()) - of_events > 1:
            raise BadInputError("faults", text, "the shares must together be at most 1")
        return cls(rates=rates)

    def __str__(self) -> str:
        return ",".join(f"{fault}={share:g}" for fault, share in self.rates.items())

    def draw(self, seed: int, key: str, send: int) -> Fault | None:
        """Return what happens to send number `send` (from 1) under `key`: always the same."""
        of_sends = {fault: share for fault, share in self.rates.items() if fault not in OF_EVENTS}
        fault = _drawn(of_sends, f"{seed}:{key}:{send}")
        return None if send > 1 and fault in FIRST_SEND_ONLY else fault

    def draw_event(self, seed: int, event: int) -> Fault | None:
        """Return what happens to event number `event`: always the same."""
        of_events = {fault: share for fault, share in self.rates.items() if fault in OF_EVENTS}
        return _drawn(of_events, f"{seed}:event:{event}")


def _drawn(rates: Mapping[Fault, float], what: str) -> Fault | None:
    digest = hashlib.sha256(what.encode()).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64
    for fault, share in rates.items():
        if point < share:
            return fault
        point -= share
    return None


def _fault(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError:
        raise BadInputError("faults", name, f"must be one of {', '.join(Fault)}") from None


def _share(name: str, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise BadInputError(f"faults {name}", text, "must be a share between 0 and 1, such as 0.03")
    return share
