"""The sample marketplace: the same for the same seed, each line valid, no consultant in two places."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.booking_lines import booking_records
from domain.offer_lines import CUSTOMER_RECORDS, PLAN_RECORDS, appointment_records
from domain.records import Records
from domain.sample_bookings import (
    CONSULTANTS,
    sample_appointments,
    sample_bookings,
    sample_customers,
    sample_plans,
)

DAY = datetime(2031, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("records", "lines"),
    [
        (CUSTOMER_RECORDS, list(sample_customers(400, 1))),
        (PLAN_RECORDS, list(sample_plans(1))),
        (appointment_records(None), list(sample_appointments(90, 1, DAY))),
        (booking_records(None), list(sample_bookings(90, 20, 1))),
    ],
)
def test_each_line_is_read_as_it_was_written(records: Records[Any], lines: list[Any]) -> None:
    assert [records.parse(line.record, "sample", 1) for line in lines] == lines
    assert len({line.external_id for line in lines}) == len(lines)


def test_the_same_seed_is_the_same_and_a_longer_sample_begins_with_a_shorter_one() -> None:
    assert list(sample_bookings(9, 5, 7)) == list(sample_bookings(20, 5, 7))[:9]
    assert list(sample_bookings(9, 5, 7)) != list(sample_bookings(9, 5, 8))
    assert len(list(sample_plans(3))) == CONSULTANTS


def test_wishes_are_of_customers_and_plans_of_the_same_sample() -> None:
    customers = {line.external_id for line in sample_customers(20, 1)}
    plans = {line.external_id for line in sample_plans(1)}
    wishes = list(sample_bookings(200, 20, 1))
    assert {line.customer for line in wishes} == customers
    assert {line.plan for line in wishes} == plans


def test_appointments_lie_ahead_and_no_consultant_is_in_two_places() -> None:
    minutes = {line.external_id: timedelta(minutes=line.minutes) for line in sample_plans(1)}
    seen: dict[str, datetime] = {}
    for line in sample_appointments(200, 1, DAY):
        for at in line.starts:
            assert at > seen.get(line.plan, DAY)
            seen[line.plan] = at + minutes[line.plan]
