"""What a storm waits for when it is over."""

from uuid import UUID

from db.chaos import quiet
from db.engine import Database
from db.payouts.decide import decide
from domain.decisions import Decision
from domain.payouts import FOLLOW, PROCESS
from tests.builders import House, house, hurry, owner, payout, seed
from workers.sandbox.faults import Fault


def test_only_what_came_back_of_the_newest_generation_is_waited_for(database_url: str) -> None:
    """The end of an earlier one was seen in its time: of the one that was paid, nothing comes back."""
    [id_] = seed(database_url, 1)
    with house(database_url) as home, owner(database_url) as outside:
        home.bank.script(Fault.REFUSE)
        home.run(PROCESS)
        with outside.begin() as tx:
            decide(tx, Decision.RETRY, [id_], actor="operator:asha", why="again")
        ask_the_bank(home, outside, id_)
        assert payout(outside, id_).state == "COMPLETED"
        with outside.begin() as tx:
            assert quiet.let_a_day_pass(tx, [(id_, 1)]) == 0
        assert payout(outside, id_).w_wait > 80_000
        with outside.begin() as tx:
            assert quiet.let_a_day_pass(tx, [(id_, 2)]) == 1
        assert payout(outside, id_).w_wait <= 0


def ask_the_bank(home: House, outside: Database, id_: UUID) -> None:
    hurry(outside)
    home.run(PROCESS)
    home.bank.settle(f"{id_}-2", "processed")
    hurry(outside)
    home.run(FOLLOW)
