"""What sides do: workers that send, ask and come back too late, operators, a provider that calls."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from db.payouts.decide import decide
from db.transitions import Moved
from db.work import ClaimOrder
from domain.decisions import Decision
from domain.ports import Bank
from jobs.shapes import Answer, Ask, Drain
from jobs.webhooks.apply import ApplyEvents
from tests import driving
from tests.builders import lines, rows
from tests.hearing import about, event, receive
from tests.operating import take
from tests.races.explorer import Act
from tests.races.stage import Stage
from workers.runner.book import Book
from workers.runner.bounds import Bounds
from workers.runner.settler import Settler, Tried
from workers.tracing import OFF

Made = Callable[[Bank], Drain[Any, Any]]
"""Makes a job for a bank."""
BOUNDS = Bounds()


def payouts(stage: Stage, count: int, *, approve: bool = True, payees: int = 1) -> list[UUID]:
    """Import payouts, approved unless told otherwise; their ids in the order of the file."""
    take(stage.operator, lines(count, payees=payees), approve=approve)
    return [r.id for r in rows(stage.worker, "SELECT id FROM payouts ORDER BY external_id")]


def claim(
    stage: Stage, make: Made, *, run: int, limit: int = 500, lease_seconds: float = 15.0
) -> list[Any]:
    """Claim due items, as a run does."""
    job = make(stage.bank)

    def claim(tx: Any) -> list[Any]:  # noqa: ANN401 - a transaction
        order = ClaimOrder(
            run=run, limit=limit, lease_seconds=lease_seconds, gates=job.known().gates
        )
        return list(job.claim(tx, order).items)

    return stage.worker.transact(claim)


def act(stage: Stage, make: Made, items: Sequence[Any]) -> list[Answer[Any, Any]]:
    """Ask the bank about claimed items."""
    job = make(stage.bank)
    if isinstance(job, Ask):
        return list(map(Answer, items, job.ask(items)))
    return [Answer(item, job.effect(item, lambda: True)) for item in items]


def settle(
    stage: Stage, make: Made, answers: Sequence[Answer[Any, Any]], *, run: int
) -> dict[str, int]:
    """Settle answers as the runner's settler does; returns its tally."""
    settler = Settler(stage.worker, make(stage.bank), Book(BOUNDS.lease_seconds), BOUNDS, run, OFF)
    settler.stop()
    settler._settle(Tried(), answers)
    return {str(name): count for name, count in settler.tally.items() if count}


def works(make: Made, run: int, *, limit: int = 500) -> Act:
    """A worker: claims, asks the bank, settles."""

    def work(stage: Stage) -> dict[str, int] | None:
        items = claim(stage, make, run=run, limit=limit)
        return settle(stage, make, act(stage, make, items), run=run) if items else None

    return work


def settles(make: Made, run: int) -> Act:
    """A worker that has its answers (`stage.given`) and settles them."""
    return lambda stage: settle(stage, make, stage.given, run=run)


def wakes_up(make: Made, run: int) -> Act:
    """A worker that slept after its claim (`stage.given`): only now it calls, and settles."""
    return lambda stage: settle(stage, make, act(stage, make, stage.given), run=run)


def decides(decision: Decision, who: str, *, backwards: bool = False) -> Act:
    """An operator decides about every payout there is."""

    def act(stage: Stage) -> list[Moved]:
        def work(tx: Any) -> list[Moved]:  # noqa: ANN401 - a transaction
            return decide(tx, decision, ids, actor=who, why="because")

        ids = sorted(stage.given, reverse=backwards)
        return stage.operator.transact(work)

    return act


def applies(run: int, *, limit: int = 10) -> Act:
    """A worker that applies events, as one transaction of a run does."""

    def act(stage: Stage) -> dict[str, int]:
        order = ClaimOrder(run=run, limit=limit, lease_seconds=15.0)
        done = stage.worker.transact(lambda tx: ApplyEvents().work(tx, order))
        return {str(name): count for name, count in done.tally.items() if count}

    return act


def says(stage: Stage, payout: UUID, *words: str) -> None:
    """The provider sends an event for each word."""
    receive(stage.worker, [event(about(stage.bank, payout), word) for word in words])


process, recover, follow = driving.process, driving.recover, driving.follow
