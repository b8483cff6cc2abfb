"""A set of payouts that end differently locks what it changes in one order, as everybody else does."""

from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from db.earnings import deciding
from domain.payout_ids import reference
from tests import driving
from tests.builders import WAITS_FOR_A_LOCK, assert_sound, rows
from tests.earning import earning_states, owe
from tests.kit.world import Scene
from tests.waiting import eventually

_PATIENT = sa.text("""
    SELECT set_config('lock_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', '60s', true)""")
LONG = 60.0
"""Whoever waits here waits for a worker's whole set."""


def test_what_is_paid_and_what_failed_in_one_set_meet_whoever_holds_their_earnings_in_no_deadlock(
    world: Scene,
) -> None:
    """Paid ones are settled first, and here theirs is the later earning: it is not locked before the earlier one."""
    first, second = sorted(owe(world.url, 2, payees=2))
    world.run("payouts.batch")
    driving.drive(world.database, driving.process(world.bank))
    pays = {r.earning: r.payout for r in rows(world.owner, "SELECT * FROM payout_earnings")}
    world.bank.settle(reference(pays[first], 1), "failed")
    world.bank.settle(reference(pays[second], 1), "processed")
    driving.hasten(world.owner)

    def waiting(number: int) -> None:
        eventually(lambda: len(rows(world.owner, WAITS_FOR_A_LOCK)) == number, what=f"{number}")

    def hold() -> None:
        with world.operator.begin(LONG) as tx:
            tx.rows(_PATIENT)
            deciding.hold(tx, [first, second], actor="asha", why="a complaint")

    with ThreadPoolExecutor(2) as pool:
        with world.owner.begin(LONG) as between:
            between.rows(_PATIENT)
            deciding.hold_rows(between, [first])
            held = pool.submit(hold)
            waiting(1)
            settled = pool.submit(driving.drive, world.database, driving.follow(world.bank))
            waiting(2)
        held.result()
        assert settled.result() == 2
    assert earning_states(world.owner) == {"HELD": 1, "PAID": 1}
    assert_sound(world.owner)
