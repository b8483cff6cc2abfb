"""A lender who was paid twice owes it: what is sent to them next is less by it; a share is paid whole in the books."""

import json
from dataclasses import replace
from uuid import UUID

import pytest

from domain.dispersals import DISBURSE
from domain.payout_modes import AMOUNT_MIN
from domain.payouts import PROCESS
from tests.builders import assert_sound, payout, rows
from tests.jobs.dispersals.paying import (
    again,
    failed,
    follows,
    hears,
    owes,
    states,
    the_payout,
)
from tests.kit.world import Scene
from tests.mortgages import LINE, balances, disperse, lend, owe, pay

SHARE = 91_667
"""Of a lender who has all of a mortgage."""


def paid_twice(world: Scene) -> None:
    """A share whose first payout arrived after all, when another had been sent and arrived as well."""
    first = failed(world)
    again(world)
    world.run(DISBURSE)
    world.run(PROCESS)
    second = the_payout(world)
    hears(world, first, "processed")
    hears(world, second, "processed")
    for one in (first, second):
        world.bank.settle(str(one), "processed")
    assert (states(world), owes(world)) == ({"DISBURSED": 1}, SHARE)


def sent_next(world: Scene, amount: int = 100_000) -> UUID:
    """Another share of the same lender, sent; its payout."""
    lend(world.operator, {"A": 1}, "M-2")
    line = replace(LINE, external_id="O-2", mortgage="M-2", amount_minor=amount)
    [other] = owe(world.operator, line)
    pay(world.operator, other, amount)
    disperse(world.database)
    world.run(DISBURSE)
    world.run(PROCESS)
    return the_payout(world)


def test_what_a_lender_owes_is_kept_back_of_their_next_share(world: Scene) -> None:
    """TRAP: a lender who has another's money is paid in full, for ever."""
    paid_twice(world)
    third = sent_next(world)
    row = payout(world.owner, third)
    kept = SHARE - AMOUNT_MIN
    assert (row.amount, row.net_amount, row.recovered) == (SHARE, AMOUNT_MIN, kept)
    assert json.loads(world.bank.submits[-1].body)["amount"] == AMOUNT_MIN
    assert owes(world) == AMOUNT_MIN
    assert_sound(world.owner)
    hears(world, third, "processed")
    assert states(world) == {"DISBURSED": 2}
    # The mortgages paid each share once and whole; what went out twice and is owed still is ours.
    assert balances(world.owner) == {
        "trust_cash": 2 * 8_333,
        "servicing_revenue": 2 * 8_333,
        "payee_receivable": AMOUNT_MIN,
        "cash": -AMOUNT_MIN,
    }
    assert_sound(world.owner)


def test_no_more_is_kept_back_than_is_owed(world: Scene) -> None:
    paid_twice(world)
    third = sent_next(world, 200_000)
    row = payout(world.owner, third)
    assert (row.net_amount, row.recovered) == (191_667 - SHARE, SHARE)
    hears(world, third, "processed")
    assert owes(world) == 0
    assert balances(world.owner) == {"trust_cash": 2 * 8_333, "servicing_revenue": 2 * 8_333}
    assert_sound(world.owner)


@pytest.mark.parametrize("word", ["failed", "reversed"])
def test_what_does_not_arrive_is_owed_again_by_both(world: Scene, word: str) -> None:
    """Invariant 26, of shares of which something was kept back: they are owed whole, and so is the debt."""
    paid_twice(world)
    third = sent_next(world)
    if word == "reversed":
        hears(world, third, "processed")
    world.bank.settle(str(third), word)
    for _ in range(2):
        hears(world, third, word)
        follows(world)
    assert states(world) == {"DISBURSED": 1, "FAILED": 1}
    assert (owes(world), balances(world.owner)["lender_payable"]) == (SHARE, SHARE)
    assert balances(world.owner)["trust_cash"] == 100_000 + 8_333
    assert_sound(world.owner)


def test_a_lender_who_owes_nothing_is_sent_their_share_whole(world: Scene) -> None:
    failed(world)
    again(world)
    world.run(DISBURSE)
    world.run(PROCESS)
    [*_, last] = rows(world.owner, "SELECT net_amount, recovered FROM payouts ORDER BY created_at")
    assert tuple(last) == (None, 0)
