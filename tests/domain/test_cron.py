"""Cron means what cron says; anything doubtful is refused with the field and the rule."""

import pytest

from domain.cron import read_cron
from domain.errors import BadInputError


def test_weekday_one_is_monday_and_both_zero_and_seven_are_sunday() -> None:
    assert read_cron("0 6 * * 1").weekdays == read_cron("0 6 * * mon").weekdays == {1}
    assert read_cron("0 6 * * 0").weekdays == read_cron("0 6 * * 7").weekdays == {0}
    assert read_cron("0 6 * * 5-7").weekdays == {5, 6, 0}


def test_lists_ranges_steps_and_names() -> None:
    cron = read_cron("*/20,5 9-17/4 1 jan,Jul *")

    assert cron.minutes == {0, 20, 40, 5}
    assert cron.hours == {9, 13, 17}
    assert cron.days == {1}
    assert cron.months == {1, 7}
    assert cron.weekdays == set(range(7))


def test_a_leap_day_is_a_day() -> None:
    assert read_cron("0 0 29 2 *").days == {29}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("60 * * * *", "cron minute"),
        ("* 24 * * *", "cron hour"),
        ("* * 0 * *", "cron day of month"),
        ("* * * 13 *", "cron month"),
        ("* * * * 8", "cron weekday"),
        ("*/0 * * * *", "at least 1"),
        ("5-1 * * * *", "must rise"),
        ("-1 * * * *", "is not"),
        ("1,,2 * * * *", "is not"),
        ("٣ * * * *", "cron minute"),
        ("0 0 31 2 *", "none of its months"),
        ("0 0 1 * mon", "both"),
        ("0" * 300 + " * * * *", "five fields"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_cron(text)
