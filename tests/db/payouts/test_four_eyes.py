"""Four eyes: nobody approves what they made, and a fourth generation needs two people."""

from uuid import UUID

import pytest

from db import proposals, switches
from db.engine import Database
from db.payouts.decide import decide
from domain.decisions import Decision
from domain.errors import RefusedError
from domain.payouts import GENERATIONS_MAX
from domain.switches import MAKER_CHECKER
from tests.builders import hurry, payout, seed
from tests.kit.world import Scene
from tests.operating import line, one, opened, query, take
from workers.cli.actions import Agreed, action_named
from workers.sandbox.faults import Fault

DOOR = "SELECT outcome FROM bursar_move('payout', ARRAY[CAST(:id AS uuid)], :to, :by, 'checked')"


def said(database: Database, decision: Decision, id_: UUID, actor: str) -> str:
    with database.begin() as tx:
        [moved] = decide(tx, decision, [id_], actor=actor, why="checked")
    return moved.outcome


def check_makers(database: Database) -> None:
    with database.begin() as tx:
        switches.turn(tx, MAKER_CHECKER, on=True, who="ravi", why="policy 7")


def test_who_made_a_payout_does_not_approve_it(database_url: str) -> None:
    """Invariant 19: `asha` brought it in."""
    with opened(database_url) as operator:
        id_ = one(operator, approve=False)
        check_makers(operator)
        assert said(operator, Decision.APPROVE, id_, "asha") == "own"
        assert said(operator, Decision.REJECT, id_, "nobody else is needed") == "moved"
        other = one(operator, [line("A-2")], approve=False)
        assert said(operator, Decision.APPROVE, other, "ravi") == "moved"


def test_the_sql_door_knows_who_made_it_too(database_url: str) -> None:
    """Invariant 19."""
    with opened(database_url) as operator:
        id_ = one(operator, approve=False)
        check_makers(operator)
        assert query(operator, DOOR, id=id_, to="APPROVED", by="asha")[0].outcome == "own"
        assert query(operator, DOOR, id=id_, to="APPROVED", by="ravi")[0].outcome == "moved"


def test_an_application_approves_nothing_and_may_withdraw(database_url: str) -> None:
    """Whoever it names: what was made by a batch or a person waits for an operator."""
    with opened(database_url) as operator, opened(database_url, "bursar_app") as application:
        id_ = one(operator, approve=False)
        for by in ("asha", "ravi", "payouts.batch"):
            [told] = query(application, DOOR, id=id_, to="APPROVED", by=by)
            assert told.outcome == "forbidden"
        assert query(operator, "SELECT state FROM payouts")[0].state == "PENDING"
        assert query(application, DOOR, id=id_, to="CANCELLED", by="shop")[0].outcome == "moved"


def test_an_application_retries_nothing(world: Scene, database_url: str) -> None:
    """A retry approves another request of what a bank refused."""
    [id_] = seed(database_url, 1)
    world.bank.script(Fault.REFUSE)
    world.run("payouts.process")
    with opened(database_url, "bursar_app") as application:
        [told] = query(application, DOOR, id=id_, to="APPROVED", by="shop")
    assert (told.outcome, payout(world.owner, id_).state) == ("forbidden", "FAILED")


def test_without_the_policy_one_person_is_enough(database_url: str) -> None:
    with opened(database_url) as operator:
        id_ = one(operator, approve=False)
        assert said(operator, Decision.APPROVE, id_, "asha") == "moved"


def test_an_import_does_not_approve_under_the_policy(database_url: str) -> None:
    """Invariant 19."""
    with opened(database_url) as operator:
        check_makers(operator)
        with pytest.raises(RefusedError, match="another person approves"):
            take(operator, [line()], approve=True)
        assert take(operator, [line()]).created == 1


def refused_as_often_as_may_be(world: Scene) -> UUID:
    """A payout that its bank refused under each generation that one person may try."""
    [id_] = seed(world.url, 1)
    for generation in range(1, GENERATIONS_MAX + 1):
        world.bank.script(Fault.REFUSE)
        hurry(world.owner)
        world.run("payouts.process")
        assert payout(world.owner, id_).generation == generation
        if generation < GENERATIONS_MAX:
            assert said(world.operator, Decision.RETRY, id_, "asha") == "moved"
    return id_


def test_a_payout_is_tried_under_three_generations_and_no_more(world: Scene) -> None:
    """Only definite refusals are counted: each made a generation."""
    id_ = refused_as_often_as_may_be(world)
    assert said(world.operator, Decision.RETRY, id_, "asha") == "exhausted"
    assert payout(world.owner, id_).state == "FAILED"


def test_two_people_allow_one_more(world: Scene) -> None:
    id_ = refused_as_often_as_may_be(world)
    action = action_named("payout.retry")
    with world.operator.begin() as tx:
        action.check(tx, str(id_), {})
        asked = proposals.propose(
            tx, "payout.retry", str(id_), {}, by="asha", why="account repaired"
        )
    assert said(world.operator, Decision.RETRY, id_, "asha") == "exhausted", "one is not enough"
    with world.operator.begin() as tx:
        row = proposals.approve(tx, asked, by="ravi")
        agreed = Agreed(
            subject=row.subject,
            details=row.arguments,
            both="asha, ravi",
            why=row.why,
            proposed_at=row.proposed_at,
        )
        proposals.finish(tx, asked, action.run(tx, agreed))
    assert payout(world.owner, id_).generation == GENERATIONS_MAX + 1
    world.bank.script(Fault.REFUSE)
    world.run("payouts.process")
    assert said(world.operator, Decision.RETRY, id_, "asha") == "exhausted", "it was for one"


def test_the_sql_door_and_the_domain_name_the_same_number(database_url: str) -> None:
    with opened(database_url) as operator:
        [door] = query(operator, "SELECT prosrc FROM pg_proc WHERE proname = 'move_payouts'")
    assert f"p.generation >= {GENERATIONS_MAX}" in door.prosrc
