"""What each provider's events tell, from their raw bytes. A provider more is a line."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from domain import (
    razorpay,
    razorpay_events,
    razorpayx,
    razorpayx_events,
    stripe,
    stripe_events,
)
from domain.telling import NothingToDo, Telling, Unreadable

READERS: Final[Mapping[str, Callable[[str, object], Telling]]] = {
    razorpayx.PROVIDER: razorpayx_events.read_event,
    razorpay.PROVIDER: razorpay_events.read_event,
    stripe.PROVIDER: stripe_events.read_event,
}
"""By provider: (type, decoded body) to what it tells."""


def read(provider: str, type_: str, body: bytes) -> Telling:
    """Return what an event tells, whose signature was checked when it came. Raises nothing, whatever `body` is."""
    reader = READERS.get(provider)
    if reader is None:
        return NothingToDo(why=f"{type_} of {provider}")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Unreadable(why=f"{type_}: the body is no JSON")
    return reader(type_, document)
