"""The peers' work on a real database: done once it is proven, and whatever is wrong of it is seen."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from domain.errors import BrokenError
from tests.bench import body, body_orm, gateway, tables
from tests.bench.world import VARIABLE, World, told


@pytest.fixture
def world(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A world with three payouts, of which this process is a worker."""
    made = World(url=empty_database_url, broker_url="", notes=str(tmp_path / "notes"))
    tables.make(made, 3)
    monkeypatch.setenv(VARIABLE, made.environment()[VARIABLE])
    told.cache_clear()
    yield made
    body.close()
    body_orm.close()
    told.cache_clear()


def test_a_payout_is_paid_once_however_often_its_job_comes(world: World) -> None:
    for payout in (1, 2, 2, 3, 1):
        body.pay(payout)

    assert tables.paid(world) == 3
    tables.prove(world, 3)
    whole, steady = tables.span(world)
    assert whole >= steady >= 0


def test_objects_come_to_the_same_end_as_statements(world: World) -> None:
    body_orm.pay(1)
    body_orm.pay(2)
    body.pay(3)

    tables.prove(world, 3)


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        ("UPDATE payouts SET status = 2 WHERE id = 2", "payouts paid"),
        ("DELETE FROM ledger WHERE payout = 2 AND account = 1", "pairs of ledger rows"),
        ("UPDATE ledger SET amount = amount + 1 WHERE payout = 2", "booked wrongly"),
        ("UPDATE totals SET amount = amount + 1", "totals unlike the ledger"),
        ("UPDATE totals SET entries = entries + 1", "pairs in the totals"),
    ],
)
def test_a_run_that_went_wrong_is_no_result(world: World, damage: str, seen: str) -> None:
    for payout in (1, 2, 3):
        body.pay(payout)
    with psycopg.connect(world.conninfo) as connection:
        connection.execute(damage.encode())

    with pytest.raises(BrokenError, match=seen):
        tables.prove(world, 3)


def test_a_second_call_for_the_same_payout_is_no_result(world: World) -> None:
    for payout in (1, 2, 3):
        body.pay(payout)
    gateway.call(2)

    with pytest.raises(BrokenError, match="calls"):
        tables.prove(world, 3)
