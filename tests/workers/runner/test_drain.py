"""One run of a drain: how many calls, under which leases, and how it ends."""

import threading

import pytest
import sqlalchemy as sa

from db import rate_limits, work
from db.batch import Batch
from db.engine import Database
from db.errors import OverdueError
from db.payouts.claim import Sending
from db.tx import Tx
from db.work import ClaimOrder
from domain.errors import UnreachableError
from domain.payouts import PROCESS
from jobs.payouts.process import ProcessPayouts
from tests.builders import (
    WAITS_FOR_A_LOCK,
    assert_paid_once,
    assert_sound,
    change,
    expire,
    house,
    payout,
    rows,
    seed,
    states,
)
from tests.fakes.bank import FakeBank
from tests.waiting import eventually
from tests.workers.runner.banks import CountingBank, MeetingBank, RaisingBank, SlowBank

LIMIT = "razorpayx:2323230000000001"


def test_calls_in_flight_reach_the_concurrency_and_never_pass_it(database_url: str) -> None:
    ids = seed(database_url, 60)
    bank = CountingBank()
    with house(database_url, bank, concurrency=8, batch_max=20) as home, bank.held() as hold:
        run = home.in_background(PROCESS)
        hold.wait_for(8)
        hold.release()
        assert run.end().tally["succeeded"] == 60
    assert bank.in_flight_max == 8
    assert_paid_once(bank, ids)


def test_slow_calls_overlap(database_url: str) -> None:
    """A bank that answers only to eight callers at once is answered to."""
    ids = seed(database_url, 32)
    bank = MeetingBank(8)
    with house(database_url, bank, concurrency=8) as home:
        assert home.run(PROCESS).tally["succeeded"] == 32
    assert_paid_once(bank, ids)


def test_settling_goes_on_while_other_calls_wait(database_url: str, outside: Database) -> None:
    """What came back is settled at once, not at the end of its set."""
    ids = seed(database_url, 8)
    bank = FakeBank()
    with house(database_url, bank, concurrency=1, batch_max=8) as home:
        first = threading.Event()
        submit, bank_submit = threading.Event(), bank.submit

        def slow(request: object) -> object:
            if first.is_set():
                submit.wait(60)
            first.set()
            return bank_submit(request)  # type: ignore[arg-type]  # handed on

        bank.submit = slow  # type: ignore[method-assign,assignment]  # the second call waits
        run = home.in_background(PROCESS)
        accepted = "SELECT FROM effects WHERE state = 'accepted'"
        eventually(lambda: len(rows(outside, accepted)) == 1)
        assert run.is_running
        submit.set()
        run.end()
    assert_paid_once(bank, ids)


def test_no_call_starts_with_too_little_of_its_lease_left(
    database_url: str, outside: Database
) -> None:
    """F08: a call begins only while its lease surely outlives it; what cannot begin is released."""
    seed(database_url, 5)
    with house(database_url, lease_seconds=5, call_seconds_max=8, budget_seconds=2.0) as home:
        run = home.run(PROCESS)
        assert home.bank.submits == []
        assert run.tally["released"] >= 5
    assert {tuple(r) for r in rows(outside, "SELECT claims, token, tries FROM work")} == {
        (0, None, 0)
    }
    assert {r.sends for r in rows(outside, "SELECT sends FROM effects")} == {0}
    assert_sound(outside)


def test_when_renewals_fail_nothing_new_starts(
    database_url: str, outside: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F11, invariant 77: the run sees its own deadline pass on the monotonic clock and begins no other call."""
    seed(database_url, 5)
    failed = threading.Event()

    def fail(*_: object) -> None:
        failed.set()
        raise UnreachableError("no answer")

    monkeypatch.setattr(work, "renew", fail)
    with (
        house(database_url, lease_seconds=3.0, call_seconds_max=0.2, concurrency=1) as home,
        home.bank.held() as hold,
    ):
        run = home.in_background(PROCESS)
        hold.wait_for(1)
        assert failed.wait(60)
        eventually(
            lambda: rows(outside, "SELECT FROM leases WHERE leased_until < clock_timestamp()")
        )
        hold.release()
        run.end()
        assert len(home.bank.submits) == 1
    assert_sound(outside)


def test_leases_are_renewed_while_a_call_lasts(database_url: str, outside: Database) -> None:
    """F60: slower than the lease, and nobody takes it over."""
    [id_] = seed(database_url, 1)
    with (
        house(database_url, lease_seconds=3.0, call_seconds_max=0.1) as home,
        home.bank.held() as hold,
    ):
        run = home.in_background(PROCESS)
        hold.wait_for(1)
        first = rows(outside, "SELECT leased_until FROM work")[0].leased_until
        eventually(lambda: rows(outside, "SELECT FROM work WHERE leased_until > :f", f=first))
        hold.release()
        assert run.end().tally["succeeded"] == 1
    assert payout(outside, id_).e_sends == 1


def test_an_answer_after_a_takeover_is_evidence_and_moves_nothing(
    database_url: str, outside: Database
) -> None:
    """F09, invariant 35: fenced, counted, kept; the taker settles the same payment."""
    [id_] = seed(database_url, 1)
    with house(database_url) as home:
        with home.bank.held() as hold:
            run = home.in_background(PROCESS)
            hold.wait_for(1)
            taken = """UPDATE work SET token = nextval('tokens'), holder = 0,
                         leased_until = clock_timestamp() + interval '1 min'"""
            assert change(outside, taken) == 1
            hold.release()
            ended = run.end()
        assert (ended.tally["fenced"], ended.tally["succeeded"]) == (1, 0)
        [kept] = rows(outside, "SELECT answer, moved FROM effect_answers")
        assert tuple(kept) == ("accepted", False)
        assert payout(outside, id_).e_state == "intended"
        expire(outside)
        home.run(PROCESS)
    assert payout(outside, id_).e_state == "accepted"
    assert_paid_once(home.bank, [id_])
    assert_sound(outside)


def test_asked_to_stop_it_ends_its_calls_and_releases_the_rest(
    database_url: str, outside: Database
) -> None:
    """SIGTERM: calls under way are settled, what had not begun is as if never claimed."""
    ids = seed(database_url, 20)
    with house(database_url, concurrency=2) as home:
        with home.bank.held() as hold:
            run = home.in_background(PROCESS)
            hold.wait_for(2)
            home.stop.set()
            hold.release()
            ended = run.end()
        assert (ended.state, ended.tally["succeeded"], ended.tally["released"]) == (
            "stopped",
            2,
            18,
        )
        left = rows(outside, "SELECT claims, token FROM work WHERE job = :j", j=PROCESS)
        assert {tuple(row) for row in left} == {(0, None)}
        assert rows(outside, "SELECT FROM effects WHERE sends = 0 AND state = 'intended'")
        assert_sound(outside)
        home.stop.clear()
        home.run(PROCESS)
    assert {r.sends for r in rows(outside, "SELECT sends FROM effects")} == {1}
    assert_paid_once(home.bank, ids)
    assert_sound(outside)


def test_at_the_end_of_its_budget_a_run_leaves_the_rest_for_the_next(
    database_url: str, outside: Database
) -> None:
    seed(database_url, 200)
    bank = SlowBank(0.05)
    with house(database_url, bank, concurrency=1, batch_max=5, budget_seconds=2.0) as home:
        ended = home.run(PROCESS)
        assert ended.state == "succeeded"
        assert 0 < ended.tally["succeeded"] < 200
        assert rows(outside, "SELECT FROM work WHERE token IS NOT NULL") == []
        assert home.rung  # a full claim asked for one more run


def test_a_raising_effect_is_unknown_and_its_siblings_are_not(
    database_url: str, outside: Database
) -> None:
    """An adapter's bug on one item of a set: nobody knows about that one alone."""
    ids = seed(database_url, 50)
    bank = RaisingBank(lambda reference: reference == str(ids[20]))
    with house(database_url, bank, concurrency=1) as home:
        ended = home.run(PROCESS)
    assert (ended.tally["succeeded"], ended.tally["unknown"]) == (49, 1)
    assert (payout(outside, ids[20]).e_state, states(outside)) == ("unknown", {"PROCESSING": 50})
    assert_paid_once(bank, ids)
    assert_sound(outside)


def test_a_run_that_leaves_due_work_untouched_has_failed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 76, the silent-skip guard: due rows, nothing processed, no switch to explain it."""
    seed(database_url, 3)

    def nothing(_self: object, _tx: Tx, _order: ClaimOrder) -> Batch[Sending]:
        return Batch(items=[], taken=0)

    monkeypatch.setattr(ProcessPayouts, "claim", nothing)
    with house(database_url) as home:
        ended = home.run(PROCESS)
    assert (ended.state, ended.reason) == ("failed", "processed nothing while 3 items waited")


def test_what_another_run_is_claiming_is_not_left_untouched(
    database_url: str, outside: Database
) -> None:
    """An uncommitted claim looks like due work to the guard, which waits for it rather than cry."""
    seed(database_url, 3)
    with house(database_url) as home:
        with home.database.begin() as other:
            order = ClaimOrder(run=home.request(PROCESS), limit=3, lease_seconds=15)
            taken = home.jobs[PROCESS].claim(other, order).taken  # type: ignore[attr-defined]  # a drain
            run = home.in_background(PROCESS)
            eventually(lambda: rows(outside, WAITS_FOR_A_LOCK), what="the guard's second look")
        ended = run.end()
    assert (taken, ended.state, ended.reason) == (3, "succeeded", None)


def test_no_row_is_leased_without_a_permit(database_url: str, outside: Database) -> None:
    """F59: permits come before the claim; a stopped provider leaves every row alone."""
    seed(database_url, 10)
    with house(database_url, budget_seconds=1.5) as home:
        with home.database.begin() as tx:
            rate_limits.configure(tx, LIMIT, 100)
            rate_limits.cut(tx, LIMIT, 60)
        ended = home.run(PROCESS)
    assert (ended.state, ended.reason) == ("succeeded", "rate limit")
    assert rows(outside, "SELECT FROM work WHERE claims > 0") == []
    assert home.bank.submits == []


def test_no_more_is_sent_than_the_limit_grants(database_url: str, outside: Database) -> None:
    """F59: a burst, then the rate, whatever the concurrency."""
    seed(database_url, 100)
    with house(database_url, budget_seconds=1.5, concurrency=16) as home:
        with home.database.begin() as tx:
            rate_limits.configure(tx, LIMIT, 40)
            began = tx.scalar(sa.text("SELECT clock_timestamp()"))
        home.run(PROCESS)
        [used] = rows(
            outside,
            """SELECT extract(epoch FROM max(first_sent_at) - :began) AS seconds, count(*) AS n
               FROM effects WHERE sends > 0""",
            began=began,
        )
    assert len(home.bank.submits) == used.n
    assert 4 <= used.n <= 4 + float(used.seconds) * 40 + 4


def test_permits_that_were_not_used_are_given_back(database_url: str) -> None:
    seed(database_url, 3)
    with house(database_url) as home:
        with home.database.begin() as tx:
            rate_limits.configure(tx, LIMIT, 1000)
        home.run(PROCESS)
        with home.database.begin() as tx:
            assert rate_limits.take(tx, LIMIT, 100).permits >= 97


def test_a_suspect_is_called_about_with_nothing_else_in_flight(
    database_url: str, outside: Database
) -> None:
    """F12: what may kill its worker kills no sibling with it."""
    ids = seed(database_url, 10)
    change(
        outside,
        """UPDATE work SET claims = 1, due_at = (SELECT max(due_at) FROM work) WHERE subject = :s""",
        s=ids[0],
    )
    bank = CountingBank()
    alone = list[int]()
    submit = bank.submit

    def seen(request: object) -> object:
        answer = submit(request)  # type: ignore[arg-type]  # handed on
        if request.reference == str(ids[0]):  # type: ignore[attr-defined]  # a request
            alone.append(bank.in_flight)
        return answer

    bank.submit = seen  # type: ignore[method-assign,assignment]  # looks on
    with house(database_url, bank, concurrency=4, batch_max=3) as home:
        home.run(PROCESS)
    assert alone == [0]
    assert_paid_once(bank, ids)


def test_a_drain_keeps_its_run_while_it_looks_for_the_guilty_item(
    database_url: str, outside: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halving may take longer than a lease: the run is kept meanwhile."""
    seed(database_url, 1)
    lease = "SELECT leased_until FROM leases WHERE name LIKE 'run:%'"
    begun = list[object]()
    claim = ProcessPayouts.claim

    def slow(self: ProcessPayouts, tx: Tx, order: ClaimOrder) -> Batch[Sending]:
        if order.limit == 1:
            return claim(self, tx, order)
        if begun:
            eventually(lambda: rows(outside, lease)[0].leased_until != begun[0])
        begun.append(rows(outside, lease)[0].leased_until)
        raise OverdueError("canceling statement due to statement timeout")

    monkeypatch.setattr(ProcessPayouts, "claim", slow)
    with house(database_url, batch_max=4, lease_seconds=3.0, call_seconds_max=0.1) as home:
        assert home.run(PROCESS).tally["succeeded"] == 1
