"""What operators read: the books, what waits, what ran, who runs it, and why."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from db import books, run_listing, run_progress, runs, switches, why, work_listing, workers
from db.books import AccountPage, EntryPage
from db.engine import Database
from db.run_listing import RunPage
from db.runs import Request
from db.work_listing import WorkPage
from db.workers import Worker
from domain.errors import NotFoundError
from domain.listings import WorkState
from domain.payouts import PROCESS
from domain.runs import Origin
from tests.operating import change, claimed, line, one, opened, query, samples, take, with_catalog

PARK = """UPDATE work SET due_at = 'infinity', parked_reason = 'seal', token = NULL, leased_until = NULL, holder = NULL,
                 claims = 3"""
BUSY = Worker(id="h:1:1", host="h", pid=1, version="1", jobs=[PROCESS])


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with_catalog(database_url)
    with opened(database_url) as database:
        yield database


def asked(database: Database, key: str | None = None) -> int:
    request = Request(job=PROCESS, queue="money", version=1, origin=Origin.OPERATOR, key=key)
    with database.begin() as tx:
        return runs.enqueue(tx, [request])[0].id


def test_the_trial_balance_is_equal(operator: Database) -> None:
    lines = samples(40)
    take(operator, lines, approve=True)
    claimed(operator)
    with operator.begin() as tx:
        rows = {row.kind: row for row in books.trial_balance(tx)}
    whole = sum(one.amount_minor for one in lines)
    assert rows["imported_liability"].balance_minor == whole
    assert rows["payouts_in_transit"].balance_minor == whole
    assert rows["payee_payable"].balance_minor == 0
    assert sum(r.debits_minor for r in rows.values()) == sum(r.credits_minor for r in rows.values())


def test_a_trial_balance_of_another_time_comes_from_the_postings_before_it(
    operator: Database,
) -> None:
    take(operator, samples(5), approve=True)
    claimed(operator)
    between = query(operator, "SELECT clock_timestamp() AS now")[0].now
    take(operator, [line("Z-1", payee="Zoe", fund_account_id="fa_z")])
    with operator.begin() as tx:
        now, then = books.trial_balance(tx), books.trial_balance(tx, between)
        later = books.trial_balance(tx, between + timedelta(days=1))
        assert list(books.trial_balance(tx, between - timedelta(days=1))) == []
    assert [tuple(row) for row in later] == [
        tuple(r) for r in now if r.debits_minor + r.credits_minor
    ]
    more = {row.kind: row.credits_minor for row in now}
    less = {row.kind: row.credits_minor for row in then}
    assert more["payee_payable"] - less["payee_payable"] == line().amount_minor
    assert sum(row.debits_minor for row in then) == sum(row.credits_minor for row in then)


def test_accounts_and_entries_page_without_a_gap(operator: Database) -> None:
    take(operator, samples(20))
    with operator.begin() as tx:
        first = books.accounts(tx, AccountPage(limit=5))
        rest = books.accounts(tx, AccountPage(after=first[-1].id, limit=500))
        newest = books.entries(tx, EntryPage(limit=8))
        older = books.entries(tx, EntryPage(after=newest[-1].id, limit=500))
    assert len({row.id for row in [*first, *rest]}) == len(first) + len(rest)
    assert len({row.id for row in [*newest, *older]}) == 20


def test_an_accounts_entries_are_its_own(operator: Database) -> None:
    take(operator, [line("A-1"), line("A-2", payee="Bela", fund_account_id="fa_2")])
    account = query(operator, "SELECT payable FROM payees WHERE name = 'Bela'")[0].payable
    with operator.begin() as tx:
        rows = books.entries(tx, EntryPage(account=account))
    assert [(row.credit, row.amount_minor) for row in rows] == [(account, 125_050)]


def test_a_balance_of_another_day_comes_from_its_postings(operator: Database) -> None:
    one(operator, approve=False)
    account = query(operator, "SELECT payable FROM payees")[0].payable
    now = datetime.now(UTC)
    with operator.begin() as tx:
        assert books.balance(tx, account).balance_minor == 125_050  # type: ignore[union-attr]  # it is there
        later = books.balance(tx, account, now + timedelta(hours=1))
        earlier = books.balance(tx, account, now - timedelta(hours=1))
        assert books.balance(tx, 999_999) is None
    assert later is not None
    assert earlier is not None
    assert (later.balance_minor, earlier.balance_minor) == (125_050, 0)


def test_work_is_due_leased_delayed_or_parked(operator: Database) -> None:
    one(operator, [line("A-1")])
    claimed(operator)
    one(operator, [line("A-2")])
    take(operator, [line("A-3")], approve=True, due_at=datetime.now(UTC) + timedelta(days=1))
    with operator.begin() as tx:
        states = [row.state for row in work_listing.listing(tx, WorkPage())]
    assert sorted(states) == ["delayed", "due", "leased"]


def test_parked_work_is_listed_counted_and_freed_by_name(operator: Database) -> None:
    id_ = one(operator)
    change(operator, PARK)
    with operator.begin() as tx:
        parked = work_listing.listing(tx, WorkPage(state=WorkState.PARKED))
        assert [row.parked_reason for row in parked] == ["seal"]
        assert {row.job: row.parked for row in run_listing.jobs(tx)}[PROCESS] == 1
        assert work_listing.parked(tx, PROCESS, 10) == [id_]
        assert [
            row.subject for row in work_listing.unpark(tx, [id_], actor="asha", why="mended")
        ] == [id_]
    assert query(operator, "SELECT claims, parked_reason FROM work") == [(0, None)]
    told = query(operator, "SELECT source, target, actor, reason FROM moves WHERE kind = 'work'")
    assert told == [("parked", "due", "asha", "mended")]
    assert claimed(operator) == 1


def test_runs_page_from_the_newest(operator: Database) -> None:
    made = [asked(operator, f"k{n}") for n in range(5)]
    with operator.begin() as tx:
        first = run_listing.listing(tx, RunPage(limit=2))
        rest = run_listing.listing(tx, RunPage(after=first[-1].id, limit=9))
        shown = run_listing.show(tx, made[0])
        assert shown is not None
        assert run_listing.moves(tx, shown) == []
    assert [row.id for row in [*first, *rest]] == made[::-1]


def test_a_worker_is_live_until_it_is_silent(operator: Database) -> None:
    with operator.begin() as tx:
        workers.register(tx, BUSY)
        assert workers.knowing(tx, PROCESS) == 1
        assert workers.beat(tx, BUSY.id, claimed=True)
        assert [(w.state, w.last_claim_at is None) for w in workers.listing(tx)] == [
            ("live", False)
        ]
    change(operator, "UPDATE workers SET beat_at = clock_timestamp() - interval '1 minute'")
    with operator.begin() as tx:
        assert [w.state for w in workers.listing(tx)] == ["silent"]
        assert workers.knowing(tx, PROCESS) == 0
        workers.gone(tx, BUSY.id)
        assert not workers.beat(tx, BUSY.id)


def test_a_stopping_worker_is_not_counted_on(operator: Database) -> None:
    with operator.begin() as tx:
        workers.register(tx, BUSY)
        workers.beat(tx, BUSY.id, stopping=True)
        assert workers.knowing(tx, PROCESS) == 0
        assert [w.state for w in workers.listing(tx)] == ["stopping"]


def test_a_dry_run_counts_sums_and_names_the_largest(operator: Database) -> None:
    take(operator, [line("A-1"), line("A-2", amount_minor=900_00)], approve=True)
    with operator.begin() as tx:
        row = run_progress.would_claim(tx, PROCESS, None)[0]
    assert (row.items, row.amount_minor, row.largest_minor, row.currency) == (
        2,
        215_050,
        125_050,
        "INR",
    )


def test_what_remains_is_what_was_due_when_it_was_asked_for(operator: Database) -> None:
    one(operator, [line("A-1")])
    run = asked(operator)
    one(operator, [line("A-2")])
    with operator.begin() as tx:
        row = run_progress.look(tx, run, None)
    assert row is not None
    assert (row.remaining, row.workers, row.state) == (1, 0, "queued")


def test_why_says_what_holds_a_payout(operator: Database) -> None:
    id_ = one(operator)
    with operator.begin() as tx:
        assert why.payout(tx, id_).around.workers == 0
        switches.turn(tx, "job:payouts.process", on=True, who="asha", why="trial")
        facts = why.payout(tx, id_)
    assert facts.place is not None
    assert (facts.place.job, facts.place.is_later, facts.place.holder) == (PROCESS, False, None)
    assert [(g.name, g.who) for g in facts.around.gates] == [("job:payouts.process", "asha")]
    assert facts.last_move == "PENDING -> APPROVED by asha: approved as it was imported"


def test_why_reads_a_leased_and_a_parked_payout(operator: Database) -> None:
    id_ = one(operator)
    claimed(operator)
    with operator.begin() as tx:
        place = why.payout(tx, id_).place
    assert place is not None
    assert place.holder == 1
    change(operator, PARK)
    with operator.begin() as tx:
        place = why.payout(tx, id_).place
    assert place is not None
    assert (place.parked, place.due) == ("seal", "never by itself")


def test_why_knows_the_brake_of_the_bound_account(operator: Database) -> None:
    id_ = one(operator)
    change(operator, "UPDATE installation SET provider = 'razorpayx', account = '7'")
    with operator.begin() as tx:
        switches.turn(tx, "brake:razorpayx:7", on=True, who="bursar", why="http 401")
        switches.turn(tx, "brake:razorpayx:8", on=True, who="bursar", why="another account")
        assert [g.name for g in why.payout(tx, id_).around.gates] == ["brake:razorpayx:7"]


def test_why_a_run_waits(operator: Database) -> None:
    run = asked(operator)
    with operator.begin() as tx:
        facts = why.run(tx, run)
        with pytest.raises(NotFoundError):
            why.run(tx, 999)
        with pytest.raises(NotFoundError):
            why.payout(tx, uuid4())
    assert (facts.state, facts.is_later, facts.worker) == ("queued", False, None)
