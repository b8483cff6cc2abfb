"""Wait for a condition with a deadline; the only way a test waits for what sends no event."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float = 120.0, what: str = "") -> T:
    """Return the first true value of `look`, asked every few milliseconds; fail after `seconds`."""
    ends_at = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := look()):
        assert time.monotonic() < ends_at, f"not within {seconds:g} s: {what or look}"
        pause.wait(0.005)
    return found
