"""What payees owe is kept back from what they are paid next: whole, once, and owed again where that does not arrive."""

from uuid import UUID

import pytest

from db.earnings import deciding, why as why_earnings
from db.payees import listing, statement
from db.payouts import advice
from db.payouts.decide import decide
from domain.answers import NotSent
from domain.decisions import Decision
from domain.payout_ids import reference
from domain.payouts import FOLLOW
from domain.why_earnings import of_earning
from jobs.payouts.batch import BatchPayouts
from tests.builders import assert_sound, change, hurry, payout, rows
from tests.earning import LONG_AGO, earning_states
from tests.hearing import about, event, receive
from tests.jobs.payouts.test_wallets import FAR
from tests.keeping import credit, held, keep
from tests.kit.world import Scene
from tests.operating import line, one
from tests.owing import (
    BATCH,
    PROCESS,
    balance,
    earns,
    finish,
    give_back,
    in_debt,
    made,
    next_payout,
    owing,
    sent,
)
from workers.sandbox.faults import Fault

_ROW = "SELECT amount, net_amount, tds_deducted, recovered, state FROM payouts WHERE id = :id"


def parts(world: Scene, id_: UUID) -> tuple[int, int, int, int]:
    """Gross, net, tax and what was recovered."""
    [row] = rows(world.owner, _ROW, id=id_)
    return row.amount, row.net_amount, row.tds_deducted, row.recovered


def back(world: Scene, id_: UUID, word: str = "reversed") -> None:
    """The bank calls a payout so, and is asked."""
    world.bank.settle(reference(id_, 1), word)
    hurry(world.owner)
    world.run(FOLLOW)


def disputed(world: Scene, earning: UUID, *, opens: bool) -> None:
    with world.operator.begin() as tx:
        say = deciding.hold if opens else deciding.release
        say(tx, [earning], actor="asha", why="a complaint")


def hears(world: Scene, id_: UUID, word: str) -> None:
    receive(world.database, [event(about(world.bank, id_), word)])
    world.run("webhooks.apply")


def test_what_a_payee_owes_is_kept_back_from_the_next_payout_once(world: Scene) -> None:
    """Invariant 38: gross is net, tax and what was recovered."""
    in_debt(world)
    second = next_payout(world, 100_000, 100_000)
    assert owing(world.owner) == 30_000, "nothing is kept back before it is sent"
    world.run(PROCESS)
    assert parts(world, second) == (200_000, 170_000, 0, 30_000)
    assert sent(world) == [100_000, 170_000]
    assert (owing(world.owner), balance(world.owner, "payouts_in_transit")) == (0, 170_000)
    assert_sound(world.owner)

    finish(world)
    assert payout(world.owner, second).state == "COMPLETED"
    assert balance(world.owner, "cash") == 270_000
    assert_sound(world.owner)

    third = next_payout(world, 100_000, period="hour")
    world.run(PROCESS)
    assert parts(world, third) == (100_000, 100_000, 0, 0)


def test_tax_is_withheld_first_and_of_the_whole_sale(world: Scene) -> None:
    """Invariant 38; what is kept back of a debt is not tax, and lowers none."""
    in_debt(world)
    change(world.owner, "UPDATE payees SET tax_class = 'company'")
    second = next_payout(world, 100_000)
    world.run(PROCESS)
    assert parts(world, second) == (100_000, 69_800, 200, 30_000)
    finish(world)
    assert balance(world.owner, "tds_payable") == 200
    assert_sound(world.owner)


def test_whoever_owes_too_much_is_paid_nothing_until_more_is_earned(world: Scene) -> None:
    """The minimum holds for what is left to be sent."""
    in_debt(world, 60_000)
    earns(world, 100_000)
    run = world.run(BATCH, period="day")
    assert (run.tally["succeeded"], run.tally["skipped"]) == (0, 1)
    [waits] = rows(world.owner, "SELECT id FROM earnings WHERE external_id = 'N-1'")
    with world.operator.begin() as tx:
        told = of_earning(why_earnings.earning(tx, waits.id), 50_000)
    assert "owes back 600.00 INR" in told.reason

    earns(world, 10_000, first=2)
    world.run(BATCH, period="hour")
    world.run(PROCESS)
    assert parts(world, made(world)[-1]) == (110_000, 50_000, 0, 60_000)
    assert_sound(world.owner)


def test_what_is_owed_since_the_batch_is_kept_back_down_to_the_minimum(world: Scene) -> None:
    """A payout that was approved is sent; what is left of the debt waits for the next."""
    in_debt(world, 0)
    second = next_payout(world, 100_000)
    give_back(world.operator, "E-000000", 80_000)
    world.run(PROCESS)
    assert parts(world, second) == (100_000, 50_000, 0, 50_000)
    assert owing(world.owner) == 30_000
    assert_sound(world.owner)


def test_two_payouts_of_one_payee_share_one_debt(world: Scene) -> None:
    in_debt(world)
    both = [next_payout(world, 100_000), next_payout(world, 100_000, period="hour")]
    assert world.run(PROCESS).tally["succeeded"] == 2
    kept = sorted(parts(world, id_)[3] for id_ in both)
    assert (kept, owing(world.owner)) == ([0, 30_000], 0)
    assert_sound(world.owner)


def test_of_what_was_told_or_kept_in_a_wallet_nothing_is_kept_back(world: Scene) -> None:
    in_debt(world)
    keep(world.operator, [credit("W-1")])
    told = one(world.operator, [line(payee="payee 0", fund_account_id="fa_payee_0")])
    world.run(BATCH, period="day")
    world.run(PROCESS)
    assert sorted(sent(world)) == [100_000, 100_000, 125_050]
    [row] = rows(world.owner, _ROW, id=told)
    assert (row.recovered, owing(world.owner)) == (0, 30_000)
    assert_sound(world.owner)


def test_a_refused_payout_owes_the_debt_again_and_a_retry_keeps_it_back_anew(world: Scene) -> None:
    in_debt(world)
    second = next_payout(world, 100_000)
    world.bank.script(Fault.REFUSE)
    world.run(PROCESS)
    assert payout(world.owner, second).state == "FAILED"
    assert (owing(world.owner), balance(world.owner, "payee_payable")) == (30_000, 100_000)
    assert_sound(world.owner)

    give_back(world.operator, "E-000000", 40_000)
    with world.operator.begin() as tx:
        decide(tx, Decision.RETRY, [second], actor="asha", why="repaired")
    assert_sound(world.owner)
    world.run(PROCESS)
    assert parts(world, second) == (100_000, 60_000, 0, 40_000)
    assert owing(world.owner) == 0
    assert_sound(world.owner)


def test_what_was_put_back_is_sent_with_the_same_body(world: Scene) -> None:
    """Invariant 4: what was kept back stays, whatever is owed meanwhile."""
    in_debt(world)
    second = next_payout(world, 100_000)
    world.bank.script(NotSent(reason="no route"))
    world.run(PROCESS)
    assert (payout(world.owner, second).state, owing(world.owner)) == ("APPROVED", 30_000)
    assert_sound(world.owner)
    give_back(world.operator, "E-000000", 90_000)
    hurry(world.owner)
    world.run(PROCESS)
    assert len({submit.body for submit in world.bank.submits[1:]}) == 1
    assert (parts(world, second)[3], owing(world.owner)) == (30_000, 60_000)
    assert_sound(world.owner)


def test_what_was_put_back_and_whose_debt_is_gone_fails_unsent(world: Scene) -> None:
    """Its request would keep back what nobody owes: the next batch pays it whole."""
    first = in_debt(world)
    second = next_payout(world, 100_000)
    world.bank.script(NotSent(reason="no route"))
    world.run(PROCESS)
    back(world, first)
    assert owing(world.owner) == 0
    world.run(PROCESS)
    found = payout(world.owner, second)
    assert (found.state, found.w_job) == ("FAILED", None)
    assert "its payee owes less" in found.error
    assert_sound(world.owner)
    world.run(BATCH, period="hour")
    hurry(world.owner)
    world.run(PROCESS)
    assert parts(world, made(world)[-1]) == (170_000, 170_000, 0, 0)
    assert_sound(world.owner)


def test_what_is_too_little_for_one_that_was_put_back_is_kept_back_from_the_next(
    world: Scene,
) -> None:
    """Claimed together: who fails for a debt that is partly gone leaves the rest of it to the others."""
    first = in_debt(world, 0)
    next_payout(world, 100_000)
    world.run(PROCESS)
    finish(world)
    give_back(world.operator, "E-000000", 30_000)
    give_back(world.operator, "N-100", 20_000)
    second = next_payout(world, 150_000, period="hour")
    world.bank.script(NotSent(reason="no route"))
    world.run(PROCESS)
    assert (payout(world.owner, second).state, parts(world, second)[3]) == ("APPROVED", 50_000)
    back(world, first)
    assert owing(world.owner) == 20_000
    third = next_payout(world, 100_000, period="month")
    hurry(world.owner)
    world.run(PROCESS)
    assert payout(world.owner, second).state == "FAILED"
    assert parts(world, third) == (170_000, 150_000, 0, 20_000)
    assert owing(world.owner) == 0
    assert_sound(world.owner)


def test_two_that_were_put_back_do_not_keep_back_one_debt_twice(world: Scene) -> None:
    in_debt(world)
    next_payout(world, 100_000)
    world.bank.script(NotSent(reason="no route"))
    world.run(PROCESS)
    next_payout(world, 100_000, period="hour")
    world.bank.script(NotSent(reason="no route"))
    change(
        world.owner,
        """UPDATE work SET due_at = clock_timestamp() + interval '1 hour'
           WHERE subject IN (SELECT id FROM payouts WHERE recovered > 0)""",
    )
    world.run(PROCESS)
    kept = rows(world.owner, "SELECT recovered FROM payouts WHERE state = 'APPROVED'")
    assert [row.recovered for row in kept] == [30_000, 30_000]
    hurry(world.owner)
    world.run(PROCESS)
    states = rows(world.owner, "SELECT state FROM payouts WHERE recovered > 0 ORDER BY state")
    assert [row.state for row in states] == ["FAILED", "PROCESSING"]
    assert owing(world.owner) == 0
    assert_sound(world.owner)


def test_what_comes_back_is_owed_again_and_so_is_the_debt_once(world: Scene) -> None:
    """Invariant 26."""
    in_debt(world)
    second = next_payout(world, 100_000)
    world.run(PROCESS)
    finish(world)
    back(world, second)
    assert payout(world.owner, second).state == "REVERSED"
    assert (owing(world.owner), balance(world.owner, "payee_payable")) == (30_000, 100_000)
    assert_sound(world.owner)
    hurry(world.owner)
    world.run(FOLLOW)
    assert owing(world.owner) == 30_000

    world.run(BATCH, period="hour")
    world.run(PROCESS)
    assert parts(world, made(world)[-1]) == (100_000, 70_000, 0, 30_000)
    assert_sound(world.owner)


@pytest.mark.parametrize("given_back", [0, 20_000, 60_000])
def test_what_comes_back_after_more_was_given_back_leaves_what_is_right(
    world: Scene, given_back: int
) -> None:
    """The payee is owed what is left of the sale, and owes what was owed before it."""
    in_debt(world)
    second = next_payout(world, 100_000)
    world.run(PROCESS)
    finish(world)
    [row] = rows(
        world.owner,
        "SELECT e.external_id FROM payout_earnings l JOIN earnings e ON e.id = l.earning WHERE l.payout = :id",
        id=second,
    )
    if given_back:
        give_back(world.operator, row.external_id, given_back)
    assert owing(world.owner) == given_back
    back(world, second)
    assert owing(world.owner) == 30_000
    assert balance(world.owner, "payee_payable") == 100_000 - given_back
    assert_sound(world.owner)


def test_what_was_settled_of_a_payout_that_comes_back_goes_to_its_payee_s_wallet(
    world: Scene,
) -> None:
    """They have paid for what they owe no more: nobody keeps it."""
    first = in_debt(world)
    next_payout(world, 100_000)
    world.run(PROCESS)
    finish(world)
    back(world, first)
    assert payout(world.owner, first).state == "REVERSED"
    assert (owing(world.owner), balance(world.owner, "payee_payable")) == (0, 70_000)
    assert held(world.owner) == {"payee 0": 30_000}
    assert_sound(world.owner)


def test_paid_after_it_had_failed_it_settles_the_debt_after_all(world: Scene) -> None:
    """Invariant 28: its earnings are taken back, and what was kept back of it is owed no more."""
    in_debt(world)
    second = next_payout(world, 100_000)
    world.run(PROCESS)
    back(world, second, "failed")
    assert (payout(world.owner, second).state, owing(world.owner)) == ("FAILED", 30_000)
    hears(world, second, "processed")
    assert payout(world.owner, second).state == "COMPLETED"
    assert (owing(world.owner), balance(world.owner, "payee_payable")) == (0, 0)
    assert earning_states(world.owner) == {"PAID": 2}
    with world.operator.begin() as tx:
        told = advice.advice(tx, second)
    told.check()
    assert (told.recovered_minor, told.clawed_back_minor) == (30_000, 0)
    assert_sound(world.owner)

    back(world, second)
    assert (owing(world.owner), balance(world.owner, "payee_payable")) == (30_000, 100_000)
    assert_sound(world.owner)


def test_paid_after_its_debt_was_settled_elsewhere_the_payee_owes_what_was_sent(
    world: Scene,
) -> None:
    """Invariant 28: less was sent than is owed, and no debt is there to make up the rest."""
    in_debt(world)
    second = next_payout(world, 100_000)
    world.run(PROCESS)
    back(world, second, "failed")
    [row] = rows(world.owner, "SELECT earning FROM payout_earnings WHERE payout = :id", id=second)
    disputed(world, row.earning, opens=True)
    third = next_payout(world, 100_000, period="hour")
    world.run(PROCESS)
    finish(world)
    assert parts(world, third)[3] == 30_000
    disputed(world, row.earning, opens=False)
    hears(world, second, "processed")
    assert (owing(world.owner), balance(world.owner, "payee_payable")) == (70_000, 100_000)
    assert_sound(world.owner)
    back(world, second)
    assert (owing(world.owner), balance(world.owner, "payee_payable")) == (0, 100_000)
    assert_sound(world.owner)


def test_papers_and_statements_say_what_was_recovered(world: Scene) -> None:
    """Gross, tax, recovered and net of each payment, and when the debt was settled."""
    in_debt(world)
    second = next_payout(world, 100_000)
    world.run(PROCESS)
    finish(world)
    with world.operator.begin() as tx:
        told = advice.advice(tx, second)
        payee, name = listing.find(tx, "payee 0")
        whole = statement.statement(tx, payee, name, start=LONG_AGO, end=FAR)
    told.check()
    assert (told.gross_minor, told.recovered_minor, told.net_minor) == (100_000, 30_000, 70_000)
    [rupees] = whole.currencies
    rupees.check()
    assert (rupees.clawed_back_minor(), rupees.recovered_minor()) == (30_000, 30_000)
    assert [p.recovered_minor for p in rupees.payments] == [0, 30_000]
    assert "recovered from what is paid out" in {m.event for m in rupees.movements}


def test_a_debt_that_somebody_wrote_before_the_first_claim_is_not_believed(world: Scene) -> None:
    """Like tax: what is kept back is computed at the claim, and by nobody else."""
    in_debt(world)
    second = next_payout(world, 100_000)
    change(
        world.owner,
        "UPDATE payouts SET recovered = 90000, net_amount = 10000 WHERE id = :id",
        id=second,
    )
    world.run(PROCESS)
    assert "a debt is kept back of it" in payout(world.owner, second).w_parked
    assert sent(world) == [100_000]


def test_a_dry_run_foresees_what_is_recovered(world: Scene) -> None:
    in_debt(world)
    earns(world, 100_000)
    job = world.jobs[BATCH]
    assert isinstance(job, BatchPayouts)
    with world.database.begin() as tx:
        facts = job.foresee(tx, {"period": "day"})
    assert (facts["amount_minor_INR"], facts["recovers_minor_INR"]) == (100_000, 30_000)
