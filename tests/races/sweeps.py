"""Races about those that only look, and prune: what changes meanwhile is neither said for ever nor lost."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from db import findings, prune, run_states, runs, workers
from db.runs import Request
from db.tx import Tx
from db.workers import Worker
from domain.findings import Finding, FindingKind
from domain.payout_ids import reference
from domain.runs import Origin
from jobs.payouts.check_stuck import CheckStuck
from jobs.payouts.reconcile import ReconcilePayouts
from jobs.shapes import Sweep
from jobs.upkeep.prune import Prune
from jobs.upkeep.watch import Watch
from tests import driving
from tests.builders import change, hurry, owner, rows
from tests.fakes.alerts import Receiver
from tests.races import parts
from tests.races.explorer import Act, Race
from tests.races.parts import applies, follow, process, recover, says, works
from tests.races.payouts import in_doubt, states
from tests.races.sides import Side, step
from tests.races.stage import Stage

TWO_DAYS_AGO: Final = "UPDATE effects SET first_sent_at = first_sent_at - interval '49 h'"
LATER: Final = "UPDATE work SET due_at = clock_timestamp() + interval '1 h'"
OPEN: Final = "SELECT key FROM findings WHERE resolved_at IS NULL ORDER BY key"


def looks(make: Callable[[], Sweep]) -> Act:
    """A sweep from its beginning to its end, page by page, with no lease but what the rows themselves hold."""

    def act(stage: Stage) -> Sweep:
        job = make()
        cursor: dict[str, Any] | None = {}
        while cursor is not None:

            def page(tx: Tx, at: dict[str, Any] = cursor) -> dict[str, Any] | None:
                done = job.page(tx, at, 7)
                return None if done.cursor is None else dict(done.cursor)

            cursor = stage.worker.transact(page)
            job.outside()
        return job

    return act


def open_findings(stage: Stage) -> list[str]:
    """The keys of what nobody has resolved."""
    return [row.key for row in rows(stage.worker, OPEN)]


def under_way(stage: Stage) -> UUID:
    """A payout accepted two days ago, and paid since."""
    [payout] = parts.payouts(stage, 1)
    driving.drive(stage.worker, process(stage.bank))
    stage.bank.settle(reference(payout, 1), "processed")
    with owner(stage.url) as database:
        change(database, TWO_DAYS_AGO)
        change(database, LATER)
    return payout


def due(stage: Stage) -> UUID:
    """The same, to be asked about now."""
    payout = under_way(stage)
    hurry(stage.worker)
    return payout


def told(stage: Stage) -> UUID:
    """The same, to be asked about in an hour; the bank tells of it itself."""
    payout = under_way(stage)
    says(stage, payout, "processed")
    return payout


def lost(stage: Stage) -> UUID:
    """A payout of which nobody knows for two days whether it was sent; its look-up is due."""
    [payout] = in_doubt(stage)
    with owner(stage.url) as database:
        change(database, TWO_DAYS_AGO)
    return payout


def concluded(make: Callable[[], Sweep]) -> Callable[[Stage, Sequence[Side]], None]:
    """Whoever asks has asked, or is to ask now; in the end it is completed, paid once, and nothing is said of it."""

    def check(stage: Stage, _sides: Sequence[Side]) -> None:
        assert set(states(stage)) <= {"PROCESSING", "COMPLETED"}
        stage.bank.finish()
        for job in (recover, follow):
            hurry(stage.worker)
            driving.drive(stage.worker, job(stage.bank))
        assert states(stage) == {"COMPLETED": 1}
        assert len(stage.bank.transfers) == 1
        looks(make)(stage)
        assert open_findings(stage) == []

    return check


GRAVE: Final = Finding(kind=FindingKind.BOOKS_DRIFT, subject="cash INR", detail="off by 1")
ODD: Final = Finding(kind=FindingKind.BOOKS_DRIFT, subject="cash USD", detail="off by 2")


class Stepped(Receiver):
    """Takes alerts; each is a step."""

    def send(self, document: dict[str, object]) -> bool:
        step("alerts: send")
        return super().send(document)


def watches(stage: Stage) -> list[str]:
    """A worker watches, and sends what a person must see; returns what it sent."""
    receiver = Stepped()
    looks(lambda: Watch(receiver))(stage)
    return [str(document["key"]) for document in receiver.got]


def grave(stage: Stage) -> None:
    """Two findings that nobody was told of."""
    with stage.operator.begin() as tx:
        findings.report(tx, [GRAVE, ODD])


def resolves(stage: Stage) -> list[str]:
    """An operator closes one of them."""
    return stage.operator.transact(
        lambda tx: findings.resolve(tx, [GRAVE.key], by="asha", why="mended")
    )


def reports(stage: Stage) -> list[str]:
    """A check sees one of them again, and one more."""
    more = Finding(kind=FindingKind.BOOKS_DRIFT, subject="cash EUR", detail="off by 3")
    return stage.worker.transact(lambda tx: findings.report(tx, [more, ODD]))


def all_told(stage: Stage, sides: Sequence[Side]) -> None:
    """What is open was sent, by one of them or by the next; what was closed stays closed."""
    sent = {key for side in sides for key in side.result or () if side.letter == "A"}
    sent |= set(watches(stage))
    found = rows(stage.worker, "SELECT key, alerted_at, resolved_at, severity FROM findings")
    assert {
        row.key for row in found if row.resolved_at is None and row.severity in {"P0", "P1"}
    } <= sent
    assert all(row.alerted_at for row in found if row.key in sent)


def closed_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Closed by the operator, and not opened again by whoever looked at it before."""
    all_told(stage, sides)
    assert sides[1].result == [GRAVE.key]
    assert GRAVE.key not in open_findings(stage)


def seen_by_both(stage: Stage, sides: Sequence[Side]) -> None:
    """Each finding is one row, and both were told of it, or one of them: an alert may come twice, and never not."""
    sent = [key for side in sides for key in side.result]
    assert {GRAVE.key, ODD.key} <= set(sent)
    found = open_findings(stage)
    assert len(found) == len(set(found)) >= 2


SILENT: Final = Worker(id="here:1:a", host="here", pid=1, version="1", jobs=["payouts.process"])
SINCE: Final = "UPDATE workers SET beat_at = clock_timestamp() - interval '25 hours'"
ASKED: Final = Request(job=Prune.name, queue="rest", version=1, origin=Origin.TICK, key="a tick")
LONG_AGO: Final = """
    UPDATE runs
    SET state = 'crashed', created_at = now() - interval '100 days', ended_at = now() - interval '99 days'"""


def silent(stage: Stage) -> None:
    """A worker that has said nothing for a day."""
    with stage.worker.begin() as tx:
        workers.register(tx, SILENT)
    with owner(stage.url) as database:
        change(database, SINCE)


def beats(stage: Stage) -> bool:
    """It lives after all; where it was forgotten it says who it is again, as its process does."""
    with stage.worker.begin() as tx:
        known = workers.beat(tx, SILENT.id)
    if not known:
        with stage.worker.begin() as tx:
            workers.register(tx, SILENT)
    return known


def lives(stage: Stage, _sides: Sequence[Side]) -> None:
    """Whoever was first, a process that lives is on record."""
    [row] = rows(
        stage.worker, "SELECT beat_at > clock_timestamp() - interval '1 hour' AS ok FROM workers"
    )
    assert row.ok


def crashed(stage: Stage) -> int:
    """A run that crashed a hundred days ago."""
    with stage.worker.begin() as tx:
        [run] = runs.enqueue(tx, [ASKED])
    with owner(stage.url) as database:
        change(database, LONG_AGO)
    return run.id


def queues_again(stage: Stage) -> list[tuple[int, str]]:
    """Somebody queues it again."""
    return stage.worker.transact(lambda tx: run_states.requeue(tx, [stage.given]))


def gone_or_queued(stage: Stage, sides: Sequence[Side]) -> None:
    """What is queued is not pruned, what was pruned is not queued."""
    found = rows(stage.worker, "SELECT state FROM runs")
    assert [row.state for row in found] == (["queued"] if sides[1].result else [])


def prunes_runs(stage: Stage) -> int:
    """One batch of runs goes."""
    return stage.worker.transact(lambda tx: prune.runs(tx, 0, 100)).deleted


ALL: Final = (
    Race(
        name="check_stuck/follow",
        prepare=due,
        sides=(looks(CheckStuck), works(follow, 7)),
        check=concluded(CheckStuck),
    ),
    Race(
        name="check_stuck/recover",
        prepare=lost,
        sides=(looks(CheckStuck), works(recover, 7)),
        check=concluded(CheckStuck),
    ),
    Race(
        name="check_stuck/check_stuck",
        prepare=under_way,
        sides=(looks(CheckStuck), looks(CheckStuck)),
        check=concluded(CheckStuck),
    ),
    Race(
        name="reconcile/webhook",
        prepare=told,
        sides=(looks(ReconcilePayouts), applies(7)),
        check=concluded(ReconcilePayouts),
    ),
    Race(
        name="reconcile/check_stuck",
        prepare=under_way,
        sides=(looks(ReconcilePayouts), looks(CheckStuck)),
        check=concluded(CheckStuck),
    ),
    Race(name="watch/watch", prepare=grave, sides=(watches, watches), check=seen_by_both),
    Race(name="watch/resolve", prepare=grave, sides=(watches, resolves), check=closed_once),
    Race(name="watch/report", prepare=grave, sides=(watches, reports), check=all_told),
    Race(name="prune/beat", prepare=silent, sides=(looks(Prune), beats), check=lives),
    Race(
        name="prune/requeue",
        prepare=crashed,
        sides=(prunes_runs, queues_again),
        check=gone_or_queued,
    ),
    Race(name="prune/prune", prepare=silent, sides=(looks(Prune), looks(Prune))),
)
"""Every race about those that look and those that prune."""
