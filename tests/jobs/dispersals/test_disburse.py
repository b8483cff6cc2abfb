"""Lenders are paid their shares once each, by payouts, once their hold is over."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from db.errors import DatabaseRefusedError, RuleBrokenError
from db.obligations.reverse import reverse
from db.payees import listing as payees, statement
from db.payouts.decide import decide
from domain.decisions import Decision
from domain.dispersals import DISBURSE
from domain.errors import RefusedError
from domain.payouts import ORG_PROCESS, PROCESS
from tests.builders import assert_sound, change, hurry, rows
from tests.earning import LONG_AGO, know, payee
from tests.jobs.dispersals.paying import (
    DISPERSALS,
    PAYOUTS,
    findings,
    follows,
    owed,
    paid,
    states,
    the_payout,
)
from tests.kit.world import Scene
from tests.mortgages import LINE, balances, bank, disperse, lend, owe, pay
from workers.papers.statement import paper

FAR = datetime(2100, 1, 1, tzinfo=UTC)


def test_a_lender_list_is_paid_and_each_share_is_booked_once_when_it_arrives(world: Scene) -> None:
    owed(world, {"A": 6000, "B": 4000})
    run = world.run(DISBURSE)
    assert (run.state, run.tally["succeeded"], run.tally["failed"]) == ("succeeded", 2, 0)
    made = rows(world.owner, PAYOUTS)
    assert {(row.source, row.state, row.net_amount) for row in made} == {
        ("dispersals", "APPROVED", None)
    }
    assert {row.narration for row in made} == {"Lender share 2026 03 20"}
    assert sorted(row.amount for row in made) == [36_667, 55_000]
    assert states(world) == {"SENDING": 2}
    assert balances(world.owner)["lender_payable"] == 91_667, "nothing has left"

    world.run(PROCESS)
    held = balances(world.owner)
    assert (held.get("lender_payable", 0), held["payouts_in_transit"]) == (0, 91_667)
    assert (states(world), held["trust_cash"]) == ({"SENDING": 2}, 100_000), "not confirmed"
    assert_sound(world.owner)

    world.bank.finish()
    follows(world)
    assert states(world) == {"DISBURSED": 2}
    assert balances(world.owner) == {"trust_cash": 8_333, "servicing_revenue": 8_333}
    keys = rows(world.owner, "SELECT key FROM entries WHERE type = 'LENDER_PAYOUT_SENT'")
    ids = rows(world.owner, DISPERSALS)
    assert {row.key for row in keys} == {f"disbursement:{row.id}" for row in ids}
    assert findings(world) == {}
    assert_sound(world.owner)
    for job in (DISBURSE, PROCESS):
        hurry(world.owner)
        assert world.run(job).tally["processed"] == 0
    assert len(world.bank.transfers) == 2


def test_a_share_is_held_until_its_day(world: Scene) -> None:
    lend(world.operator, {"A": 1})
    bank(world.operator, "A")
    [id_] = owe(world.operator, LINE)
    pay(world.operator, id_, 100_000, on=datetime.now(UTC).date(), method="ach")
    disperse(world.database)
    [due] = rows(
        world.owner,
        """SELECT w.job, w.due_at = d.eligible_on AT TIME ZONE 'UTC' AS is_its_day
           FROM work w JOIN dispersals d ON d.id = w.subject""",
    )
    assert (due.job, due.is_its_day) == (DISBURSE, True)
    assert world.run(DISBURSE).tally["processed"] == 0
    hurry(world.owner)
    run = world.run(DISBURSE)
    assert (run.tally["processed"], run.tally["skipped"]) == (0, 1), "whatever the work says"
    assert states(world) == {"PENDING": 1}
    assert rows(world.owner, "SELECT FROM work WHERE due_at > clock_timestamp() + interval '1 day'")
    assert_sound(world.owner)


def test_what_is_large_waits_for_a_person_and_is_never_taken_back_meanwhile(world: Scene) -> None:
    lend(world.operator, {"A": 1})
    bank(world.operator, "A")
    [id_] = owe(world.operator, replace(LINE, amount_minor=600_000))
    made = pay(world.operator, id_, 600_000)
    disperse(world.database)
    world.run(DISBURSE)
    assert [row.state for row in rows(world.owner, PAYOUTS)] == ["PENDING"]
    with pytest.raises(RefusedError, match="is SENDING: its money has left, or may have"):
        world.operator.transact(lambda tx: reverse(tx, [made.id], actor="asha", why="bounced"))
    [moved] = world.operator.transact(
        lambda tx: decide(tx, Decision.APPROVE, [the_payout(world)], actor="ravi", why="known")
    )
    assert moved.outcome == "moved"
    assert world.run(PROCESS).tally["succeeded"] == 1
    assert_sound(world.owner)


@pytest.mark.parametrize("fault", ["no account", "not verified", "not active"])
def test_who_cannot_be_paid_stops_nobody_else_and_is_paid_once_that_is_put_right(
    world: Scene, fault: str
) -> None:
    """Invariant 22, of lenders."""
    lend(world.operator, {"A": 6000, "B": 4000})
    bank(world.operator, "A")
    if fault != "no account":
        bank(world.operator, "B", verified=fault != "not verified")
    if fault == "not active":
        change(
            world.owner, "UPDATE payout_accounts SET active = false WHERE fund_account_id LIKE '%B'"
        )
    [id_] = owe(world.operator, LINE)
    pay(world.operator, id_, 100_000)
    disperse(world.database)
    run = world.run(DISBURSE)
    assert (run.tally["succeeded"], run.tally["failed"]) == (1, 1)
    words = {"no account": "no default account", "not verified": "verified", "not active": "active"}
    assert words[fault] in findings(world)["lender-unpayable"]
    assert world.run(DISBURSE).tally["processed"] == 0, "it waits"
    assert_sound(world.owner)

    change(world.owner, "DELETE FROM payout_accounts WHERE fund_account_id LIKE '%B'")
    bank(world.operator, "B")
    hurry(world.owner)
    assert world.run(DISBURSE).tally["succeeded"] == 1
    assert findings(world) == {}
    assert_sound(world.owner)


def test_what_no_cash_is_there_for_is_told_and_stops_nothing_else(world: Scene) -> None:
    owed(world, {"A": 6000, "B": 4000})
    take = """UPDATE balances SET credits = credits + :minor
              WHERE account IN (SELECT id FROM accounts WHERE kind = 'trust_cash')"""
    change(world.owner, take, minor=44_000)
    run = world.run(DISBURSE)
    assert (run.tally["succeeded"], run.tally["failed"]) == (1, 1)
    assert "mortgage's cash" in findings(world)["dispersal-not-payable"]
    assert states(world) == {"PENDING": 1, "SENDING": 1}
    change(world.owner, take, minor=-44_000)
    hurry(world.owner)
    assert world.run(DISBURSE).tally["succeeded"] == 1
    assert findings(world) == {}
    assert_sound(world.owner)


def test_a_share_below_what_a_provider_pays_waits_and_is_told(world: Scene) -> None:
    owed(world, {"A": 99_900, "B": 100})
    run = world.run(DISBURSE)
    assert (run.tally["succeeded"], run.tally["failed"]) == (1, 1)
    assert "less than the 100 minor units" in findings(world)["dispersal-not-payable"]
    assert states(world) == {"PENDING": 1, "SENDING": 1}
    hurry(world.owner)
    assert world.run(DISBURSE).tally["processed"] == 0, "TRAP: it is looked at each hour, for ever"
    [parked] = rows(world.owner, "SELECT parked_reason FROM work WHERE parked_reason IS NOT NULL")
    assert "less than the 100 minor units" in parked.parked_reason
    assert_sound(world.owner)


def test_a_worker_makes_of_a_share_what_it_is_and_no_more(world: Scene) -> None:
    """Whoever may make payouts otherwise cannot let one pay another amount, nor to another."""
    owed(world, {"A": 6000, "B": 4000})
    with pytest.raises(DatabaseRefusedError, match="permission denied"):
        change(world.database, "UPDATE dispersals SET amount = 1")
    door = """
        SELECT p.outcome FROM dispersals d CROSS JOIN LATERAL pay_dispersals(
          ARRAY[d.id], ARRAY[gen_random_uuid()], ARRAY[:name || d.id], ARRAY['x'], 100, 'x') p"""
    assert [row.outcome for row in rows(world.database, door, name="x")] == ["made", "made"]
    copies = """
        INSERT INTO payouts (id, external_id, payee, account, payable, amount, currency, purpose, narration,
                             content_hash, created_by, source, dispersal)
        SELECT gen_random_uuid(), 'copy', payee, account, payable, amount + 1, currency, purpose, narration,
               '', 'x', source, dispersal FROM payouts LIMIT 1"""
    with pytest.raises(RuleBrokenError, match="it does not fit dispersal"):
        change(world.operator, copies)


def test_organisations_that_lend_are_paid_by_their_own_job(world: Scene) -> None:
    lend(world.operator, {"A": 1})
    know(world.operator, [payee("lender A", kind="organisation")])
    [id_] = owe(world.operator, LINE)
    pay(world.operator, id_, 100_000)
    disperse(world.database)
    world.run(DISBURSE)
    assert world.run(PROCESS).tally["processed"] == 0
    assert world.run(ORG_PROCESS).tally["succeeded"] == 1
    assert_sound(world.owner)


def test_what_a_lender_is_told_on_paper_are_the_books_with_their_shares(world: Scene) -> None:
    paid(world)
    with world.operator.begin() as tx:
        whose, name = payees.find(tx, "lender A")
        told = statement.statement(tx, whose, name, start=LONG_AGO, end=FAR)
    [rupees] = told.currencies
    rupees.check()
    assert [one.event for one in rupees.movements] == ["share of what a borrower paid", "paid out"]
    assert rupees.closing.owed_minor == 0
    assert [one.net_minor for one in rupees.payments] == [91_667]
    assert f"statement of {name}".lower() in paper(told).title.lower()
