"""What the database does to a run: commits in doubt, a server that is gone, items that break a rule."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from db.engine import Database
from domain.payouts import PROCESS
from tests.builders import (
    Pooler,
    assert_paid_once,
    assert_sound,
    change,
    expire,
    house,
    hurry,
    owner,
    payout,
    rows,
    seed,
    states,
)
from tests.servers import Cluster, kill
from tests.waiting import eventually
from tests.workers.runner.banks import GarbledBank, OpeningBank, SlowBank
from tests.workers.runner.cuts import CLAIM, CONFIRM, EVIDENT, SETTLE, Lost, cut
from workers.sandbox.faults import Fault

POOLS = pytest.mark.parametrize(
    ("pooler", "pool_max"), [("none", 6), ("transaction", 1)], ids=["direct", "pooled"]
)
BOTH = pytest.mark.parametrize("lost", list(Lost), ids=["reply", "request"])


@POOLS
@BOTH
def test_a_claim_whose_commit_is_in_doubt_is_looked_up_not_assumed(
    database_url: str, outside: Database, lost: Lost, pooler: Pooler, pool_max: int
) -> None:
    """F16: evidence is our token on the rows; at most one lease, one send each, none forgotten."""
    ids = seed(database_url, 40)
    with house(database_url, batch_max=10, pooler=pooler, pool_max=pool_max) as home:
        with cut(home.database, CLAIM, lost) as happened:
            ended = home.run(PROCESS)
        assert happened.is_set()
    assert ended.tally["succeeded"] == 40
    assert {r.sends for r in rows(outside, "SELECT sends FROM effects")} == {1}
    assert_paid_once(home.bank, ids)
    assert_sound(outside)


@POOLS
@BOTH
def test_a_settle_whose_commit_is_in_doubt_happens_once(
    database_url: str, outside: Database, lost: Lost, pooler: Pooler, pool_max: int
) -> None:
    """F17, invariant 10: evidence is the answer under our token; the bank is not asked again."""
    ids = seed(database_url, 40)
    with house(database_url, batch_max=10, pooler=pooler, pool_max=pool_max) as home:
        with cut(home.database, SETTLE, lost) as happened:
            ended = home.run(PROCESS)
        assert happened.is_set()
    assert (ended.tally["processed"], ended.tally["fenced"]) == (40, 0)
    answers = rows(
        outside, "SELECT key, count(*) AS n FROM effect_answers WHERE moved GROUP BY key"
    )
    assert [answer.n for answer in answers] == [1] * 40
    assert len(home.bank.submits) == 40
    assert_paid_once(home.bank, ids)
    assert_sound(outside)


@BOTH
def test_a_settle_whose_commit_is_in_doubt_is_counted_by_what_was_answered(
    database_url: str, outside: Database, lost: Lost
) -> None:
    """F17: the run's tally says of each class how many there were, committed at once or at the second try."""
    seed(database_url, 12)
    with house(database_url, batch_max=12, linger_seconds=0.5) as home:
        home.bank.script(*[Fault.REFUSE] * 3, *[Fault.DROP] * 4)
        with cut(home.database, SETTLE, lost) as happened:
            ended = home.run(PROCESS)
        assert happened.is_set()
    counted = {name: count for name, count in ended.tally.items() if count}
    assert counted == {"processed": 12, "succeeded": 5, "failed": 3, "unknown": 4}


@BOTH
def test_when_the_look_for_evidence_is_lost_as_well_no_item_is_blamed(
    database_url: str, outside: Database, lost: Lost
) -> None:
    """F17: settled once, by the first commit or by the next under the same token."""
    ids = seed(database_url, 20)
    with house(database_url, batch_max=10) as home:
        with (
            cut(home.database, SETTLE, lost) as settled,
            cut(home.database, EVIDENT, Lost.REPLY) as looked,
        ):
            ended = home.run(PROCESS)
        assert settled.is_set()
        assert looked.is_set()
    assert ended.reason is None
    assert (ended.tally["succeeded"], ended.tally["fenced"]) == (20, 0)
    assert rows(outside, "SELECT FROM work WHERE last_error IS NOT NULL") == []
    answers = rows(outside, "SELECT count(*) AS n FROM effect_answers WHERE moved GROUP BY key")
    assert [answer.n for answer in answers] == [1] * 20
    assert len(home.bank.submits) == 20
    assert_paid_once(home.bank, ids)
    assert_sound(outside)


@BOTH
def test_when_the_look_at_a_claim_is_lost_as_well_its_rows_come_back_by_their_lease(
    database_url: str, outside: Database, lost: Lost
) -> None:
    """F16: nobody knows whether they are ours, so nothing is sent and nobody is blamed."""
    ids = seed(database_url, 20)
    with house(database_url, batch_max=10) as home:
        with (
            cut(home.database, CLAIM, lost) as claimed,
            cut(home.database, CONFIRM, Lost.REPLY) as looked,
        ):
            home.run(PROCESS)
        assert claimed.is_set()
        assert looked.is_set()
        assert rows(outside, "SELECT FROM work WHERE last_error IS NOT NULL") == []
        expire(outside)
        home.run(PROCESS)
    assert_paid_once(home.bank, ids)
    assert_sound(outside)


def test_an_answer_that_cannot_be_written_down_at_all_ends_neither_the_settler_nor_the_run(
    database_url: str, outside: Database
) -> None:
    """Its siblings are settled; its lease lapses; claimed alone, it holds up nobody for ever."""
    ids = seed(database_url, 50)
    bank = GarbledBank()
    bank.about = str(ids[30])
    with house(database_url, bank, batch_max=10) as home:
        ended = home.in_background(PROCESS).end(10)
        assert (ended.state, ended.tally["succeeded"]) == ("failed", 49)
        guilty = payout(outside, ids[30])
        assert (guilty.state, guilty.e_state, guilty.w_claims) == ("PROCESSING", "intended", 1)
        expire(outside)
        assert home.in_background(PROCESS).end(10).state == "failed"
    assert_paid_once(bank, ids)


def test_a_row_that_somebody_holds_locked_is_put_off_alone(
    database_url: str, outside: Database
) -> None:
    """F27: after lock_timeout that one is postponed, its sibling settled, and later it is done."""
    ids = seed(database_url, 2)
    # However often it was put off before: somebody else's lock parks nothing.
    change(outside, "UPDATE work SET tries = 9")
    accepted = "SELECT FROM effects WHERE state = 'accepted'"
    put_off = "SELECT FROM work WHERE last_error LIKE 'could not be settled%'"
    stuck = sa.create_engine(database_url, poolclass=sa.pool.NullPool)
    with house(database_url) as home:
        with home.bank.held() as hold:
            run = home.in_background(PROCESS)
            hold.wait_for(2)
            with stuck.begin() as idle:
                idle.execute(
                    sa.text("SELECT FROM bursar.effects WHERE subject = :s FOR UPDATE"),
                    {"s": ids[0]},
                )
                hold.release()
                eventually(lambda: rows(outside, accepted) and rows(outside, put_off))
        assert run.end().tally["failed"] == 1
        hurry(outside)
        home.run(PROCESS)
    assert len(rows(outside, accepted)) == 2
    assert_paid_once(home.bank, ids)
    assert_sound(outside)


def test_postgres_killed_and_restarted_under_a_run_loses_and_doubles_nothing(
    own_servers: Cluster, own_database_url: str
) -> None:
    """F19, invariants 1 and 10: kill -9 with calls in flight; each is settled once, in the end."""
    ids = seed(own_database_url, 300)
    bank = SlowBank(0.02)
    with house(own_database_url, bank, lease_seconds=60, call_seconds_max=1) as home:
        run = home.in_background(PROCESS)
        eventually(lambda: len(bank.submits) > 50)
        kill(own_servers.postgres)
        assert len(bank.submits) < 300
        own_servers.postgres.start()
        assert run.end().state == "succeeded"  # it went on by itself
        with owner(own_database_url) as outside:

            def drained() -> bool:
                expire(outside)
                hurry(outside, PROCESS)
                home.run(PROCESS)
                return not rows(outside, "SELECT FROM work WHERE job = :j", j=PROCESS)

            eventually(drained)
            assert states(outside) == {"PROCESSING": 300}
            settled = rows(
                outside, "SELECT count(*) AS n FROM effect_answers WHERE moved GROUP BY key"
            )
            assert [s.n for s in settled] == [1] * 300
            change(outside, "DELETE FROM runs WHERE state = 'running'")
            assert_sound(outside)
    assert_paid_once(bank, ids)


@POOLS
def test_two_processes_share_a_thousand_payouts_and_each_is_sent_once(
    database_url: str, outside: Database, pooler: Pooler, pool_max: int
) -> None:
    """Invariant 1: two workers, one bank, books exact."""
    count = 1000
    ids = seed(database_url, count, payees=100)
    calls = 4
    bank = OpeningBank(together=calls + 1)  # more than one of them may have in flight
    limits: dict[str, Any] = {"pool_max": pool_max, "budget_seconds": 240, "concurrency": calls}
    with (
        house(database_url, bank, pooler=pooler, **limits) as one,
        house(database_url, bank, pooler=pooler, **limits) as other,
    ):
        running = [home.in_background(PROCESS) for home in (one, other)]
        tallies = [run.end(300).tally for run in running]
    assert sum(tally["succeeded"] for tally in tallies) == count
    assert min(tally["succeeded"] for tally in tallies) > 0
    assert len(bank.submits) == count
    assert_paid_once(bank, ids)
    assert_sound(outside)


def test_the_threads_of_a_run_are_gone_when_it_is(database_url: str) -> None:
    """Nothing of a run goes on after it: no caller, no settler, no renewal."""
    seed(database_url, 30)
    with house(database_url, concurrency=8) as home:
        home.run(PROCESS)
        mine = ("caller-", "settler-", "renewal")
        eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith(mine)])
        assert home.bank.submits
