"""SIGTERM as a wish and not as a death: the process ends its work and exits 0."""

import queue
import signal
import threading
from types import FrameType


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT; a second one changes nothing.

    Not by the handler itself: it runs inside whatever the main thread is doing, and where that is
    the first step of `stop.wait()` the event's own lock is taken, and both would wait for ever.
    Putting into a `SimpleQueue` is safe there.
    """
    asked: queue.SimpleQueue[None] = queue.SimpleQueue()

    def note(_number: int, _frame: FrameType | None) -> None:
        asked.put(None)

    def pass_on() -> None:
        asked.get()
        stop.set()

    threading.Thread(target=pass_on, name="stop-signals", daemon=True).start()
    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)


def end_as_by_ctrl_c() -> None:
    """Let SIGTERM and SIGHUP raise `KeyboardInterrupt`, as Ctrl-C does: what was made is removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)


def survive_stop() -> None:
    """Let SIGTERM and SIGINT do nothing by themselves: the server that handles them ends, then we do.

    Uvicorn hands a signal on to the handler before it once it has stopped; that must not kill.
    """

    def noted(_number: int, _frame: FrameType | None) -> None:
        return

    signal.signal(signal.SIGTERM, noted)
    signal.signal(signal.SIGINT, noted)
