"""A process of Bursar's in which faults strike: `python -m tests.faults.child [STRIKE…] -- COMMAND…`.

The product is as it is: events of SQLAlchemy and a bank around the bank are put there from outside.
"""

import importlib
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

import workers.composition
from domain.answers import Answer
from domain.ports import Bank, FrozenRequest
from tests.faults.strikes import COMMITS, Point, Strike
from workers.banks import open_bank
from workers.cli import main
from workers.cli.app import program
from workers.settings import Settings
from workers.supervisor import Output, Program, Supervisor
from workers.supervisor.beat import VARIABLE

RAN = "ran"
COMMITTED = "committed"
SUPERVISE = "--supervise"


class StruckBank:
    """The process's own bank, with strikes around each send."""

    def __init__(self, bank: Bank, strikes: Sequence[Strike]) -> None:
        self._bank, self._strikes = bank, strikes

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the bank has
        return getattr(self._bank, name)

    def submit(self, request: FrozenRequest) -> Answer:
        """Send, unless a strike comes first."""
        self._pass(Point.BEFORE_CALL, request)
        answer = self._bank.submit(request)
        self._pass(Point.AFTER_CALL, request)
        return answer

    def _pass(self, point: Point, request: FrozenRequest) -> None:
        for strike in self._strikes:
            if strike.point is point and strike.reference in {"", request.reference}:
                strike.arrive()


class Events:
    """Listens to every engine of this process, and lets strikes happen around its commits."""

    def __init__(self, strikes: Sequence[Strike]) -> None:
        self._strikes = strikes

    def listen(self) -> None:
        """Begin."""
        sa.event.listen(sa.Engine, "before_cursor_execute", self._note)
        sa.event.listen(sa.Engine, "commit", self._before)
        sa.event.listen(sa.Pool, "checkin", self._after)

    def _note(self, connection: sa.Connection, _cursor: object, text: str, *_: object) -> None:
        names = {name for words, name in COMMITS.items() if words in text}
        connection.info.setdefault(RAN, set()).update(names)

    def _before(self, connection: sa.Connection) -> None:
        connection.info[COMMITTED] = connection.info.pop(RAN, set())
        self._arrive("before", connection.info[COMMITTED], connection)

    def _after(self, _driver: object, record: Any) -> None:  # noqa: ANN401  a pool's own
        record.info.pop(RAN, None)
        self._arrive("after", record.info.pop(COMMITTED, set()))

    def _arrive(
        self, side: str, names: Collection[str], connection: sa.Connection | None = None
    ) -> None:
        for strike in self._strikes:
            if strike.point in {f"{side}_{name}" for name in names}:
                strike.arrive(connection)


def install(strikes: Sequence[Strike]) -> None:
    """Let `strikes` happen in this process."""

    @contextmanager
    def struck(settings: Settings) -> Iterator[Any]:
        with open_bank(settings) as bank:
            yield bank and StruckBank(bank, strikes)

    Events(strikes).listen()
    setattr(workers.composition, "open_bank", struck)  # noqa: B010  from outside, and on purpose


def preload() -> None:
    """Import what every command and every worker needs."""
    for name in ("workers.process", "workers.cli.app", "workers.cli.inline", "db.payouts.listing"):
        importlib.import_module(name)
    program()


def run(words: Sequence[str]) -> int:
    """Run one command line with its strikes; a `worker` is one process, not a supervisor's."""
    at = words.index("--")
    install([Strike.parse(word) for word in words[:at]])
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = str(os.open(os.devnull, os.O_WRONLY))
    return main(words[at + 1 :])


def supervise(copies: int, words: Sequence[str]) -> int:
    """Keep `copies` of such a process running, as the product's supervisor does."""
    program = Program(
        name="worker",
        arguments=(sys.executable, "-m", "tests.faults.child", *words),
        copies=copies,
        beat_seconds_max=60.0,
    )
    return Supervisor([program], Output(None)).run()


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[0] == SUPERVISE:
        sys.exit(supervise(int(given[1]), given[2:]))
    sys.exit(run(given))
