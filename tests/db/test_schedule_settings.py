"""Operators change the timetable by validated data, on top of one another, and can go back."""

from collections.abc import Iterator

import pytest

from db import schedule_settings
from db.engine import Database, DatabaseOptions
from db.schedule_settings import Change
from db.tx import Tx
from domain.errors import BadInputError
from domain.schedules import CatchUp, Rhythm, Schedule

DEFAULT = Schedule(name="payouts.process", job="payouts.process", rhythm=Rhythm(cron="0 6 * * mon"))


@pytest.fixture
def tx(database_url: str) -> Iterator[Tx]:
    """A transaction of an operator."""
    database = Database(DatabaseOptions(url=database_url, role="bursar_operator"))
    with database.begin() as tx:
        yield tx
    database.dispose()


def change(tx: Tx, wanted: Change) -> Schedule:
    """The schedule as it is in force after one more change."""
    return schedule_settings.set_(tx, DEFAULT, wanted, who="meera", why="a reason").schedule


def test_without_a_change_the_default_is_in_force(tx: Tx) -> None:
    [effective] = schedule_settings.in_force(tx, [DEFAULT])

    assert effective.schedule == effective.default == DEFAULT
    assert effective.changed_by is None


def test_changes_add_up_and_reset_goes_back(tx: Tx) -> None:
    change(tx, Change(cron="30 2 * * *"))
    change(tx, Change(timezone="Asia/Kolkata"))
    changed = change(tx, Change(catch_up=CatchUp.SKIP))

    assert changed.rhythm == Rhythm(cron="30 2 * * *", timezone="Asia/Kolkata")
    assert changed.catch_up is CatchUp.SKIP
    [effective] = schedule_settings.in_force(tx, [DEFAULT])
    assert (effective.schedule, effective.changed_by, effective.why) == (
        changed,
        "meera",
        "a reason",
    )
    assert schedule_settings.reset(tx, DEFAULT.name)
    assert not schedule_settings.reset(tx, DEFAULT.name)
    assert schedule_settings.in_force(tx, [DEFAULT])[0].schedule == DEFAULT


def test_an_interval_and_a_cron_replace_each_other(tx: Tx) -> None:
    change(tx, Change(timezone="Asia/Kolkata"))

    assert change(tx, Change(every_seconds=90)).rhythm == Rhythm(every_seconds=90)
    assert change(tx, Change(cron="0 1 * * *")).rhythm == Rhythm(cron="0 1 * * *")


@pytest.mark.parametrize(
    "wanted",
    [
        Change(),
        Change(cron="whenever"),
        Change(cron="0 1 * * *", every_seconds=5),
        Change(every_seconds=0),
        Change(every_seconds=5, timezone="Asia/Kolkata"),
        Change(timezone="Nowhere"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_changes_nothing(tx: Tx, wanted: Change) -> None:
    with pytest.raises(BadInputError):
        change(tx, wanted)

    assert schedule_settings.in_force(tx, [DEFAULT])[0].changed_by is None
