"""A switch tells who turned it, when and why, and keeps its history."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from db import switches
from db.clock import now
from db.engine import Database, DatabaseOptions
from domain.errors import BadInputError


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(DatabaseOptions(url=database_url))
    yield database
    database.dispose()


def test_a_switch_is_turned_once_and_its_history_tells_by_whom(database: Database) -> None:
    with database.begin() as tx:
        first = switches.turn(tx, "queue:money", on=True, who="meera", why="counting")
        again = switches.turn(tx, "queue:money", on=True, who="ravi", why="me too")
        assert switches.is_on(tx, "queue:money")
        off = switches.turn(tx, "queue:money", on=False, who="ravi", why="counted")

        assert first is not None
        assert (first.who, first.why, first.is_on) == ("meera", "counting", True)
        assert again is None
        assert off is not None
        assert not off.is_on
        told = [(row.is_on, row.who) for row in switches.history(tx, "queue:money")]
        assert told == [(False, "ravi"), (True, "meera")]


def test_what_was_never_on_needs_no_turning_off(database: Database) -> None:
    with database.begin() as tx:
        assert switches.turn(tx, "maintenance", on=False, who="meera", why="?") is None
        assert switches.listing(tx) == []


def test_only_what_is_on_is_in_all_on(database: Database) -> None:
    with database.begin() as tx:
        switches.turn(tx, "maintenance", on=True, who="meera", why="a")
        switches.turn(tx, "brake:razorpayx:acc 1", on=True, who="bursar", why="401")
        switches.turn(tx, "maintenance", on=False, who="meera", why="b")

        assert list(switches.all_on(tx)) == ["brake:razorpayx:acc 1"]
        assert [row.switch for row in switches.listing(tx)] == [
            "brake:razorpayx:acc 1",
            "maintenance",
        ]


def test_a_switch_with_an_end_lapses_then_and_not_before(database: Database) -> None:
    with database.begin() as tx:
        soon = now(tx)
        switches.turn(tx, "queue:rest", on=True, who="meera", why="a", until=soon)
        later = datetime.now(UTC) + timedelta(days=1)
        switches.turn(tx, "queue:money", on=True, who="meera", why="a", until=later)

        assert switches.lapse(tx) == ["queue:rest"]
        assert list(switches.all_on(tx)) == ["queue:money"]
        assert switches.history(tx, "queue:rest")[0].why == "its time is over"


@pytest.mark.parametrize("name", ["", "maintenence", "queue:gold", "job:", "brake:razorpayx"])
def test_a_misspelt_switch_is_refused(database: Database, name: str) -> None:
    with database.begin() as tx, pytest.raises(BadInputError, match="must be maintenance"):
        switches.turn(tx, name, on=True, who="meera", why="a slip")
