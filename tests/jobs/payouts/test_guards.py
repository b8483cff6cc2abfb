"""What keeps an approved payout from being sent: disputes, late refunds, people and accounts, switches, no money."""

from datetime import timedelta
from uuid import UUID

import pytest

from db import switches, work
from db.batch import Batch
from db.earnings import deciding
from db.transitions import regain
from db.work import ClaimOrder
from domain.answers import LookUpFailed, Unknown
from domain.switches import HOLD_BALANCE, HOLD_PAYOUTS, NOTICES
from jobs.payouts.process import ProcessPayouts
from tests.builders import abandon, assert_sound, change, hurry, payout, rows, seed, states
from tests.earning import earn, earning, earning_states, know, owe, payee
from tests.kit.world import Scene

PROCESS, BATCH = "payouts.process", "payouts.batch"
FINDINGS = "SELECT kind FROM findings WHERE resolved_at IS NULL ORDER BY kind"


def batched(world: Scene, count: int = 2) -> tuple[UUID, list[UUID]]:
    """One payout that a batch approved, and the earnings it pays."""
    earnings = owe(world.url, count, payees=1)
    world.run(BATCH)
    [made] = rows(world.owner, "SELECT id FROM payouts")
    return made.id, earnings


def dispute(world: Scene, earning: UUID, *, opens: bool) -> None:
    with world.operator.begin() as tx:
        say = deciding.hold if opens else deciding.release
        say(tx, [earning], actor="asha", why="a complaint")


def findings(world: Scene) -> list[str]:
    return [row.kind for row in rows(world.owner, FINDINGS)]


def turn(world: Scene, name: str, *, on: bool) -> None:
    with world.operator.begin() as tx:
        switches.turn(tx, name, on=on, who="asha", why="a question")


def test_a_live_dispute_keeps_an_approved_payout_from_being_sent(world: Scene) -> None:
    """Invariant 16: skipped, still APPROVED, and sent once the dispute is closed."""
    made, earnings = batched(world)
    dispute(world, earnings[0], opens=True)
    run = world.run(PROCESS)
    assert (run.tally["skipped"], run.tally["processed"], run.tally["failed"]) == (1, 0, 0)
    found = payout(world.owner, made)
    assert (found.state, found.w_job, found.w_parked) == ("APPROVED", PROCESS, None)
    assert "an earning it pays is held" in found.w_error
    assert 600 < found.w_wait <= 900
    assert world.bank.submits == []

    dispute(world, earnings[0], opens=False)
    hurry(world.owner)
    assert world.run(PROCESS).tally["succeeded"] == 1
    assert_sound(world.owner)


def test_a_payout_that_is_owed_less_is_not_sent_and_its_earnings_are_free(world: Scene) -> None:
    """Invariant 14: the next batch pays what is owed."""
    made, earnings = batched(world)
    with world.operator.begin() as tx:
        deciding.reduce(tx, {earnings[0]: 30_000}, actor="asha", why="cancelled late")
    run = world.run(PROCESS)
    assert run.tally["skipped"] == 1
    assert world.bank.submits == []
    found = payout(world.owner, made)
    assert (found.state, found.w_job) == ("FAILED", None)
    assert "owed less than approved" in found.error
    assert earning_states(world.owner) == {"READY": 2}
    assert_sound(world.owner)

    world.run(BATCH, period="day")
    [new] = rows(world.owner, "SELECT amount FROM payouts WHERE state = 'APPROVED'")
    assert new.amount == 170_000


def test_a_payout_that_is_owed_less_is_told_of_as_failed(world: Scene) -> None:
    """Every end is told, also one that came without a send."""
    turn(world, NOTICES, on=True)
    made, earnings = batched(world)
    with world.operator.begin() as tx:
        deciding.reduce(tx, {earnings[0]: 30_000}, actor="asha", why="cancelled late")
    world.run(PROCESS)
    told = rows(world.owner, "SELECT kind, subject FROM notices")
    assert [tuple(row) for row in told] == [("payout.failed", made)]
    assert_sound(world.owner)


def test_what_was_released_unsent_and_then_disputed_is_not_sent(world: Scene) -> None:
    """Invariant 16: a worker that stops gives back what it had not begun; a dispute still keeps it here."""
    made, earnings = batched(world)
    job = world.jobs[PROCESS]
    assert isinstance(job, ProcessPayouts)
    with world.database.begin() as tx:
        items = job.claim(tx, ClaimOrder(run=1, limit=10, lease_seconds=60)).items
    with world.database.begin() as tx:
        held = [item.held for item in items]
        job.release(regain(tx, held, run=1), items)
        work.release(tx, held)
    found = payout(world.owner, made)
    assert (found.state, found.e_sends) == ("PROCESSING", 0)

    dispute(world, earnings[0], opens=True)
    assert world.run(PROCESS).tally["skipped"] == 1
    found = payout(world.owner, made)
    assert (found.state, found.w_job, found.w_parked) == ("PROCESSING", PROCESS, None)
    assert "an earning it pays is held" in found.w_error
    assert world.bank.submits == []
    assert_sound(world.owner)

    dispute(world, earnings[0], opens=False)
    hurry(world.owner)
    assert world.run(PROCESS).tally["succeeded"] == 1
    assert_sound(world.owner)


def test_a_payout_that_is_short_is_not_retried(world: Scene) -> None:
    made, earnings = batched(world)
    with world.operator.begin() as tx:
        deciding.reduce(tx, {earnings[0]: 30_000}, actor="asha", why="cancelled late")
    world.run(PROCESS)
    [moved] = rows(
        world.operator,
        "SELECT * FROM bursar_move('payout', ARRAY[CAST(:id AS uuid)], 'APPROVED', 'asha', 'again')",
        id=made,
    )
    assert moved.outcome == "short"


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE payees SET resident = false", "its payee is no resident of India"),
        ("UPDATE payout_accounts SET verified = false", "its payout account is not verified"),
        ("UPDATE payout_accounts SET active = false", "its payout account is not active"),
    ],
)
def test_nobody_is_paid_who_or_where_nobody_may_be(
    world: Scene, statement: str, reason: str
) -> None:
    """Invariant 22: parked with its reason and a finding, and the bank is not called."""
    made, _ = batched(world)
    change(world.owner, statement)
    world.run(PROCESS)
    found = payout(world.owner, made)
    assert (found.state, found.w_parked.partition(":")[0]) == ("APPROVED", reason)
    assert findings(world) == ["payout-not-payable"]
    assert world.bank.submits == []


def test_a_currency_the_provider_does_not_pay_out_is_parked(world: Scene) -> None:
    """Invariant 21."""
    know(world.operator, [payee()])
    earn(world.operator, [earning(currency="USD")])
    world.run(BATCH)
    world.run(PROCESS)
    [made] = rows(world.owner, "SELECT id FROM payouts")
    assert "in USD" in payout(world.owner, made.id).w_parked
    assert world.bank.submits == []


def test_an_imported_payout_needs_no_verified_account(world: Scene) -> None:
    seed(world.url, 1)
    assert world.run(PROCESS).tally["succeeded"] == 1


def test_the_kill_switch_lets_no_call_go_out_and_no_state_change(world: Scene) -> None:
    """Invariant 18; on and off are on record."""
    seed(world.url, 2)
    turn(world, HOLD_PAYOUTS, on=True)
    calls = world.bank.reads
    run = world.run(PROCESS)
    assert (run.state, run.reason) == ("succeeded", f"held by {HOLD_PAYOUTS}")
    assert (states(world.owner), world.bank.submits) == ({"APPROVED": 2}, [])
    assert world.bank.reads == calls
    turn(world, HOLD_PAYOUTS, on=False)
    assert world.run(PROCESS).tally["succeeded"] == 2
    turned = rows(world.owner, "SELECT is_on, who FROM switch_changes ORDER BY id")
    assert [tuple(row) for row in turned] == [(True, "asha"), (False, "asha")]


def test_under_the_kill_switch_what_is_in_doubt_is_only_looked_up(world: Scene) -> None:
    """Invariant 18: not even the same request goes out again."""
    [made] = seed(world.url, 1)
    world.bank.script(Unknown(reason="lost"))
    world.run(PROCESS)
    turn(world, HOLD_PAYOUTS, on=True)
    hurry(world.owner)
    world.run("payouts.recover")
    found = payout(world.owner, made)
    assert (found.state, found.w_job, found.w_parked) == ("PROCESSING", "payouts.recover", None)
    assert HOLD_PAYOUTS in found.w_error
    assert (len(world.bank.submits), found.e_sends) == (1, 1)
    turn(world, HOLD_PAYOUTS, on=False)
    hurry(world.owner)
    world.run("payouts.recover")
    assert len(world.bank.transfers) == 1


def test_too_little_money_holds_the_run_back_and_tells_somebody(world: Scene) -> None:
    """Invariant 17: nothing is claimed; once there is enough, all is sent and the finding heals."""
    seed(world.url, 2)
    world.bank.funds = 20_000
    run = world.run(PROCESS)
    assert run.state == "succeeded"
    assert run.reason == "the account holds 200.00 INR, 200.01 are due"
    assert run.tally["processed"] == 0
    assert states(world.owner) == {"APPROVED": 2}
    assert [row.claims for row in rows(world.owner, "SELECT claims FROM work")] == [0, 0]
    assert findings(world) == ["balance-insufficient"]
    [held] = rows(
        world.owner,
        "SELECT until - at AS lasts FROM switches WHERE name = :n AND is_on",
        n=HOLD_BALANCE,
    )
    assert timedelta(minutes=4) < held.lasts <= timedelta(minutes=5)

    world.bank.funds = 20_001
    turn(world, HOLD_BALANCE, on=False)
    assert world.run(PROCESS).tally["succeeded"] == 2
    assert findings(world) == []


def test_a_balance_that_nobody_tells_holds_nothing_back(
    world: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 17."""
    seed(world.url, 2)
    monkeypatch.setattr(world.bank, "balance", lambda: LookUpFailed(reason="down"))
    assert world.run(PROCESS).tally["succeeded"] == 2


def test_a_named_payout_is_held_against_the_balance_alone(world: Scene) -> None:
    first, _ = seed(world.url, 2)
    world.bank.funds = 10_001
    assert world.run(PROCESS, payout=str(first)).tally["succeeded"] == 1


def test_p03_nothing_processed_while_approved_payouts_wait_is_a_failure(
    world: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 76: an empty result is no success while there is something to do."""
    seed(world.url, 2)
    job = world.jobs[PROCESS]
    monkeypatch.setattr(job, "claim", lambda _tx, _order: Batch(items=[], taken=0))
    run = world.run(PROCESS)
    assert run.state == "failed"
    assert run.reason == "processed nothing while 2 items waited"


@pytest.mark.parametrize("hold", [HOLD_PAYOUTS, HOLD_BALANCE])
def test_what_was_being_sent_as_its_worker_died_is_asked_about_although_a_hold_is_on(
    world: Scene, hold: str
) -> None:
    """Nothing is sent while it is on, and its key does not grow too old unseen."""
    seed(world.url, 3)
    [sent, _, _] = abandon(world)
    change(
        world.owner,
        "UPDATE work SET leased_until = clock_timestamp() + interval '1 hour' WHERE subject <> :id",
        id=sent,
    )
    turn(world, hold, on=True)
    world.run("payouts.recover")
    found = payout(world.owner, sent)
    assert (found.state, found.e_state, found.w_job) == ("PROCESSING", "accepted", "payouts.follow")
    assert len(world.bank.submits) == 3
    others = rows(world.owner, "SELECT job FROM work WHERE leased_until IS NOT NULL")
    assert [row.job for row in others] == [PROCESS, PROCESS]
    assert_sound(world.owner)


def test_tax_that_somebody_wrote_before_the_first_claim_is_not_believed(world: Scene) -> None:
    """Who may move a payout must not be able to send less of it and call the rest tax."""
    made, _ = batched(world)
    change(
        world.owner,
        """UPDATE payouts SET net_amount = 1000, tds_deducted = amount - 1000, tds_base = amount, tds_gross = amount,
           tds_rate_bps = 10, tds_engine = '194o', tds_financial_year = '2026-27'""",
    )
    world.run(PROCESS)
    found = payout(world.owner, made)
    assert found.state == "APPROVED"
    assert "tax is withheld from it" in found.w_parked
    assert world.bank.submits == []
