"""`python -m tests.bench run [PART…]` measures, `render` makes tables and pictures of what was measured."""

import argparse
import sys
import time
from itertools import product
from pathlib import Path

from domain.errors import BrokenError
from tests.bench.parts import PARTS, Bench, Turn
from tests.bench.results import OUT, Results
from workers.bench.stand import stand
from workers.logs import configure
from workers.settings import load
from workers.signals import end_as_by_ctrl_c

ONCE = {"start"}
"""Parts whose one turn holds many samples already."""


def run(results: Results, told: argparse.Namespace) -> int:
    """Measure what is not in `results` yet, subject after subject in turns; returns how many failed."""
    failed = 0
    results.describe()
    with stand() as servers:
        for part in told.parts or PARTS:
            bench = Bench(servers, told.share)
            with bench.kept:
                turns = [t for t in PARTS[part](bench) if t.subject in (told.only or [t.subject])]
                rounds = 1 if part in ONCE else told.rounds
                for number, turn in product(range(1, rounds + 1), turns):
                    if not results.has(part, turn.subject, number):
                        failed += not _measure(results, part, turn, number)
    return failed


def _measure(results: Results, part: str, turn: Turn, number: int) -> bool:
    """Take one turn; a run that went wrong is no result, and is told."""
    began = time.monotonic()
    try:
        results.add(part, turn.subject, number, turn.run())
    except BrokenError as error:
        _say(f"{part} {turn.subject} {number}: {error}")
        return False
    _say(f"{part} {turn.subject} {number}: {time.monotonic() - began:.1f} s")
    return True


def main() -> int:
    """Do what the command line says; 1 where something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--out", type=Path, default=OUT, help="where results lie")
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="measure what was not measured yet")
    runs.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    runs.add_argument("--rounds", type=int, default=3, help="turns of each")
    runs.add_argument("--share", type=float, default=1.0, help="of all sizes; less to try it")
    runs.add_argument("--only", nargs="*", metavar="SUBJECT", help="of each part; all by default")
    commands.add_parser("render", help="tables and pictures of what was measured")
    told = parser.parse_args()
    results = Results(told.out)
    if told.command == "render":
        from tests.bench.pages import render  # noqa: PLC0415 - pictures need what a run does not

        render(results, told.out)
        return 0
    unknown = set(told.parts) - PARTS.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    configure(load({"BURSAR_LOG_LEVEL": "warning"}))
    end_as_by_ctrl_c()
    return 1 if run(results, told) else 0


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
