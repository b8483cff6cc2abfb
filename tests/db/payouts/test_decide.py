"""Decisions of operators: one outcome for each payout, never from under a worker."""

from uuid import uuid4

from db.engine import Database
from db.payouts import listing
from db.payouts.decide import decide
from db.transitions import Moved
from domain.decisions import Decision
from domain.payouts import PayoutState
from tests.operating import change, claimed, line, one, query, samples, take


def decided(database: Database, decision: Decision, *payouts: object) -> list[Moved]:
    with database.begin() as tx:
        ids = list(payouts) or listing.in_state(tx, PayoutState.PENDING, after=None, limit=1_000)
        return decide(tx, decision, ids, actor="asha", why="checked")  # type: ignore[arg-type]  # ids of payouts


def state(database: Database) -> str:
    return str(query(database, "SELECT state FROM payouts")[0].state)


def failed(operator: Database, worker: Database) -> object:
    """A payout its provider refused."""
    id_ = one(operator)
    assert claimed(worker) == 1
    change(worker, "UPDATE payouts SET state = 'FAILED'")
    change(worker, "UPDATE effects SET state = 'rejected'")
    change(worker, "DELETE FROM work")
    return id_


def test_a_set_is_approved_in_one_go(operator: Database, worker: Database) -> None:
    take(operator, samples(500))
    assert {m.outcome for m in decided(operator, Decision.APPROVE)} == {"moved"}
    assert claimed(worker, limit=1_000) == 500


def test_history_says_who_and_why(operator: Database) -> None:
    id_ = one(operator, approve=False)
    decided(operator, Decision.APPROVE, id_)
    assert query(operator, "SELECT subject, source, target, actor, reason FROM moves") == [
        (id_, "PENDING", "APPROVED", "asha", "checked")
    ]


def test_what_was_rejected_is_never_sent(operator: Database, worker: Database) -> None:
    id_ = one(operator, approve=False)
    assert decided(operator, Decision.REJECT, id_)[0].outcome == "moved"
    assert decided(operator, Decision.APPROVE, id_)[0].outcome == "illegal"
    assert claimed(worker) == 0


def test_an_approved_payout_is_cancelled_while_nothing_was_sent(
    operator: Database, worker: Database
) -> None:
    id_ = one(operator)
    assert decided(operator, Decision.CANCEL, id_)[0].outcome == "moved"
    assert (state(operator), claimed(worker)) == ("CANCELLED", 0)


def test_reject_never_cancels_what_was_approved(operator: Database) -> None:
    id_ = one(operator)
    assert decided(operator, Decision.REJECT, id_)[0].outcome == "illegal"
    assert state(operator) == "APPROVED"


def test_what_a_worker_sends_is_not_cancelled(operator: Database, worker: Database) -> None:
    """Once a send may have begun, only the provider's answer moves a payout."""
    id_ = one(operator)
    assert claimed(worker) == 1
    assert decided(operator, Decision.CANCEL, id_)[0].outcome == "illegal"
    assert state(operator) == "PROCESSING"


def test_retry_sends_a_failure_under_a_new_key(operator: Database, worker: Database) -> None:
    """Invariant 6: a new key only after a definite failure."""
    id_ = failed(operator, worker)
    before = query(operator, "SELECT effect_key FROM payouts")[0].effect_key
    assert decided(operator, Decision.APPROVE, id_)[0].outcome == "illegal"
    assert decided(operator, Decision.RETRY, id_)[0].outcome == "moved"
    row = query(operator, "SELECT state, generation, effect_key FROM payouts")[0]
    assert (row.state, row.generation) == ("APPROVED", 2)
    assert row.effect_key != before


def test_retry_leaves_what_did_not_fail(operator: Database) -> None:
    id_ = one(operator, approve=False)
    assert decided(operator, Decision.RETRY, id_)[0].outcome == "illegal"


def test_what_is_missing_is_named(operator: Database) -> None:
    missing = uuid4()
    present = one(operator, [line("A-9")], approve=False)
    outcomes = {m.subject: m.outcome for m in decided(operator, Decision.APPROVE, missing, present)}
    assert outcomes == {missing: "missing", present: "moved"}
