"""A worker dies or freezes at each step of a payout; another goes on with the same key and body."""

import os
import signal
from uuid import UUID

import pytest

from domain.payout_ids import reference
from tests.builders import change, rows
from tests.faults.houses import House
from tests.waiting import eventually


def die(home: House, strike: str) -> UUID:
    """Let a worker take one payout and die of `strike`; its leases lapse."""
    [id_] = home.seed()
    assert home.start(strike).ended() == -signal.SIGKILL
    home.lapse()
    return id_


def taken_over(home: House, id_: UUID) -> None:
    """Another worker takes it over; what it sends is what was sent, and it is paid once."""
    home.start()
    home.accepted(1)
    sent = home.sent(id_)
    assert len(set(sent)) == 1, sent
    assert sent[0].key == home.payout(id_).effect_key.hex
    home.assert_each_paid_once(1)


def test_killed_before_the_claim_commits_nothing_happened(home: House) -> None:
    """F01: the row is as it was, due, and the next claim is the first."""
    id_ = die(home, "kill:before_claim")
    row = home.payout(id_)
    assert (row.state, row.w_claims, row.e_state) == ("APPROVED", 0, None)
    taken_over(home, id_)
    assert home.payout(id_).e_sends == 1


def test_killed_after_the_claim_it_is_claimed_again_when_its_lease_ends(home: House) -> None:
    """F02: no clock is helped along here; claimed again within the lease and a second or so."""
    [id_] = home.seed()
    assert home.start("kill:after_claim").ended() == -signal.SIGKILL
    assert home.recorder.sent == []
    row = home.payout(id_)
    assert (row.state, row.w_claims, row.e_state, row.e_sends) == ("PROCESSING", 1, "intended", 1)
    home.start().ready()
    home.accepted(1, seconds=8.0)
    assert home.payout(id_).e_sends == 2
    assert len(home.sent(id_)) == 1
    home.assert_each_paid_once(1)


def test_killed_on_a_machine_where_others_work_its_items_wait_for_no_lease(home: House) -> None:
    """F02, F12: the lease would last ten minutes; a neighbour sees that its holder is dead."""
    ids = home.seed(8)
    assert home.start("kill:after_claim", BURSAR_LEASE_SECONDS="600").ended() == -signal.SIGKILL
    heir = home.start(BURSAR_LEASE_SECONDS="600")
    home.accepted(8)
    assert heir.said("worker.died") == 1
    assert {row.state for row in rows(home.database, "SELECT state FROM runs WHERE id = 1")} == {
        "crashed"
    }
    assert all(home.payout(id_).e_sends == 2 for id_ in ids)
    home.assert_each_paid_once(8)


def test_killed_before_the_request_leaves_the_intent_is_what_is_sent(home: House) -> None:
    """F03: the intent was committed before the call, and is replayed."""
    id_ = die(home, "kill:before_call")
    assert home.recorder.sent == []
    frozen = home.payout(id_).e_request
    taken_over(home, id_)
    assert home.payout(id_).e_sends >= 2
    assert home.sent(id_)[0].body.decode() == frozen


def test_killed_in_the_call_the_bank_knows_the_key(home: House) -> None:
    """F04: the bank executed it, nobody heard; the same key and body again, and one transfer."""
    [id_] = home.seed()
    home.bank.order("hang", seconds=30)
    calling = home.start(BURSAR_LEASE_SECONDS="60", BURSAR_GATEWAY_TIMEOUT_SECONDS="30")
    eventually(lambda: home.bank.summary()["transfers"])
    calling.signal(signal.SIGKILL)
    calling.ended()
    home.lapse()
    assert home.payout(id_).e_state == "intended"
    taken_over(home, id_)
    assert len(home.sent(id_)) >= 2


@pytest.mark.parametrize("point", ["after_call", "before_settle"])
def test_killed_after_the_reply_it_is_settled_by_who_takes_over(home: House, point: str) -> None:
    """F05: the answer died with its worker; the same request gets the same answer."""
    id_ = die(home, f"kill:{point}")
    assert (home.payout(id_).e_state, home.bank.summary()["transfers"]) == ("intended", 1)
    taken_over(home, id_)
    assert len(home.sent(id_)) >= 2


def test_killed_after_the_settle_nothing_is_sent_again(home: House) -> None:
    """F06: the message comes again, and finds nothing to do."""
    id_ = die(home, "kill:after_settle")
    row = home.payout(id_)
    assert (row.e_state, row.w_job) == ("accepted", "payouts.follow")
    home.start()
    eventually(lambda: home.payout(id_).state == "COMPLETED", what="completed")
    assert len(home.sent(id_)) == 1
    home.assert_each_paid_once(1)


def test_accepted_and_then_refused_is_never_failed(home: House) -> None:
    """F05, invariant 9: accepted, SIGKILL before the settle, next answers 400, 401, 403 and 422."""
    ids = home.seed(4)
    assert home.start("kill:after_call:4").ended() == -signal.SIGKILL
    assert home.bank.summary()["transfers"] == 4
    for id_, fault in zip(
        ids, ("refuse", "unauthorised", "forbidden", "unprocessable"), strict=True
    ):
        home.bank.order(fault, reference=reference(id_, 1))
    home.lapse()
    home.start().ready()

    def asked() -> bool:
        change(home.database, "UPDATE switches SET is_on = false WHERE name LIKE 'brake:%'")
        return home.count("accepted") == 4

    eventually(asked, what="accepted at last")
    assert len(home.recorder.sent) >= 8
    assert len(set(home.recorder.sent)) == 4
    heard = {r.answer for r in rows(home.database, "SELECT DISTINCT answer FROM effect_answers")}
    assert "unknown" in heard
    assert rows(home.database, "SELECT FROM moves WHERE target = 'FAILED'") == []
    home.assert_each_paid_once(4)


def test_frozen_past_its_lease_before_the_call_it_calls_no_more(home: House) -> None:
    """F08: awake again, it looks at its lease before it calls, and lets the payout go."""
    [id_] = home.seed()
    sleeper = home.start("stop:after_claim")
    sleeper.stopped()
    home.start()
    home.accepted(1)
    sleeper.signal(signal.SIGCONT)
    eventually(lambda: sleeper.said("run.ended"), what="the sleeper's run")
    assert len(home.sent(id_)) == 1
    home.assert_each_paid_once(1)


@pytest.mark.parametrize("point", ["before_call", "after_call"])
def test_a_zombie_that_calls_or_heard_anyway_changes_nothing(home: House, point: str) -> None:
    """F08, F09: frozen inside the call; same key, one transfer, its settle fenced, its answer kept."""
    [id_] = home.seed()
    sleeper = home.start(f"stop:{point}")
    sleeper.stopped()
    home.lapse()
    home.start()
    home.accepted(1)
    before = home.payout(id_)
    sleeper.signal(signal.SIGCONT)
    eventually(lambda: sleeper.said("settle.fenced"), what="a fenced settle")
    sent = home.sent(id_)
    assert (len(set(sent)), len(sent)) == (1, 2)
    row = home.payout(id_)
    assert (row.e_sends, row.e_provider_id) == (before.e_sends, before.e_provider_id)
    kept = "SELECT moved FROM effect_answers WHERE key = :key AND answer = 'accepted'"
    assert sorted(r.moved for r in rows(home.database, kept, key=row.effect_key)) == [False, True]
    home.assert_each_paid_once(1)


def test_a_payout_that_kills_its_worker_is_sent_thrice_at_most_and_then_asked_about(
    home: House,
) -> None:
    """F12: counted at the claim; its siblings are done, and it is nobody's failure."""
    ids = home.seed(20)
    poison = ids[7]
    workers = home.supervise(f"kill:before_call:1:{reference(poison, 1)}")

    def handed_over() -> bool:
        change(
            home.database,
            """UPDATE work SET leased_until = clock_timestamp()
               WHERE subject = :s AND claims > 0 AND job = 'payouts.process'""",
            s=poison,
        )
        return later("1 day") == 1

    def later(wait: str) -> int:
        """Look it up after `wait`: the look-up would send it again, and kill whoever does."""
        return change(
            home.database,
            """UPDATE work SET due_at = clock_timestamp() + CAST(:wait AS interval)
               WHERE subject = :s AND job = 'payouts.recover' AND leased_until IS NULL AND parked_reason IS NULL""",
            s=poison,
            wait=wait,
        )

    eventually(handed_over, what="the poison looked up")
    assert workers.said("child.ended") <= 3
    assert home.payout(poison).state == "PROCESSING"
    home.accepted(19)
    home.close()
    assert home.sent(poison) == []
    home.lapse()
    assert later("0") == 1
    home.start()
    home.accepted(20)
    home.assert_each_paid_once(20)


def test_one_child_of_a_supervisor_is_killed_and_the_batch_is_done(home: House) -> None:
    """F13: its sibling goes on, it is started again, and each payout is sent once."""
    workers = home.supervise().ready(2)
    home.seed(400)
    eventually(lambda: home.count("accepted") > 20, what="a batch under way")
    [victim, _] = rows(home.database, "SELECT pid FROM workers WHERE NOT stopping ORDER BY pid")
    os.kill(victim.pid, signal.SIGKILL)
    eventually(lambda: workers.said("child.ended"), what="a dead child")
    home.accepted(400)
    assert workers.ready(3).said("worker.ready") == 3
    home.assert_each_paid_once(400)


def test_a_batch_killed_midway_is_finished_by_whoever_comes_next(home: House) -> None:
    """F93: none is sent under two keys or left out; what the dead one held comes back, one by one."""
    home.seed(200)
    worker = home.start().ready()
    eventually(lambda: home.count("accepted") > 50, what="a part of it")
    worker.signal(signal.SIGKILL)
    assert worker.ended() == -signal.SIGKILL
    home.lapse()
    home.start()
    home.accepted(200, seconds=60)
    home.assert_each_paid_once(200)
