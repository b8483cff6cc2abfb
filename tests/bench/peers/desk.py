"""How a peer is asked: `fill N` makes its backlog, `one` enqueues each payout that a line of input names."""

import json
import sys
import time
from collections.abc import Callable, Sequence


def serve(
    fill: Callable[[Sequence[int]], object], prepare: Callable[[], object] | None = None
) -> None:
    """Do what the command line says, on tables of the peer's own that `prepare` makes."""
    match sys.argv[1:]:
        case ["fill", count]:
            if prepare is not None:
                prepare()
            if int(count):
                fill(range(1, int(count) + 1))
        case ["one"]:
            _say({"ready": True})
            for line in sys.stdin:
                began = time.time()
                fill([int(line)])
                _say({"asked": int(line), "at": began})
        case other:
            raise SystemExit(f"unknown: {other}")


def _say(said: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
