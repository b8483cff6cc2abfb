"""Disputes and reductions of earnings: who wins, what is owed, and that saying it twice changes nothing."""

from uuid import UUID

import pytest

from db.earnings import deciding
from db.earnings.deciding import Decided
from db.engine import Database
from tests.builders import assert_sound, hurry
from tests.earning import earning_states, owe
from tests.kit.world import Scene
from tests.operating import opened, query

STATE = "SELECT state, disputed, refunded FROM earnings WHERE id = :id"


def dispute(database: Database, earnings: list[UUID], *, opens: bool) -> list[str]:
    with database.begin() as tx:
        say = deciding.hold if opens else deciding.release
        done = say(tx, earnings, actor="asha", why="a complaint")
    return [one.outcome for one in done]


def reduce(database: Database, totals: dict[UUID, int | None]) -> list[Decided]:
    with database.begin() as tx:
        return deciding.reduce(tx, totals, actor="asha", why="cancelled late")


def balances(database: Database) -> dict[str, int]:
    """Balances by kind of account, on the normal side."""
    rows = query(
        database,
        """SELECT a.kind, CAST(abs(sum(b.debits - b.credits)) AS bigint) AS minor
           FROM accounts a JOIN balances b ON b.account = a.id GROUP BY a.kind""",
    )
    return {row.kind: row.minor for row in rows if row.minor}


def test_a_dispute_holds_an_earning_until_it_is_closed(database_url: str) -> None:
    [one] = owe(database_url, 1)
    with opened(database_url) as operator:
        assert dispute(operator, [one], opens=True) == ["moved"]
        assert dispute(operator, [one], opens=True) == ["same"]
        assert tuple(query(operator, STATE, id=one)[0]) == ("HELD", True, 0)
        assert dispute(operator, [one], opens=False) == ["moved"]
        assert tuple(query(operator, STATE, id=one)[0]) == ("READY", False, 0)
        moves = query(operator, "SELECT source, target, actor, reason FROM moves ORDER BY at")
        assert [tuple(row) for row in moves] == [
            ("READY", "HELD", "asha", "a complaint"),
            ("HELD", "READY", "asha", "a complaint"),
        ]


def test_what_was_given_back_is_owed_no_more(database_url: str) -> None:
    [one, other] = owe(database_url, 2)
    with opened(database_url) as operator:
        done = reduce(operator, {one: 30_000, other: None})
        assert [d.outcome for d in done] == ["moved", "moved"]
        assert earning_states(operator) == {"READY": 1, "REFUNDED": 1}
        assert balances(operator) == {"payee_payable": 70_000, "imported_liability": 70_000}
        assert_sound(operator)


def test_a_total_that_is_said_again_changes_nothing(database_url: str) -> None:
    [one] = owe(database_url, 1)
    with opened(database_url) as operator:
        outcomes = [
            reduce(operator, {one: total})[0].outcome for total in (30_000, 30_000, 29_999, 40_000)
        ]
        assert outcomes == ["moved", "same", "beyond", "moved"]
        assert reduce(operator, {one: 100_001})[0].outcome == "beyond"
        assert balances(operator)["payee_payable"] == 60_000
        entries = query(
            operator, "SELECT key FROM entries WHERE type = 'earning.reduced' ORDER BY key"
        )
        assert [row.key for row in entries] == [
            f"earning:{one}:reduced:30000",
            f"earning:{one}:reduced:40000",
        ]


def test_what_was_paid_is_owed_back(world: Scene) -> None:
    [one] = owe(world.url, 1)
    world.run("payouts.batch")
    world.run("payouts.process")
    assert reduce(world.operator, {one: 30_000})[0].outcome == "sending"
    world.bank.finish()
    hurry_follow(world)
    assert earning_states(world.operator) == {"PAID": 1}
    assert reduce(world.operator, {one: 30_000})[0].outcome == "moved"
    assert balances(world.operator)["payee_receivable"] == 30_000
    assert_sound(world.owner)


def hurry_follow(world: Scene) -> None:
    """Let the bank be asked now."""
    hurry(world.owner)
    world.run("payouts.follow")


@pytest.mark.parametrize("opens", [True, False])
def test_what_was_given_back_whole_is_disputed_no_more(database_url: str, opens: bool) -> None:  # noqa: FBT001 - a case of the test
    [one] = owe(database_url, 1)
    with opened(database_url) as operator:
        reduce(operator, {one: None})
        assert dispute(operator, [one], opens=opens) == ["illegal"]
