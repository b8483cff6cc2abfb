"""What becomes of a payout becomes of the share it pays: whatever does not arrive is owed again, once."""

from collections import Counter
from dataclasses import replace

import pytest

from db import audit, ledger
from db.dispersals.retrying import retry
from db.obligations.reverse import reverse
from db.payouts.decide import decide
from db.suspense.resolve import Resolution, resolve
from domain.answers import NotSent
from domain.decisions import Decision
from domain.dispersals import DISBURSE
from domain.errors import NotFoundError, RefusedError
from domain.findings import FindingKind
from domain.obligations import TRIES_MAX
from domain.payouts import FOLLOW, PROCESS
from domain.suspense import Way
from tests.builders import assert_sound, change, hurry, payout, rows
from tests.jobs.dispersals.paying import (
    PAYOUTS,
    again,
    failed,
    findings,
    follows,
    hears,
    owed,
    owes,
    paid,
    states,
    the_dispersal,
    the_payout,
)
from tests.kit.world import Scene
from tests.mortgages import LINE, balances, bank, disperse, heal, lend, owe, pay
from workers.sandbox.faults import Fault


def test_a_refused_payout_is_owed_again_once_and_a_person_has_it_paid_under_another_key(
    world: Scene,
) -> None:
    """Invariant 6, of dispersals: nothing is sent again by itself."""
    owed(world)
    world.run(DISBURSE)
    world.bank.script(Fault.REFUSE)
    world.run(PROCESS)
    assert states(world) == {"FAILED": 1}
    assert balances(world.owner)["lender_payable"] == 91_667
    assert "of obligation O-1" in findings(world)["dispersal-failed"]
    assert_sound(world.owner)
    for job in (DISBURSE, PROCESS):
        hurry(world.owner)
        assert world.run(job).tally["processed"] == 0

    again(world)
    assert (states(world), findings(world)) == ({"PENDING": 1}, {})
    assert world.run(DISBURSE).tally["succeeded"] == 1
    assert world.run(PROCESS).tally["succeeded"] == 1
    first, second = rows(world.owner, PAYOUTS)
    assert first.effect_key != second.effect_key
    assert second.external_id == f"{first.external_id}:2"
    hears(world, second.id, "processed")
    assert states(world) == {"DISBURSED": 1}
    assert balances(world.owner) == {"trust_cash": 8_333, "servicing_revenue": 8_333}
    assert_sound(world.owner)


def test_what_the_bank_gives_back_is_owed_again_once_and_its_cash_is_there_again(
    world: Scene,
) -> None:
    """Invariant 26, of dispersals."""
    made = paid(world)
    assert states(world) == {"DISBURSED": 1}
    world.bank.settle(str(made), "reversed")
    for _ in range(2):
        hears(world, made, "reversed")
        follows(world)
    assert (payout(world.owner, made).state, states(world)) == ("REVERSED", {"FAILED": 1})
    held = balances(world.owner)
    assert (held["lender_payable"], held["trust_cash"]) == (91_667, 100_000)
    assert_sound(world.owner)

    again(world)
    world.run(DISBURSE)
    world.run(PROCESS)
    hears(world, the_payout(world), "processed")
    assert balances(world.owner) == {"trust_cash": 8_333, "servicing_revenue": 8_333}
    keys = rows(world.owner, "SELECT key FROM entries WHERE key LIKE '%disbursement%' ORDER BY id")
    name = f"disbursement:{the_dispersal(world)}"
    assert [row.key for row in keys] == [name, f"reversal:{name}", f"{name}:2"]
    assert_sound(world.owner)


def test_what_is_told_paid_and_given_back_in_one_breath_leaves_nothing_behind(world: Scene) -> None:
    owed(world)
    world.run(DISBURSE)
    world.run(PROCESS)
    world.bank.settle(str(the_payout(world)), "reversed")
    follows(world)
    assert states(world) == {"FAILED": 1}
    assert balances(world.owner)["lender_payable"] == 91_667
    assert balances(world.owner)["trust_cash"] == 100_000
    assert_sound(world.owner)


def test_what_is_put_back_stays_on_its_way(world: Scene) -> None:
    owed(world)
    world.run(DISBURSE)
    world.bank.script(NotSent(reason="no route"))
    world.run(PROCESS)
    assert (payout(world.owner, the_payout(world)).state, states(world)) == (
        "APPROVED",
        {"SENDING": 1},
    )
    assert_sound(world.owner)
    hurry(world.owner)
    world.run(PROCESS)
    hears(world, the_payout(world), "processed")
    assert states(world) == {"DISBURSED": 1}
    assert_sound(world.owner)


def test_a_withdrawn_payout_leaves_its_share_to_a_person_who_resets_the_share(world: Scene) -> None:
    owed(world)
    world.run(DISBURSE)
    first = the_payout(world)

    def decides(decision: Decision) -> str:
        [moved] = world.operator.transact(
            lambda tx: decide(tx, decision, [first], actor="ravi", why="the lender asked")
        )
        return moved.outcome

    assert decides(Decision.CANCEL) == "moved"
    assert states(world) == {"FAILED": 1}
    told = "of obligation O-1: its payout was withdrawn: the lender asked"
    assert findings(world) == {FindingKind.DISPERSAL_FAILED: told}, (
        "TRAP: it waits, and nobody knows"
    )
    assert_sound(world.owner)
    again(world)
    assert findings(world) == {}
    world.run(DISBURSE)
    world.bank.script(Fault.REFUSE)
    world.run(PROCESS)
    assert states(world) == {"FAILED": 1}
    first = the_payout(world)
    assert decides(Decision.RETRY) == "dispersal", "it is the share that is paid again"
    assert_sound(world.owner)


@pytest.mark.parametrize("meanwhile", ["nothing", "reset", "approved"])
def test_what_arrives_after_all_pays_its_share_and_nothing_is_sent_again(
    world: Scene, meanwhile: str
) -> None:
    """Invariant 28, of dispersals: the lender has the money, so no payout made since is sent."""
    first = failed(world)
    if meanwhile != "nothing":
        again(world)
    if meanwhile == "approved":
        world.run(DISBURSE)
    hears(world, first, "processed")
    assert payout(world.owner, first).state == "COMPLETED"
    assert states(world) == {"DISBURSED": 1}
    sent = len(world.bank.submits)
    for job in (DISBURSE, PROCESS):
        hurry(world.owner)
        world.run(job)
    assert len(world.bank.submits) == sent
    assert balances(world.owner) == {"trust_cash": 8_333, "servicing_revenue": 8_333}
    assert owes(world) == 0
    if meanwhile == "approved":
        assert "another payout paid it" in payout(world.owner, the_payout(world)).error
    assert_sound(world.owner)


def test_what_arrives_after_all_when_another_was_sent_was_paid_twice_and_is_owed_back(
    world: Scene,
) -> None:
    """Nothing of another's share is taken for it."""
    first = failed(world)
    again(world)
    world.run(DISBURSE)
    world.run(PROCESS)
    second = the_payout(world)
    lend(world.operator, {"A": 1}, "M-2")
    [other] = owe(world.operator, replace(LINE, external_id="O-2", mortgage="M-2"))
    pay(world.operator, other, 100_000)
    disperse(world.database)
    hears(world, first, "processed")
    assert states(world) == {"SENDING": 1, "PENDING": 1}
    assert (owes(world), balances(world.owner)["lender_payable"]) == (91_667, 91_667)
    hears(world, second, "processed")
    assert states(world) == {"DISBURSED": 1, "PENDING": 1}
    assert owes(world) == 91_667
    assert_sound(world.owner)


def test_one_person_does_not_pay_a_share_again_whose_lender_has_the_money_of_another_payout(
    world: Scene,
) -> None:
    """TRAP: the second payout fails after the first arrived, and a person's retry sends a third."""
    first = failed(world)
    again(world)
    world.run(DISBURSE)
    world.run(PROCESS)
    second = the_payout(world)
    hears(world, first, "processed")
    world.bank.settle(str(first), "processed")
    world.bank.settle(str(second), "failed")
    follows(world)
    assert (states(world), owes(world)) == ({"FAILED": 1}, 91_667)
    with pytest.raises(RefusedError, match="its lender has the money of payout dispersal:"):
        again(world)
    assert_sound(world.owner)
    with world.operator.begin() as tx:
        retry(tx, the_dispersal(world), actor="asha, ravi", why="set it off", by_two=True)
    world.run(DISBURSE)
    world.run(PROCESS)
    third = payout(world.owner, the_payout(world))
    assert (third.net_amount, third.recovered) == (100, 91_567), (
        "the one is set off against the other"
    )
    hears(world, third.id, "processed")
    assert (states(world), owes(world)) == ({"DISBURSED": 1}, 100)
    assert_sound(world.owner)


def test_what_arrives_after_its_share_was_taken_back_is_owed_by_its_lender(world: Scene) -> None:
    """The share stays CANCELLED, and the audit takes it for no fault."""
    receipt = owed(world)
    world.run(DISBURSE)
    world.run(PROCESS)
    first = the_payout(world)
    world.bank.settle(str(first), "failed")
    follows(world)
    again(world)
    world.operator.transact(lambda tx: reverse(tx, [receipt], actor="asha, ravi", why="bounced"))
    hears(world, first, "processed")
    assert (states(world), owes(world)) == ({"CANCELLED": 1}, 91_667)
    assert payout(world.owner, first).state == "COMPLETED"
    assert_sound(world.owner)


def test_a_confirmed_payout_whose_cash_is_missing_is_booked_once_it_is_there_and_stops_nothing(
    world: Scene,
) -> None:
    """Invariant 50, of dispersals: its state, its share and its entries, or nothing."""
    owed(world)
    lend(world.operator, {"A": 1}, "M-2")
    [other] = owe(world.operator, replace(LINE, external_id="O-2", mortgage="M-2"))
    pay(world.operator, other, 100_000)
    disperse(world.database)
    world.run(DISBURSE)
    world.run(PROCESS)
    world.bank.finish()
    take = """UPDATE balances SET credits = credits + :minor
              WHERE account = (SELECT min(id) FROM accounts WHERE kind = 'trust_cash')"""
    change(world.owner, take, minor=60_000)
    follows(world)
    assert states(world) == {"SENDING": 1, "DISBURSED": 1}
    assert Counter(row.state for row in rows(world.owner, PAYOUTS)) == {
        "PROCESSING": 1,
        "COMPLETED": 1,
    }
    waits = rows(world.owner, "SELECT last_error FROM work WHERE last_error IS NOT NULL")
    assert ["never_below_zero" in row.last_error for row in waits] == [True]
    change(world.owner, take, minor=-60_000)
    follows(world)
    assert states(world) == {"DISBURSED": 2}
    assert_sound(world.owner)


def test_what_was_written_off_is_paid_out_of_our_cash_never_out_of_anothers(world: Scene) -> None:
    """TRAP: its share takes what came in for an obligation on hold; that bounces, and nothing can be booked."""
    free = replace(LINE, fee_rate_ppm=0)
    [lost] = owe(world.operator, free)
    pay(world.operator, lost, 100_000)
    disperse(world.database)
    heal(world.database, TRIES_MAX + 1)
    lend(world.operator, {"A": 1})
    bank(world.operator, "A")
    asked = Resolution(item=lost, way=Way.WRITE_OFF)
    world.operator.transact(lambda tx: resolve(tx, asked, actor="asha, ravi", why="it is gone"))
    disperse(world.database)
    [other] = owe(world.operator, replace(free, external_id="O-2"))
    held = pay(
        world.operator, other, 100_000, on=world.operator.transact(ledger.today), method="ach"
    )
    disperse(world.database)
    world.run(DISBURSE)
    world.run(PROCESS)
    assert states(world) == {"SENDING": 1, "PENDING": 1}
    world.operator.transact(lambda tx: reverse(tx, [held.id], actor="asha, ravi", why="bounced"))
    world.bank.finish()
    follows(world)
    assert states(world) == {"DISBURSED": 1, "CANCELLED": 1}
    assert balances(world.owner) == {
        "write_off": 100_000,
        "cash": -100_000,
        "borrower_receivable": 100_000,
        "control_accrual": 100_000,
    }
    assert_sound(world.owner)


def test_one_person_has_a_share_paid_three_times_and_two_people_once_more(world: Scene) -> None:
    owed(world)
    for attempt in range(3):
        world.run(DISBURSE)
        world.bank.script(Fault.REFUSE)
        world.run(PROCESS)
        if attempt < 2:
            again(world)
    with pytest.raises(RefusedError, match="failed 3 times: two people may allow one more"):
        again(world)
    with world.operator.begin() as tx:
        retry(tx, the_dispersal(world), actor="asha, ravi", why="the bank says so", by_two=True)
    with pytest.raises(RefusedError, match="is PENDING, not FAILED"):
        again(world)
    with pytest.raises(NotFoundError, match="there is no dispersal"):
        world.operator.transact(lambda tx: retry(tx, the_payout(world), actor="asha", why="x"))
    assert world.run(DISBURSE).tally["succeeded"] == 1
    assert_sound(world.owner)


def test_a_confirmed_payout_without_its_entry_is_named_and_nothing_posts_it(world: Scene) -> None:
    """Invariant 66."""
    made = paid(world)
    for trigger in ("DISABLE", "ENABLE"):
        if trigger == "ENABLE":
            change(world.owner, "DELETE FROM entries WHERE type = 'LENDER_PAYOUT_SENT'")
        change(world.owner, f"ALTER TABLE entries {trigger} TRIGGER entries_append_only")
    hears(world, made, "processed")
    for job in (DISBURSE, FOLLOW):
        hurry(world.owner)
        world.run(job)
    assert rows(world.owner, "SELECT FROM entries WHERE type = 'LENDER_PAYOUT_SENT'") == []
    [promise] = [one for one in audit.INVARIANTS if one.name == "disbursed-is-posted"]
    with world.database.begin() as tx:
        looked = audit.look(tx, promise, after=None, page=100, most=3, deep=True)
    assert [one.subject for one in looked.offences] == [f"dispersal {the_dispersal(world)}"]
