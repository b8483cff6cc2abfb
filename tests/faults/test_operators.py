"""Several people decide about the same payout at the same moment: one of them does."""

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.builders import rows
from tests.faults.houses import House
from tests.operating import opened, query

MOVE = "SELECT outcome, from_state FROM bursar_move('payout', CAST(:ids AS uuid[]), :state, :who, 'because')"


def test_of_twelve_operators_at_once_one_wins_and_the_others_are_told(home: House) -> None:
    """F90: through the SQL door; half approve, half withdraw, and none meets a deadlock."""
    [id_] = home.seed(approve=False)
    ready = threading.Barrier(12)

    def decide(n: int) -> tuple[str, str]:
        state = "APPROVED" if n % 2 else "CANCELLED"
        with opened(home.database_url) as database:
            query(database, "SELECT 1")
            ready.wait(60)
            [row] = query(database, MOVE, ids=[id_], state=state, who=f"operator {n}")
            return row.outcome, state

    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(decide, range(12)))
    winners = [state for outcome, state in told if outcome == "moved"]
    assert {outcome for outcome, _ in told} <= {"moved", "illegal", "busy"}
    # To approve and then to withdraw is two decisions, each of them made once.
    moves = rows(home.database, "SELECT target FROM moves WHERE subject = :s ORDER BY at", s=id_)
    assert [move.target for move in moves] == sorted(winners)
    assert len(set(winners)) == len(winners) > 0
    assert home.payout(id_).state == moves[-1].target


def test_of_several_commands_at_once_one_approves_and_the_payout_is_paid_once(home: House) -> None:
    """F90: the losers say that it was decided already, without a traceback."""
    [id_] = home.seed(approve=False)
    home.start()
    asked = [home.bursar("payouts", "approve", str(id_), "--why", "checked") for _ in range(4)]
    codes = sorted(working.ended() for working in asked)
    assert codes == [0, 1, 1, 1], [working.log.read_text() for working in asked]
    assert not any(working.said("Traceback") for working in asked)
    home.accepted(1)
    assert len(home.recorder.sent) == 1
    home.assert_each_paid_once(1)
