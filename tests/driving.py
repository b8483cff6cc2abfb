"""One pass of a payout job by hand: claim, act on each, settle; and payouts in every state."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from db.engine import Database
from db.transitions import regain
from db.work import ClaimOrder
from domain.answers import NotSent
from domain.payout_ids import reference
from domain.ports import Bank
from jobs.payouts.follow import FollowPayouts
from jobs.payouts.org_process import ProcessOrganisations
from jobs.payouts.process import ProcessPayouts
from jobs.payouts.recover import RecoverPayouts
from jobs.shapes import Answer, Ask, Drain
from tests.fakes.bank import FakeBank
from tests.operating import change, line, query, take
from workers.sandbox.faults import Fault

LEASE_SECONDS = 15.0


def process(bank: Bank) -> ProcessPayouts:
    """The job that sends."""
    return ProcessPayouts(bank, call_seconds_max=1.0, recover_seconds=(1.0, 2.0))


def org_process(bank: Bank) -> ProcessOrganisations:
    """The job that sends to organisations."""
    return ProcessOrganisations(bank, call_seconds_max=1.0, recover_seconds=(1.0, 2.0))


def recover(bank: Bank) -> RecoverPayouts:
    """The job that asks what became of a send."""
    return RecoverPayouts(bank, call_seconds_max=1.0, recover_seconds=(1.0, 2.0))


def follow(bank: Bank) -> FollowPayouts:
    """The job that follows what was accepted."""
    return FollowPayouts(bank, call_seconds_max=1.0)


def claim(
    database: Database,
    job: Drain[Any, Any],
    *,
    limit: int = 500,
    run: int = 7,
    only: Sequence[UUID] | None = None,
) -> list[Any]:
    """Claim due items of `job`, behind the switches a run obeys; they stay leased."""
    with database.begin() as tx:
        gates = ("maintenance", "restored", *job.gates)
        order = ClaimOrder(
            run=run, limit=limit, lease_seconds=LEASE_SECONDS, gates=gates, only=only
        )
        return list(job.claim(tx, order).items)


def drive(
    database: Database,
    job: Drain[Any, Any],
    *,
    limit: int = 500,
    run: int = 7,
    only: Sequence[UUID] | None = None,
) -> int:
    """Claim once, act on each item, settle; returns how many."""
    items = claim(database, job, limit=limit, run=run, only=only)
    if not items:
        return 0
    results = (
        job.ask(items) if isinstance(job, Ask) else [job.effect(i, lambda: True) for i in items]
    )
    answers = [Answer(item, result) for item, result in zip(items, results, strict=True)]
    with database.begin() as tx:
        job.settle(regain(tx, [item.held for item in items], run=run), answers)
    return len(items)


def hasten(database: Database) -> None:
    """Make everything that waits due, except what is parked or leased."""
    statement = "UPDATE work SET due_at = clock_timestamp() WHERE leased_until IS NULL AND parked_reason IS NULL"
    change(database, statement)


def ids(database: Database, state: str) -> list[UUID]:
    """The payouts in `state`, in the order of their external ids."""
    rows = query(database, "SELECT id FROM payouts WHERE state = :s ORDER BY external_id", s=state)
    return [row.id for row in rows]


def every_state(operator: Database, worker: Database, bank: FakeBank) -> None:
    """Payouts in every state there is: put back, sent again, in doubt, refused, reversed, withdrawn."""
    take(operator, _lines("done", 4), approve=True)
    drive(worker, process(bank))
    for payout in ids(worker, "PROCESSING"):
        bank.settle(reference(payout, 1), "processed")
    hasten(worker)
    drive(worker, follow(bank))
    bank.settle(reference(ids(worker, "COMPLETED")[0], 1), "reversed")
    hasten(worker)
    drive(worker, follow(bank))
    take(operator, _lines("refused", 3), approve=True)
    bank.script(Fault.REFUSE, Fault.REFUSE, Fault.REFUSE)
    drive(worker, process(bank))
    _move(operator, ids(worker, "FAILED")[:2], "APPROVED")
    drive(worker, process(bank))
    take(operator, _lines("back", 2), approve=True)
    bank.script(NotSent(reason="no route"), NotSent(reason="no route"))
    drive(worker, process(bank))
    hasten(worker)
    drive(worker, process(bank), limit=1)
    take(operator, _lines("doubt", 2), approve=True)
    bank.script(Fault.DROP, Fault.DROP)
    drive(worker, process(bank))
    take(operator, _lines("new", 3))
    _move(operator, ids(worker, "PENDING")[:1], "CANCELLED")
    take(operator, _lines("held", 1), approve=True)
    assert len(claim(worker, process(bank))) == 1
    take(operator, _lines("waits", 2), approve=True)


def _lines(name: str, count: int) -> Sequence[Any]:
    return [
        line(f"{name}-{n}", payee=f"Payee {n}", fund_account_id=f"fa_{n}") for n in range(count)
    ]


def _move(operator: Database, payouts: list[UUID], state: str) -> None:
    statement = """SELECT outcome FROM bursar_move('payout', CAST(:ids AS uuid[]), :state, 'asha', 'because')"""
    rows = query(operator, statement, ids=payouts, state=state)
    assert [row.outcome for row in rows] == ["moved"] * len(payouts)
