"""The one item of a set that breaks a rule: found in halves, put off by name, and what becomes of it at last."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.errors import LockedError
from db.transitions import LeasedTx
from domain.payouts import PROCESS, RECOVER
from tests.builders import (
    add_work,
    assert_paid_once,
    change,
    house,
    hurry,
    payout,
    rows,
    seed,
)
from tests.workers.runner.banks import TwinBank
from tests.workers.runner.jobs import EXPIRE, Stubborn
from workers.runner import drain, guilty

TAKEN = """
    WITH other AS (
      INSERT INTO effects (key, kind, subject, generation, provider, account, request, state, sends, token, provider_id)
      VALUES (gen_random_uuid(), 'other', gen_random_uuid(), 1, 'razorpayx', '2323230000000001', '{}', 'accepted', 1, 1,
              'pout_taken') RETURNING *)
    INSERT INTO effect_payments (provider, account, provider_id, key)
    SELECT provider, account, provider_id, key FROM other"""
"""An effect that has the name a twin is given."""


def empty(outside: Database, id_: UUID) -> None:
    """Let the books owe the payee of a payout nothing: its claim is refused."""
    statement = "UPDATE balances b SET credits = 0 FROM payouts p WHERE b.account = p.payable AND p.id = :id"
    change(outside, statement, id=id_)


def test_one_item_that_cannot_be_settled_stops_none_of_its_siblings(
    database_url: str, outside: Database
) -> None:
    """Invariant 78: in halves until only the guilty item fails: 49 of 50 done, one put off with its error."""
    ids = seed(database_url, 50)
    change(outside, TAKEN)
    bank = TwinBank()
    bank.twin = str(ids[30])
    with house(database_url, bank, concurrency=16) as home:
        ended = home.run(PROCESS)
        assert (ended.state, ended.tally["succeeded"], ended.tally["failed"]) == ("failed", 49, 1)
        found = payout(outside, ids[30])
        assert (found.state, found.e_state, found.w_tries) == ("PROCESSING", "intended", 1)
        assert found.w_error.startswith("could not be settled")
        assert 1 < found.w_wait <= 5
        answers = rows(outside, "SELECT answer FROM effect_answers WHERE NOT moved")
        assert {row.answer for row in answers} == {"accepted"}
    assert_paid_once(bank, ids)


def test_what_was_sent_and_cannot_be_settled_is_looked_up_in_the_end_not_parked(
    database_url: str, outside: Database
) -> None:
    """Invariant 8: whatever its answer was, the bank is asked, and here it says what can be written down."""
    [id_] = seed(database_url, 1)
    change(outside, TAKEN)
    bank = TwinBank()
    bank.twin = str(id_)
    with house(database_url, bank) as home:
        for _ in range(4):
            assert home.run(PROCESS).tally["failed"] == 1
            hurry(outside, PROCESS)
        ended = home.run(PROCESS)
        assert (ended.state, ended.tally["unknown"], ended.tally["failed"]) == ("failed", 1, 0)
        found = payout(outside, id_)
        assert (found.state, found.w_job, found.w_parked) == ("PROCESSING", RECOVER, None)
        assert found.w_error.startswith("could not be settled")
        home.run(RECOVER)
        assert payout(outside, id_).e_state == "accepted"
    assert_paid_once(bank, [id_])


def test_one_item_that_cannot_be_claimed_stops_none_of_its_siblings(
    database_url: str, outside: Database
) -> None:
    """49 of 50 sent; the one whose books refuse it is put off, parked at last, and each run kept the refusal once."""
    ids = seed(database_url, 50, payees=50)
    empty(outside, ids[30])
    with house(database_url) as home:
        ended = home.run(PROCESS)
        assert (ended.state, ended.tally["succeeded"], ended.tally["failed"]) == ("failed", 49, 1)
        found = payout(outside, ids[30])
        assert (found.state, found.e_state, found.w_tries) == ("APPROVED", None, 1)
        assert found.w_error.startswith("could not be claimed")
        for _ in range(4):
            hurry(outside, PROCESS)
            home.run(PROCESS)
        assert payout(outside, ids[30]).w_parked is not None
    kept = rows(
        outside, "SELECT DISTINCT key, type, run, actor FROM rejected_postings ORDER BY run"
    )
    assert {row.key for row in kept} == {f"payout:{ids[30]}:1:submitted"}
    assert [row.actor for row in kept] == [f"run:{row.run}" for row in kept]
    assert len(kept) == len(rows(outside, "SELECT FROM rejected_postings")) == 5
    assert_paid_once(home.bank, [i for i in ids if i != ids[30]])


def test_when_somebody_takes_the_guilty_row_meanwhile_no_other_is_put_off_for_it(
    database_url: str, outside: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers find the same row to be guilty; what the second would claim next is innocent."""
    ids = seed(database_url, 3, payees=3)
    empty(outside, ids[0])
    change(
        outside, "UPDATE work SET due_at = due_at - interval '1 h' WHERE subject = :id", id=ids[0]
    )

    def taken_first(*arguments: object) -> object:
        statement = """UPDATE work SET token = nextval('tokens'), holder = 99, claims = 1,
                         leased_until = clock_timestamp() + interval '1 h' WHERE subject = :id"""
        assert change(outside, statement, id=ids[0]) == 1
        return guilty.postpone(*arguments)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(drain, "postpone", taken_first)
    with house(database_url) as home:
        ended = home.run(PROCESS)
    assert (ended.tally["failed"], ended.tally["succeeded"]) == (0, 2)
    assert [payout(outside, id_).w_error for id_ in ids] == [None] * 3
    assert_paid_once(home.bank, ids[1:])


def test_what_is_parked_for_its_rows_was_never_sent(database_url: str, outside: Database) -> None:
    """Of two that are given up, the one whose send may have begun is asked about."""
    ids = seed(database_url, 2)
    with house(database_url) as home:
        process = home.jobs[PROCESS]
        with home.database.begin() as tx:
            assert process.in_doubt(tx, ids) == {}
        change(
            outside,
            "UPDATE work SET due_at = 'infinity', parked_reason = 'x' WHERE subject = :id",
            id=ids[0],
        )
        home.run(PROCESS)
        with home.database.begin() as tx:
            assert process.in_doubt(tx, ids) == {ids[1]: RECOVER}


def misses(_: LeasedTx) -> bool:
    raise KeyError("a fact nobody wrote")


def breaks_a_rule(tx: LeasedTx) -> bool:
    return bool(tx.scalar(sa.text("SELECT 1 / 0")))


def waits(_: LeasedTx) -> bool:
    raise LockedError("canceling statement due to lock timeout")


def at_its_end(
    database_url: str, outside: Database, way: Callable[[LeasedTx], bool]
) -> tuple[str | None, str]:
    """Why the poison of a set is parked, after its last try, and its error; its siblings were done."""
    with house(database_url, jobs={}) as home:
        ids = add_work(home.database, EXPIRE, 4)
        home.jobs = {EXPIRE: Stubborn(ids[2], way)}
        change(outside, "UPDATE work SET tries = 4 WHERE subject = :id", id=ids[2])
        ended = home.run(EXPIRE)
    assert (ended.tally["succeeded"], ended.tally["processed"]) == (3, 4)
    [left] = rows(outside, "SELECT subject, parked_reason, last_error FROM work")
    assert left.subject == ids[2]
    return left.parked_reason, left.last_error


@pytest.mark.parametrize(
    ("way", "said"), [(misses, "a fact nobody wrote"), (breaks_a_rule, "division by zero")]
)
def test_what_cannot_even_be_given_up_is_parked_and_its_run_goes_on(
    database_url: str, outside: Database, way: Callable[[LeasedTx], bool], said: str
) -> None:
    """Invariant 78: nothing of the try is left behind, and a person reads both errors."""
    parked, error = at_its_end(database_url, outside, way)
    assert parked is not None
    assert parked.startswith("could not be done: ")
    assert "; nor could it be given up: " in parked
    assert said in parked
    assert error == parked


def test_what_waits_for_a_lock_to_be_given_up_comes_again(
    database_url: str, outside: Database
) -> None:
    """What somebody else's lock does to an item parks it not."""
    parked, error = at_its_end(database_url, outside, waits)
    assert parked is None
    assert "lock timeout" in error
