"""What was captured when its seat was gone is a finding until it is given back."""

from tests.booking import (
    cancel,
    pay,
)
from tests.builders import change, rows
from tests.jobs.bookings.seating import seated
from tests.kit.world import Scene


def test_an_orphan_is_a_finding_until_it_is_given_back(world: Scene) -> None:
    """Late capture can turn EXPIRED to SUCCEEDED: flagged for a refund."""
    who, made = seated(world)
    cancel(world.database, who, made.payment)
    pay(world.database, made.payment)
    world.run("bookings.flag_orphans")
    [told] = rows(world.owner, "SELECT * FROM findings WHERE kind = 'payment-orphaned'")
    assert told.subject == f"payment {made.payment}"
    assert "100.00 INR" in told.detail
    change(world.owner, "UPDATE payments SET orphaned = false")
    world.run("bookings.flag_orphans")
    [told] = rows(world.owner, "SELECT * FROM findings WHERE kind = 'payment-orphaned'")
    assert told.auto_healed
