"""The link of each mail, as the database wrote its facts: it leads to the plan, which the application knows."""

import re
from collections.abc import Callable
from datetime import timedelta

from domain.links import Links
from domain.mails import Letter, MailKind
from domain.waitlist import EXPIRE, OFFER, OFFERED_FOR, REMIND
from tests.builders import change, rows
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from tests.lining import full, remove
from tests.mailing import turn_on
from tests.refunding import give_back, paid
from workers.mail.rendering import Renderer

BASE = "https://app.example"


def written(world: Scene) -> dict[str, str]:
    """The one link of the newest mail of each kind."""
    found = {}
    for row in rows(world.owner, "SELECT * FROM mails ORDER BY created_at"):
        sent = row.created_at.isoformat()
        letter = Letter(row.effect_key, MailKind(row.kind), row.recipient, row.facts, sent)
        [found[row.kind]] = re.findall(
            r"https?://\S+", Renderer(Links(base=BASE)).render(letter).text
        )
    return found


def test_what_waiting_customers_are_told_leads_to_the_plan_of_their_appointment(
    world: Scene, clock: FrozenClock
) -> None:
    """TRAP: the plan's id, not the event's, from the offer through the reminder to its end."""
    there = full(world.operator, world.owner, waiting=1)
    remove(world.database, there, there.seated[0])
    world.run(OFFER)
    clock.forward(OFFERED_FOR - timedelta(hours=11))
    world.run(REMIND)
    clock.forward(timedelta(hours=12))
    world.run(EXPIRE)
    [plan] = rows(world.owner, "SELECT id FROM plans")
    offer = f"{BASE}/plans/{plan.id}/waitlist/{there.waiting[0]}"
    assert written(world) == {
        "waitlist.offered": offer,
        "waitlist.reminder": offer,
        "waitlist.expired": f"{BASE}/plans/{plan.id}",
    }


def test_what_customers_are_told_of_a_refund_leads_to_the_plan_they_paid_for(
    world: Scene, run_to_quiet: Callable[[], int]
) -> None:
    turn_on(world.operator)
    made = paid(world.operator, world.database, world.fakes.payments)
    change(world.owner, "UPDATE customers SET email = 'mira@example.org'")
    run_to_quiet()
    give_back(world.database, made.payment)
    run_to_quiet()
    [booking] = rows(world.owner, "SELECT plan FROM bookings")
    assert written(world) == {"refund.given": f"{BASE}/plans/{booking.plan}"}
