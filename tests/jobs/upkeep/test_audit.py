"""The audit in the background: a page at a time, findings for what is broken, healed when it is gone."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from db.engine import Database
from domain.tally import Count, Tally
from jobs.upkeep import audit as job_module
from jobs.upkeep.audit import AuditBooks
from tests.driving import every_state
from tests.fakes.bank import FakeBank
from tests.operating import change, opened, query


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


@pytest.fixture
def worker(database_url: str, operator: Database) -> Iterator[Database]:
    """A database with payouts in every state, as a worker."""
    with opened(database_url, "bursar_worker") as database:
        every_state(operator, database, FakeBank())
        yield database


def audit(worker: Database, *, pages: int | None = None) -> Tally:
    """A whole audit, each page in its own transaction, its cursor kept as JSON keeps it."""
    tally, cursor, done = Tally(), dict[str, Any](), 0
    while done != pages:
        with worker.begin() as tx:
            page = AuditBooks().page(tx, cursor, run=1)
        tally, done = tally + page.tally, done + 1
        if page.cursor is None:
            break
        cursor = dict(page.cursor)
    return tally


def open_findings(worker: Database) -> dict[str, str]:
    rows = query(worker, "SELECT key, detail FROM findings WHERE resolved_at IS NULL")
    return {row.key: row.detail for row in rows}


@pytest.mark.parametrize("page", [1, 7, 2000])
def test_what_is_sound_has_no_finding(
    worker: Database, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(job_module, "PAGE", page)
    tally = audit(worker)
    assert open_findings(worker) == {}
    assert tally[Count.FAILED] == 0
    assert tally[Count.PROCESSED] > 100


def test_missing_work_is_a_finding_until_it_is_back(worker: Database) -> None:
    lost = query(worker, "SELECT job, subject FROM work WHERE job = 'payouts.recover' LIMIT 1")[0]
    change(worker, "DELETE FROM work WHERE subject = :id", id=lost.subject)
    assert audit(worker)[Count.FAILED] > 0
    assert "it waits for nothing" in open_findings(worker)[f"work-missing:payout {lost.subject}"]
    audit(worker)
    change(
        worker, "INSERT INTO work (job, subject) VALUES (:job, :id)", job=lost.job, id=lost.subject
    )
    audit(worker)
    assert open_findings(worker) == {}
    rows = query(worker, "SELECT seen, auto_healed FROM findings WHERE kind = 'work-missing'")
    assert [(row.seen, row.auto_healed) for row in rows] == [(2, True)]


def test_drift_of_the_books_is_a_finding(worker: Database) -> None:
    change(worker, "UPDATE ledger_totals SET amount = amount + 1 WHERE type = 'payout.failed'")
    audit(worker)
    (detail,) = open_findings(worker).values()
    assert detail.startswith("totals-are-their-entries: stored")


def test_large_books_are_summed_up_by_the_command_alone_and_their_findings_stay(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(worker, "UPDATE ledger_totals SET amount = amount + 1 WHERE type = 'payout.failed'")
    audit(worker)
    monkeypatch.setattr("db.audit.outcome.DEEP_ENTRIES_MAX", 0)
    tally = audit(worker)
    assert tally[Count.FAILED] == 0
    assert len(open_findings(worker)) == 1


def test_an_audit_that_stops_half_way_heals_nothing(worker: Database) -> None:
    change(worker, "UPDATE ledger_totals SET amount = amount + 1 WHERE type = 'payout.failed'")
    audit(worker)
    audit(worker, pages=3)
    assert len(open_findings(worker)) == 1


def test_many_offences_are_named_up_to_a_bound_and_counted(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "NAMED_MAX", 3)
    monkeypatch.setattr(job_module, "PAGE", 2)
    with worker.begin() as tx:
        gone = tx.run(sa.text("DELETE FROM work"))
    audit(worker)
    found = {k: d for k, d in open_findings(worker).items() if k.startswith("work-missing")}
    assert gone > 8
    assert f"{gone} so far" in found["work-missing:work-fits-state"]
    assert len(found) < gone
