"""Wait for a condition with a deadline; the only way a test waits for what sends no event."""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")


FIRST_PAUSE: Final = 0.005
PAUSE_MAX: Final = 0.05


def eventually(look: Callable[[], T], seconds: float = 120.0, what: str = "") -> T:
    """Return the first true value of `look`; fail after `seconds`.

    Asked soon at first, and then more seldom: who waits takes from what is waited for.
    """
    ends_at, pause, rest = time.monotonic() + seconds, FIRST_PAUSE, threading.Event()
    while not (found := look()):
        assert time.monotonic() < ends_at, f"not within {seconds:g} s: {what or look}"
        rest.wait(pause)
        pause = min(pause * 1.5, PAUSE_MAX)
    return found
