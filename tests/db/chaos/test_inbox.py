"""What a storm reads of webhooks: which were kept, which wait, and what rarely came of them."""

import hashlib

from db.chaos import quiet, sometimes, verdict
from domain.inbox import APPLY
from domain.payouts import PROCESS
from tests.builders import change, house, owner, seed
from tests.hearing import about, event, receive
from workers.sandbox.faults import Fault


def test_what_was_kept_is_known_by_its_bytes_and_by_what_came_of_it(database_url: str) -> None:
    """One moves its payout, one would free its money, one tells what is known."""
    first, second = seed(database_url, 2)
    with house(database_url) as home, owner(database_url) as outside:
        home.run(PROCESS)
        home.bank.settle(str(first), "processed")
        home.bank.settle(str(second), "failed")
        told = [event(about(home.bank, first), "processed")]
        told += [event(about(home.bank, second), "failed")]
        receive(outside, told)
        home.run(APPLY)
        told += [event(about(home.bank, first), "processed")]
        receive(outside, told[2:])
        home.run(APPLY)
        with outside.begin() as tx:
            counts, kept = sometimes.counts(tx), verdict.inbox(tx)
    heard = {name: counts[f"heard_{name}"] for name in ("and_moved", "in_vain", "and_asked")}
    assert heard == {"and_moved": 1, "in_vain": 1, "and_asked": 1}
    assert [one.digest for one in kept] == [hashlib.sha256(e.body).hexdigest() for e in told]
    assert {(one.state, one.waits) for one in kept} == {("APPLIED", False)}


def test_a_webhook_says_first_what_nobody_knew(database_url: str) -> None:
    [id_] = seed(database_url, 1)
    with house(database_url) as home, owner(database_url) as outside:
        home.bank.script(Fault.DROP)
        home.run(PROCESS)
        home.bank.settle(str(id_), "processed")
        receive(outside, [event(about(home.bank, id_), "processed")])
        home.run(APPLY)
        with outside.begin() as tx:
            assert sometimes.counts(tx)["heard_first"] == 1


def test_one_that_nobody_came_to_is_waited_for_and_is_told(database_url: str) -> None:
    """Not one of this moment: those come as long as there is a bank."""
    [id_] = seed(database_url, 1)
    with house(database_url) as home, owner(database_url) as outside:
        home.run(PROCESS)
        receive(outside, [event(about(home.bank, id_), "processed")])
        with outside.begin() as tx:
            assert quiet.look(tx).events == 0
        change(outside, "UPDATE inbox SET created_at = created_at - interval '1 minute'")
        with outside.begin() as tx:
            assert quiet.look(tx).events == 1
            assert [one.waits for one in verdict.inbox(tx)] == [True]
