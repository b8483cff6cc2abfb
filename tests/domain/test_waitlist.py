"""How long an offer holds its place, and when it is reminded of."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.waitlist import OfferPolicy

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEN_MINUTES = OfferPolicy(offered_for=timedelta(minutes=10), reminded_before=timedelta(minutes=3))


@pytest.mark.parametrize(
    ("policy", "begins", "ends", "reminded"),
    [
        (OfferPolicy(), 100 * HOUR, 48 * HOUR, 36 * HOUR),
        (OfferPolicy(), 30 * HOUR, 30 * HOUR, 18 * HOUR),
        (OfferPolicy(), 10 * HOUR, 10 * HOUR, 5 * HOUR),
        (TEN_MINUTES, 100 * HOUR, HOUR / 6, HOUR / 6 * 0.7),
        (TEN_MINUTES, HOUR / 15, HOUR / 15, HOUR / 30),
    ],
)
def test_an_offer_ends_when_its_time_is_over_or_its_appointment_begins(
    policy: OfferPolicy, begins: timedelta, ends: timedelta, reminded: timedelta
) -> None:
    """A reminder of an offer that is shorter than twice its notice goes at its half."""
    end = policy.ends(NOW, NOW + begins)
    assert (end - NOW, policy.reminder(NOW, end) - NOW) == (ends, reminded)
