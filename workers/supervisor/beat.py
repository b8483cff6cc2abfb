"""The beat: a child writes a byte to its supervisor as long as its threads still take work.

A living process proves nothing: its threads may be dead or stuck. A pipe leaves no files behind,
and a supervisor that was frozen finds the beats of that time still in it.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from typing import Final

VARIABLE: Final = "SUPERVISOR_BEAT_DESCRIPTOR"
EVERY_SECONDS: Final = 1.0


class Beat:
    """The child's end of the pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)
        os.set_inheritable(descriptor, False)  # noqa: FBT003  it takes no name
        self._stopped = threading.Event()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Beat | None":
        """Return the beat our supervisor listens to; None where none does."""
        text = environment.get(VARIABLE, "")
        return cls(int(text)) if text.isdecimal() else None

    def once(self) -> None:
        """Beat now. A full or closed pipe is the supervisor's affair."""
        with contextlib.suppress(OSError):
            os.write(self._descriptor, b".")

    def start(self, alive: Callable[[], bool], every_seconds: float = EVERY_SECONDS) -> None:
        """Beat from a thread of its own for as long as `alive()` holds at that moment."""
        threading.Thread(
            target=self._run, args=(alive, every_seconds), name="beat", daemon=True
        ).start()

    def stop(self) -> None:
        """Beat no more."""
        self._stopped.set()

    def _run(self, alive: Callable[[], bool], every_seconds: float) -> None:
        while not self._stopped.is_set():
            if alive():
                self.once()
            self._stopped.wait(every_seconds)
