"""A room has as many seats as a queue has threads: nothing is taken that no thread can start."""

import threading
import time


class Room:
    """Seats for runs; shared by the broker's consumer and the sweep, so neither overfills it."""

    def __init__(self, seats: int) -> None:
        self.seats = seats
        self._free = threading.BoundedSemaphore(seats)
        self._closed = threading.Event()

    def take(self, wait_seconds: float = 0.0) -> bool:
        """Take a seat, waiting up to `wait_seconds` for one; False where none came free."""
        if self._closed.is_set():
            time.sleep(wait_seconds)  # so that nobody spins at the closed door
            return False
        if not self._free.acquire(timeout=wait_seconds):
            return False
        if self._closed.is_set():
            self._free.release()
            return False
        return True

    def give(self) -> None:
        """Give a seat back."""
        self._free.release()

    def close(self) -> None:
        """Let nobody in any more; who sits may finish."""
        self._closed.set()
