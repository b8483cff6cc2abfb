"""`payouts.org_process`: the same machine as `payouts.process`, and nothing of one stands in the other's figures."""

from datetime import timedelta

import pytest

from db import switches
from db.payouts.claim import start_processing
from db.work import ClaimOrder
from domain.answers import NotSent
from domain.payouts import ORG_PROCESS, PROCESS
from domain.switches import HOLD_BALANCE, HOLD_ORG_BALANCE, HOLD_PAYOUTS
from tests.builders import abandon, assert_sound, change, hurry, payout, rows, seed, states
from tests.earning import know, payee
from tests.kit.world import Scene
from tests.operating import PROVIDER
from workers.sandbox.faults import Fault

JOBS = "SELECT job, count(*) AS n FROM work GROUP BY job ORDER BY job"


def both(world: Scene, *, trusts: int = 2, people: int = 2, approve: bool = True) -> None:
    """Approved payouts of organisations (the first ones) and of people."""
    know(world.operator, [payee(f"payee {n}", kind="organisation") for n in range(trusts)])
    seed(world.url, trusts + people, payees=trusts + people, approve=approve)


def waiting(world: Scene) -> dict[str, int]:
    return {row.job: row.n for row in rows(world.owner, JOBS)}


def turn(world: Scene, name: str, *, on: bool) -> None:
    with world.operator.begin() as tx:
        switches.turn(tx, name, on=on, who="asha", why="a question")


def test_an_import_gives_each_payout_to_the_job_of_its_payee(world: Scene) -> None:
    both(world)
    assert waiting(world) == {ORG_PROCESS: 2, PROCESS: 2}
    assert_sound(world.owner)


def test_an_approval_gives_each_payout_to_the_job_of_its_payee(world: Scene) -> None:
    both(world, approve=False)
    statement = """
        SELECT m.* FROM bursar_move('payout', ARRAY(SELECT id FROM payouts), 'APPROVED', 'asha', 'because') m"""
    assert {row.outcome for row in rows(world.operator, statement)} == {"moved"}
    assert waiting(world) == {ORG_PROCESS: 2, PROCESS: 2}
    assert_sound(world.owner)


def test_each_job_counts_what_it_claimed_itself_and_nothing_else(world: Scene) -> None:
    both(world, trusts=3, people=2)
    people = world.run(PROCESS)
    assert (people.state, people.tally["processed"], people.tally["skipped"]) == ("succeeded", 2, 0)
    trusts = world.run(ORG_PROCESS)
    assert (trusts.state, trusts.tally["processed"], trusts.tally["skipped"]) == ("succeeded", 3, 0)
    assert waiting(world) == {"payouts.follow": 5}
    assert len(world.bank.transfers) == 5
    assert_sound(world.owner)


def test_what_another_worker_has_claimed_is_not_counted(world: Scene) -> None:
    """The trap: another worker's PROCESSING is not this run's."""
    both(world, trusts=3, people=0)
    with world.database.begin() as tx:
        order = ClaimOrder(run=0, limit=2, lease_seconds=60.0)
        assert start_processing(tx, PROVIDER, order, job=ORG_PROCESS).taken == 2
    run = world.run(ORG_PROCESS)
    assert (run.tally["processed"], run.tally["succeeded"], run.tally["skipped"]) == (1, 1, 0)


def test_p04_an_organisation_that_is_refused_fails_its_own_run_and_nobodys_else(
    world: Scene,
) -> None:
    """Invariant 78: reported, its siblings are paid, and people's figures do not know of it."""
    both(world, trusts=2, people=2)
    world.bank.script(Fault.REFUSE)
    trusts = world.run(ORG_PROCESS)
    assert (trusts.state, trusts.reason) == ("failed", "1 failed")
    assert (trusts.tally["failed"], trusts.tally["succeeded"]) == (1, 1)
    people = world.run(PROCESS)
    assert (people.state, people.tally["failed"], people.tally["succeeded"]) == ("succeeded", 0, 2)
    assert states(world.owner) == {"FAILED": 1, "PROCESSING": 3}
    assert_sound(world.owner)


def test_a_person_that_is_refused_is_counted_and_fails_no_run(world: Scene) -> None:
    both(world, trusts=0, people=2)
    world.bank.script(Fault.REFUSE)
    people = world.run(PROCESS)
    assert (people.state, people.tally["failed"]) == ("succeeded", 1)


def test_what_was_not_sent_waits_for_the_same_job_again(world: Scene) -> None:
    both(world, trusts=1, people=1)
    world.bank.script(NotSent(reason="no route"), NotSent(reason="no route"))
    world.run(ORG_PROCESS)
    world.run(PROCESS)
    assert waiting(world) == {ORG_PROCESS: 1, PROCESS: 1}
    assert states(world.owner) == {"APPROVED": 2}
    assert_sound(world.owner)
    hurry(world.owner)
    assert world.run(ORG_PROCESS).tally["succeeded"] == 1


def test_what_is_told_of_a_payee_later_moves_no_payout_to_another_job(world: Scene) -> None:
    both(world, trusts=0, people=1)
    change(world.owner, "UPDATE payees SET kind = 'organisation'")
    assert world.run(ORG_PROCESS).tally["processed"] == 0
    assert world.run(PROCESS).tally["succeeded"] == 1
    assert_sound(world.owner)


def test_a_row_in_the_wrong_hands_is_given_to_the_job_it_belongs_to(world: Scene) -> None:
    both(world, trusts=1, people=0)
    change(world.owner, "UPDATE work SET job = :job", job=PROCESS)
    run = world.run(PROCESS)
    assert (run.tally["processed"], run.tally["skipped"]) == (0, 1)
    assert waiting(world) == {ORG_PROCESS: 1}
    assert world.bank.submits == []


def test_too_little_for_organisations_keeps_no_persons_payout_back(world: Scene) -> None:
    """Invariant 17, apart: each hold, and each finding, is of one job."""
    both(world, trusts=2, people=1)
    world.bank.funds = 15_000
    run = world.run(ORG_PROCESS)
    assert (run.state, run.tally["processed"]) == ("succeeded", 0)
    assert run.reason == "the account holds 150.00 INR, 200.01 are due"
    on = "SELECT name, until - at AS lasts FROM switches WHERE is_on"
    [held] = rows(world.owner, on)
    assert held.name == HOLD_ORG_BALANCE
    assert timedelta(minutes=4) < held.lasts <= timedelta(minutes=5)

    assert world.run(PROCESS).tally["succeeded"] == 1
    [told] = rows(world.owner, "SELECT subject FROM findings WHERE resolved_at IS NULL")
    assert told.subject.startswith(ORG_PROCESS), "enough for people heals nothing of organisations"

    world.bank.funds = 1_000_000
    turn(world, HOLD_ORG_BALANCE, on=False)
    assert world.run(ORG_PROCESS).tally["succeeded"] == 2
    assert rows(world.owner, "SELECT subject FROM findings WHERE resolved_at IS NULL") == []


def test_what_is_enough_for_each_and_not_for_both_goes(world: Scene) -> None:
    """Invariant 17, apart: neither keeps the other back; what there is no money for its provider queues or refuses."""
    both(world, trusts=1, people=1)
    world.bank.funds = 15_000
    for job in (PROCESS, ORG_PROCESS):
        assert world.run(job).tally["succeeded"] == 1
    assert len(world.bank.submits) == 2
    assert rows(world.owner, "SELECT FROM findings WHERE resolved_at IS NULL") == []
    assert_sound(world.owner)


def test_the_kill_switch_is_one_for_both(world: Scene) -> None:
    """Invariant 18."""
    both(world)
    turn(world, HOLD_PAYOUTS, on=True)
    for job in (PROCESS, ORG_PROCESS):
        run = world.run(job)
        assert (run.state, run.reason) == ("succeeded", f"held by {HOLD_PAYOUTS}")
    assert world.bank.submits == []


@pytest.mark.parametrize(
    ("hold", "asked_about"),
    [(HOLD_ORG_BALANCE, ORG_PROCESS), (HOLD_BALANCE, PROCESS)],
)
def test_under_a_hold_the_lapsed_sends_of_its_own_job_are_asked_about(
    world: Scene, hold: str, asked_about: str
) -> None:
    both(world, trusts=1, people=1)
    [person], [trust] = abandon(world), abandon(world, job=ORG_PROCESS)
    turn(world, hold, on=True)
    world.run("payouts.recover")
    found = {PROCESS: payout(world.owner, person), ORG_PROCESS: payout(world.owner, trust)}
    for job, row in found.items():
        assert row.w_job == ("payouts.follow" if job == asked_about else job)
    assert_sound(world.owner)
