"""A payout whose call is under way as somebody wants it undone, or its process is to stop."""

from db.engine import Database
from db.payouts.decide import decide
from domain.decisions import Decision
from domain.payouts import PROCESS, RECOVER
from tests.builders import House, assert_paid_once, assert_sound, hurry, payout
from tests.earned import two_earnings
from tests.earning import earning_states
from tests.operating import opened
from workers.sandbox.faults import Fault


def test_a_call_that_is_called_off_in_its_middle_moves_nothing(
    home: House, outside: Database, database_url: str
) -> None:
    """Invariant 7: cancelled it is not, and the process may be told to stop: its provider is asked about it."""
    with opened(database_url) as operator:
        id_ = two_earnings(operator)
    home.bank.script(Fault.DROP)
    with home.bank.held() as call:
        running = home.in_background(PROCESS)
        call.wait_for(1)
        with opened(database_url) as operator, operator.begin() as tx:
            [told] = decide(tx, Decision.CANCEL, [id_], actor="asha", why="a mistake")
        home.stop.set()
        call.release()
        running.end()
    assert told.outcome == "illegal"
    found = payout(outside, id_)
    assert (found.state, found.e_state, found.w_job) == ("PROCESSING", "unknown", RECOVER)
    assert earning_states(outside) == {"BATCHED": 2}
    with opened(database_url) as operator, operator.begin() as tx:
        [told] = decide(tx, Decision.CANCEL, [id_], actor="asha", why="a mistake")
    assert told.outcome == "illegal"
    assert_sound(outside)

    home.stop.clear()
    hurry(outside)
    home.run(RECOVER)
    assert_paid_once(home.bank, [id_])
    assert earning_states(outside) == {"BATCHED": 2}
    assert_sound(outside)
