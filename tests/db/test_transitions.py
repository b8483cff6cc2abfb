"""Moves of state: by the table, under a lease, by compare-and-swap, with their history."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from db import transitions
from db.engine import Database
from db.work import ClaimOrder, Next
from domain.payouts import FOLLOW, PAYOUTS, PROCESS, PayoutState
from tests.builders import change, payout, rows, seed, worker

P = PayoutState
ORDER = ClaimOrder(run=7, limit=100, lease_seconds=15)


@pytest.fixture(params=[("none", 6), ("transaction", 1)], ids=["direct", "pooled"])
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """A worker's database, directly, and as behind a pooler with one connection."""
    pooler, pool_max = request.param
    with worker(database_url, pooler=pooler, pool_max=pool_max) as made:
        yield made


@pytest.fixture
def ids(database_url: str) -> list[UUID]:
    return seed(database_url, 3)


def test_a_move_is_a_swap_and_leaves_its_history(database: Database, ids: list[UUID]) -> None:
    with database.begin() as tx:
        leased = transitions.claim(tx, PROCESS, ORDER)
        moved = transitions.move(leased, PAYOUTS, ids, source=P.APPROVED, target=P.PROCESSING)
        assert set(moved) == set(ids)
        assert transitions.move(leased, PAYOUTS, ids, source=P.APPROVED, target=P.PROCESSING) == []
        token = leased.held[ids[0]].token
    told = rows(database, "SELECT * FROM moves WHERE target = 'PROCESSING'")
    assert {(m.subject, m.source, m.run, m.actor, m.token) for m in told} == {
        (id_, "APPROVED", 7, "run:7", token) for id_ in ids
    }


def test_a_move_that_the_table_does_not_list_is_a_defect(
    database: Database, ids: list[UUID]
) -> None:
    with database.begin() as tx:
        leased = transitions.claim(tx, PROCESS, ORDER)
        for source, target in ((P.FAILED, P.APPROVED), (P.APPROVED, P.COMPLETED)):
            with pytest.raises(AssertionError):
                transitions.move(leased, PAYOUTS, ids, source=source, target=target)


def test_a_subject_that_is_not_held_is_not_moved(database: Database, ids: list[UUID]) -> None:
    """Without the lease there is no token to write, so there is no move."""
    with database.begin() as tx:
        order = ClaimOrder(run=7, limit=1, lease_seconds=15, only=ids[:1])
        leased = transitions.claim(tx, PROCESS, order)
        with pytest.raises(KeyError):
            transitions.move(leased, PAYOUTS, ids, source=P.APPROVED, target=P.PROCESSING)


def test_what_was_taken_over_is_not_regained(database: Database, ids: list[UUID]) -> None:
    """F09, invariant 35."""
    with database.begin() as tx:
        held = list(transitions.claim(tx, PROCESS, ORDER).held.values())
    with database.begin() as tx:
        taken = transitions.seize(tx, ids[:1], run=None, actor="webhook", leased_too=True)
        taken.settle([Next(subject=ids[0], job=FOLLOW)])
    with database.begin() as tx:
        assert set(transitions.regain(tx, held, run=7).held) == set(ids[1:])


@pytest.mark.parametrize(
    ("target", "outcome"),
    [(P.CANCELLED, "busy"), (P.COMPLETED, "illegal"), (P.APPROVED, "illegal")],
)
def test_what_a_worker_holds_nobody_else_moves(
    database: Database, ids: list[UUID], target: PayoutState, outcome: str
) -> None:
    with database.begin() as tx:
        transitions.claim(tx, PROCESS, ORDER)
    with database.begin() as tx:
        told = transitions.unleased_move(
            tx, PAYOUTS, ids[:1], target=target, actor="asha", why="test"
        )
    assert [m.outcome for m in told] == [outcome]
    assert payout(database, ids[0]).state == P.APPROVED


def test_what_may_have_been_sent_is_not_cancelled(database: Database, ids: list[UUID]) -> None:
    with database.begin() as tx:
        [told] = transitions.unleased_move(
            tx, PAYOUTS, ids[:1], target=P.CANCELLED, actor="asha", why="test"
        )
    assert told.outcome == "moved"
    assert payout(database, ids[0]).w_job is None
    change(
        database,
        """INSERT INTO effects (key, kind, subject, generation, provider, account, request, state, sends, token)
           SELECT effect_key, 'payout.submit', id, 1, 'p', 'a', '{}', 'not_sent', 1, 1 FROM payouts WHERE id = :id""",
        id=ids[1],
    )
    with database.begin() as tx:
        [told] = transitions.unleased_move(
            tx, PAYOUTS, ids[1:2], target=P.CANCELLED, actor="asha", why="test"
        )
    assert (told.outcome, payout(database, ids[1]).state) == ("sent", P.APPROVED)
