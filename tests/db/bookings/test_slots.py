"""A consultant is at one confirmed place at a time: the database says so, whatever the code does."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from db.engine import Database
from db.errors import RuleBrokenError
from tests.booking import HOUR, NOON, appointment, consultant, plan, slot
from tests.builders import change, rows
from tests.operating import opened

HALF = HOUR / 2


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with opened(database_url) as operator:
        yield operator


@pytest.fixture
def busy(database: Database) -> UUID:
    """An appointment whose consultant is busy from noon to one."""
    return appointment(database, plan(database), capacity=5)


@pytest.mark.parametrize(
    ("starts", "last"),
    [
        (NOON, HOUR),
        (NOON - HALF, HOUR),
        (NOON + HALF, HOUR),
        (NOON + HALF / 2, HALF),
        (NOON - HOUR, 3 * HOUR),
        (NOON + HOUR - timedelta(microseconds=1), HOUR),
        (NOON - HOUR, HOUR + timedelta(microseconds=1)),
    ],
)
def test_a_confirmed_time_that_overlaps_a_confirmed_one_is_refused(
    database: Database, busy: UUID, starts: object, last: timedelta
) -> None:
    with pytest.raises(RuleBrokenError) as refused, database.begin() as tx:
        slot(tx, busy, starts, last=last)  # type: ignore[arg-type]  # a moment
    assert refused.value.constraint == "one_place_at_a_time"


def test_times_that_touch_and_tentative_ones_pass(database: Database, busy: UUID) -> None:
    with database.begin() as tx:
        slot(tx, busy, NOON - HOUR)
        slot(tx, busy, NOON + HOUR)
        slot(tx, busy, NOON, confirmed=False)
        slot(tx, busy, NOON + HALF, confirmed=False)
    assert len(rows(database, "SELECT FROM slots")) == 5


def test_a_tentative_time_is_not_confirmed_over_a_confirmed_one(
    database: Database, busy: UUID
) -> None:
    with database.begin() as tx:
        slot(tx, busy, NOON, confirmed=False)
    with pytest.raises(RuleBrokenError) as refused:
        change(database, "UPDATE slots SET confirmed = true")
    assert refused.value.constraint == "one_place_at_a_time"


def test_consultants_are_busy_each_for_themselves_to_the_end_of_what_a_slot_may_be(
    database: Database,
) -> None:
    """Their ranges are neighbours: the last second of one lies before the first of the next."""
    first, second = consultant(database), consultant(database)
    assert second.number == first.number + 1
    last = NOON.replace(year=2999, month=12, day=31, hour=22)
    early = NOON.replace(year=2000, month=1, day=1, hour=0)
    for whose, times in ((first, (NOON, last)), (second, (NOON, early))):
        appointment(database, plan(database, of=whose), starts=times)
    assert len(rows(database, "SELECT FROM slots WHERE confirmed")) == 4
