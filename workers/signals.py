"""SIGTERM as a wish and not as a death: the process ends its work and exits 0."""

import signal
from types import FrameType


def survive_stop() -> None:
    """Let SIGTERM and SIGINT do nothing by themselves: the server that handles them ends, then we do.

    Uvicorn hands a signal on to the handler before it once it has stopped; that must not kill.
    """

    def noted(_number: int, _frame: FrameType | None) -> None:
        return

    signal.signal(signal.SIGTERM, noted)
    signal.signal(signal.SIGINT, noted)
