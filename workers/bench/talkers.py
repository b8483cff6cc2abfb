"""Child processes that say JSON lines and end with their input."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

STOP_SECONDS_MAX: Final = 30.0

Said = dict[str, Any]
"""One thing a child said; `{"gone": True}` when it will say no more."""


@contextmanager
def talkers(
    module: str,
    *arguments: str,
    count: int,
    hear: Callable[[int, Said], None],
    environment: Mapping[str, str] | None = None,
) -> Iterator[list["subprocess.Popen[str]"]]:
    """Yield `count` processes of `module`; `hear(number, said)` is called from a thread for each.

    Afterwards their input has ended, and so have they; who does not end in time is killed.
    """
    with ExitStack() as stack:
        children: list[subprocess.Popen[str]] = []
        for number in range(count):
            child = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                text=True,
            )
            children.append(child)
            listener = threading.Thread(target=_listen, args=(child, number, hear), daemon=True)
            listener.start()
            stack.callback(listener.join)
            stack.callback(_end, child)
        yield children


def say(child: "subprocess.Popen[str]", line: str) -> None:
    """Write one line to a child."""
    if child.stdin is None:
        raise AssertionError("a child's input is a pipe")
    child.stdin.write(f"{line}\n")
    child.stdin.flush()


def _listen(child: "subprocess.Popen[str]", number: int, hear: Callable[[int, Said], None]) -> None:
    if child.stdout is None:
        raise AssertionError("a child's output is a pipe")
    with child.stdout:
        for line in child.stdout:
            with suppress(ValueError):  # something that is not for us
                hear(number, json.loads(line))
    hear(number, {"gone": True})


def _end(child: "subprocess.Popen[str]") -> None:
    if child.stdin is not None:
        with suppress(BrokenPipeError):
            child.stdin.close()
    try:
        child.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
