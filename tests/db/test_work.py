"""The work table: who may claim, hold, settle, renew, release and take over a row."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from db import switches, transitions, waiting, work
from db.clock import now
from db.engine import Database
from db.work import CLAIMS_MAX, ClaimOrder, Held, Next
from tests.builders import Pooler, add_work, change, expire, owner, rows, worker

JOB = "payouts.process"
THREADS = 16
HELD_BY = """
    SELECT subject, job, token, holder, leased_until, claims, tries, last_error, parked_reason FROM work"""


@pytest.fixture(params=[("none", 6), ("transaction", 1)], ids=["direct", "pooled"])
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """A worker's database, directly, and as behind a pooler with one connection."""
    pooler, pool_max = request.param
    with worker(database_url, pooler=pooler, pool_max=pool_max) as made:
        yield made


@pytest.fixture
def outside(database_url: str) -> Iterator[Database]:
    """The database as its owner."""
    with owner(database_url) as made:
        yield made


def claim(database: Database, limit: int = 100, job: str = JOB, **more: object) -> list[Held]:
    order = ClaimOrder(run=1, limit=limit, **{"lease_seconds": 15.0, **more})  # type: ignore[arg-type]  # by name
    with database.begin() as tx:
        return work.claim(tx, job, order)


def row(database: Database, subject: UUID) -> sa.Row[tuple[object, ...]]:
    return rows(database, "SELECT * FROM work WHERE subject = :s", s=subject)[0]


def settle(database: Database, held: list[Held], nexts: list[Next]) -> int:
    with database.begin() as tx:
        return work.settle(tx, {h.subject: h for h in held}, nexts)


@pytest.mark.parametrize("pooler", ["none", "transaction"])
def test_sixteen_claimers_share_three_thousand_rows_and_never_one(
    database_url: str, pooler: Pooler
) -> None:
    """Invariant 1: a row is held by one claimer at a time; each set has a token of its own."""
    with worker(database_url, pool_max=THREADS, pooler=pooler) as database:
        add_work(database, JOB, 3000)
        barrier = threading.Barrier(THREADS)

        def drain(_: int) -> list[Held]:
            barrier.wait()
            mine = list[Held]()
            while held := claim(database, limit=23):
                mine += held
            return mine

        with ThreadPoolExecutor(THREADS) as threads:
            got = [h for mine in threads.map(drain, range(THREADS)) for h in mine]
    # Skipping what others lock, a claimer may find nothing a moment before another is through.
    assert len(got) == 3000
    assert max(Counter(h.subject for h in got).values()) == 1
    assert max(Counter(h.token for h in got).values()) <= 23
    assert {h.claims for h in got} == {1}


def test_a_claim_takes_the_longest_due_first_and_no_more_than_its_limit(
    database: Database,
) -> None:
    ids = add_work(database, JOB, 10, "clock_timestamp() - make_interval(mins => CAST(n AS int))")
    assert {h.subject for h in claim(database, limit=4)} == set(ids[:4])


def test_parked_later_and_leased_rows_are_never_claimed(database: Database) -> None:
    [parked, later, leased, other] = [
        add_work(database, JOB, 1, "clock_timestamp() - interval '1 s'")[0] for _ in range(4)
    ]
    change(
        database,
        "UPDATE work SET due_at = 'infinity', parked_reason = 'why' WHERE subject = :s",
        s=parked,
    )
    change(
        database,
        "UPDATE work SET due_at = clock_timestamp() + interval '1 s' WHERE subject = :s",
        s=later,
    )
    change(database, "UPDATE work SET job = 'payouts.follow' WHERE subject = :s", s=other)
    assert [h.subject for h in claim(database)] == [leased]
    assert claim(database) == []


def test_a_lapsed_lease_is_claimed_again_by_the_same_job_with_a_greater_token(
    database: Database,
) -> None:
    """F02, I8: takeover after expiry; each takeover has a greater token, and claims count."""
    add_work(database, JOB, 1)
    tokens = []
    for claims in (1, 2, 3):
        [held] = claim(database)
        assert held.claims == claims
        assert held.is_suspect == (claims > 1)
        tokens.append(held.token)
        expire(database)
    assert tokens == sorted(set(tokens))


def test_a_row_claimed_before_goes_alone(database: Database) -> None:
    """F12: only the item that kills its worker is counted again, for it is claimed alone."""
    [suspect] = add_work(database, JOB, 1)
    claim(database)
    expire(database)
    change(database, "UPDATE work SET leased_until = clock_timestamp() - interval '1 min'")
    fresh = add_work(database, JOB, 5)
    assert [(h.subject, h.claims) for h in claim(database)] == [(suspect, 2)]
    assert {h.subject for h in claim(database)} == set(fresh)


def test_what_was_claimed_once_comes_in_small_sets_and_what_was_claimed_twice_alone(
    database: Database,
) -> None:
    """F12: a hundred rows of a killed worker are not worked off one by one, and its killer is soon alone."""
    add_work(database, JOB, 100)
    claim(database)
    expire(database)
    apart = claim(database)
    assert [h.claims for h in apart] == [2] * 10
    change(
        database,
        "UPDATE work SET leased_until = clock_timestamp() - interval '1 min' WHERE claims = 2",
    )
    assert [h.claims for h in claim(database)] == [3]
    change(database, "DELETE FROM work WHERE claims > 1")
    assert [h.claims for h in claim(database)] == [2] * 10


def test_fresh_rows_go_without_the_suspects_among_them(database: Database) -> None:
    """F12: a suspect further back does not come with a set of fresh rows."""
    add_work(database, JOB, 1)
    claim(database)
    expire(database)
    fresh = add_work(database, JOB, 3, "clock_timestamp() - interval '1 min'")
    assert {h.subject for h in claim(database)} == set(fresh)
    assert [h.claims for h in claim(database)] == [2]


def test_a_row_is_worn_after_three_claims_without_a_settle(database: Database) -> None:
    add_work(database, JOB, 1)
    worn = []
    for _ in range(CLAIMS_MAX + 1):
        [held] = claim(database)
        worn.append(held.is_worn)
        expire(database)
    assert worn == [False, False, False, True]


@pytest.mark.parametrize("gate", ["maintenance", "queue:money", "brake:razorpayx:1"])
def test_a_switch_that_is_on_lets_nothing_be_claimed(database: Database, gate: str) -> None:
    """Invariant 18: held back, nothing changes."""
    [subject] = add_work(database, JOB, 1)
    before = row(database, subject)
    with database.begin() as tx:
        switches.turn(tx, gate, on=True, who="asha", why="test")
    assert claim(database, gates=("maintenance", "queue:money", "brake:razorpayx:1")) == []
    assert row(database, subject) == before
    with database.begin() as tx:
        switches.turn(tx, gate, on=False, who="asha", why="test")
    assert len(claim(database, gates=("maintenance", gate))) == 1


def test_a_scope_claims_its_subjects_alone(database: Database) -> None:
    ids = add_work(database, JOB, 5)
    assert {h.subject for h in claim(database, only=ids[2:4])} == set(ids[2:4])
    assert claim(database, only=[uuid4()]) == []
    assert claim(database, only=[]) == []


def test_a_scope_is_told_why_a_subject_was_not_claimed(database: Database) -> None:
    ids = add_work(database, JOB, 4)
    held = claim(database, only=ids[:1])
    change(
        database,
        "UPDATE work SET due_at = 'infinity', parked_reason = 'sealed' WHERE subject = :s",
        s=ids[1],
    )
    change(database, "UPDATE work SET due_at = '2099-01-01Z' WHERE subject = :s", s=ids[2])
    change(database, "UPDATE work SET job = 'payouts.follow' WHERE subject = :s", s=ids[3])
    stranger = uuid4()
    with database.begin() as tx:
        why = waiting.why_not_claimed(tx, JOB, [*ids, stranger])
    assert held
    assert why[ids[0]].startswith("run 1 holds it until")
    assert why[ids[1]] == "it is parked: sealed"
    assert why[ids[2]] == "it is due at 2099-01-01 00:00:00 UTC"
    assert why[ids[3]] == "it waits for payouts.follow"
    assert why[stranger] == "it waits for no job"


def test_a_release_undoes_a_claim_exactly(database: Database) -> None:
    """As if it had not been claimed, but due now and with a spent token."""
    [subject] = add_work(database, JOB, 1, "clock_timestamp() - interval '1 h'")
    before = row(database, subject)
    held = claim(database)
    with database.begin() as tx:
        assert work.release(tx, held) == {subject}
    after = row(database, subject)
    unlike = [n for n, b, a in zip(before._fields, before, after, strict=True) if a != b]
    assert unlike == ["due_at"]
    with database.begin() as tx:
        assert work.release(tx, held) == set()
    assert [h.claims for h in claim(database)] == [1]


def test_settle_deletes_dates_hands_over_and_parks_in_one_statement(database: Database) -> None:
    ids = add_work(database, JOB, 4)
    held = claim(database)
    done = settle(
        database,
        held,
        [
            Next(subject=ids[0], job=None),
            Next(subject=ids[1], job=JOB, delay=timedelta(hours=1), tries=2, error="later"),
            Next(subject=ids[2], job="payouts.follow"),
            Next(subject=ids[3], job=JOB, parked="look", error="look"),
        ],
    )
    assert done == 4
    left = {r.subject: r for r in rows(database, HELD_BY)}
    assert ids[0] not in left
    assert [(r.token, r.holder, r.leased_until, r.claims) for r in left.values()] == [
        (None, None, None, 0)
    ] * 3
    assert (left[ids[1]].tries, left[ids[1]].last_error) == (2, "later")
    assert left[ids[2]].job == "payouts.follow"
    assert left[ids[3]].parked_reason == "look"
    assert [h.subject for h in claim(database)] == []
    assert [h.subject for h in claim(database, job="payouts.follow")] == [ids[2]]


def test_a_stale_token_settles_renews_and_releases_nothing(database: Database) -> None:
    """F08, F09, invariant 35: whoever slept past its lease changes nothing."""
    [subject] = add_work(database, JOB, 1)
    sleeper = claim(database)
    expire(database)
    taker = claim(database)
    before = row(database, subject)
    assert settle(database, sleeper, [Next(subject=subject, job=None)]) == 0
    with database.begin() as tx:
        assert work.release(tx, sleeper) == set()
        assert work.renew(tx, sleeper, [], 15) == (set(), set())
        assert transitions.regain(tx, sleeper, run=1).held == {}
    assert row(database, subject) == before
    assert settle(database, taker, [Next(subject=subject, job=None)]) == 1


def test_a_renewal_skips_what_is_being_settled_and_extends_the_rest(database_url: str) -> None:
    """A renewal never waits for this process's own settle."""
    with worker(database_url) as database:
        ids = add_work(database, JOB, 3)
        held = claim(database)
        before = {r.subject: r.leased_until for r in rows(database, "SELECT * FROM work")}
        with database.begin() as settling:
            work.regain(settling, [h for h in held if h.subject == ids[0]])
            with database.begin() as tx:
                assert work.renew(tx, held, [], 60)[0] == set(ids[1:])
        after = {r.subject: r.leased_until for r in rows(database, "SELECT * FROM work")}
    assert [after[i] > before[i] + timedelta(seconds=30) for i in ids] == [False, True, True]


def test_a_seizure_fences_whoever_held_the_row(database: Database) -> None:
    """F09, F68: a provider's final answer takes the row; its holder's settle changes nothing."""
    [subject] = add_work(database, JOB, 1)
    [held] = claim(database)
    with database.begin() as tx:
        leased = transitions.seize(tx, [subject], run=None, actor="webhook", leased_too=True)
        assert leased.held[subject].token > held.token
        leased.settle([Next(subject=subject, job="payouts.follow")])
    assert settle(database, [held], [Next(subject=subject, job=None)]) == 0
    assert row(database, subject).job == "payouts.follow"


def test_an_operator_seizes_only_what_nobody_holds(database: Database) -> None:
    leased, free = add_work(database, JOB, 2)
    claim(database, only=[leased])
    with database.begin() as tx:
        taken = transitions.seize(tx, [leased, free], run=None, actor="asha", leased_too=False)
        assert set(taken.held) == {free}


def test_only_the_databases_clock_of_the_moment_counts(database_url: str) -> None:
    """Ready means now, not when the transaction began: a long transaction sees what became due."""
    with worker(database_url) as database, database.begin() as tx:
        began = now(tx)
        [subject] = add_work(database, JOB, 1)
        [held] = work.claim(tx, JOB, ClaimOrder(run=1, limit=1, lease_seconds=15))
        left = tx.scalar(
            sa.text("SELECT leased_until - :began FROM work WHERE subject = :s"),
            began=began,
            s=subject,
        )
        assert held.subject == subject
        assert left > timedelta(seconds=15)


def test_a_backlog_is_counted_no_further_than_it_matters(database: Database) -> None:
    """A run's end reads a bounded part of what waits, however many millions that is."""
    add_work(database, JOB, waiting.DUE_MAX + 200)
    with database.begin() as tx:
        assert waiting.due(tx, JOB, now(tx)).items == waiting.DUE_MAX
