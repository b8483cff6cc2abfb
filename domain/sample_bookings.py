"""A sample marketplace to practise on: customers, plans, published appointments and wishes, the same for the same seed.

Appointments lie ahead of a day that the caller names, so that whoever imports them can book them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

from domain.appointments import AppointmentState
from domain.booking_lines import BookingLine, parse_booking
from domain.bookings import PlanKind
from domain.offer_lines import AppointmentLine, CustomerLine, PlanLine
from domain.payout_rules import CURRENCY
from domain.samples import sample_people

CONSULTANTS: Final = 40
CAPACITY: Final = 12
_OFFERS: Final = (
    (PlanKind.CONSULTATION, "An hour of advice", 60, 1),
    (PlanKind.WEBINAR, "An evening for beginners", 90, 1),
    (PlanKind.CLASS, "A class in two parts", 60, 1),
    (PlanKind.SUBSCRIPTION, "Four weeks, an hour each", 60, 4),
)
_PRICES: Final = (50_000, 75_000, 120_000, 250_000)


def sample_customers(count: int, seed: int) -> Iterator[CustomerLine]:
    """Yield `count` valid customers; a longer sample begins with a shorter one."""
    people = sample_people(seed)
    for number in range(1, count + 1):
        name = people[number % len(people)].name
        yield CustomerLine(
            external_id=customer_name(seed, number),
            name=name,
            email=f"{name.lower().replace(' ', '.')}.{number}@example.org",
            payee=None,
            organisation=None,
        )


def sample_plans(seed: int) -> Iterator[PlanLine]:
    """Yield a plan of each of `CONSULTANTS` consultants, who are payees of the other samples."""
    for number, person in enumerate(sample_people(seed)[:CONSULTANTS]):
        kind, title, minutes, times = _OFFERS[number % len(_OFFERS)]
        yield PlanLine(
            external_id=f"PL-{seed}-{number:03d}",
            consultant=person.name,
            kind=kind,
            title=title,
            price_minor=_PRICES[number % len(_PRICES)],
            currency=CURRENCY,
            minutes=minutes,
            times=times,
            active=True,
        )


def sample_appointments(count: int, seed: int, after: datetime) -> Iterator[AppointmentLine]:
    """Yield `count` appointments of the shared plans, one a day for each consultant, from the day after `after` on."""
    shared = [plan for plan in sample_plans(seed) if not plan.kind.is_private]
    noon = after.replace(hour=12, minute=0, second=0, microsecond=0)
    for number in range(count):
        plan, day = shared[number % len(shared)], 1 + number // len(shared)
        begins = noon + timedelta(days=day)
        parts = 2 if plan.kind is PlanKind.CLASS else 1
        yield AppointmentLine(
            external_id=f"AP-{seed}-{number + 1:05d}",
            plan=plan.external_id,
            capacity=CAPACITY,
            starts=tuple(begins + timedelta(hours=2 * part) for part in range(parts)),
            state=AppointmentState.PLANNED,
        )


def sample_bookings(count: int, customers: int, seed: int) -> Iterator[BookingLine]:
    """Yield `count` wishes of the first `customers` customers, for any of the plans."""
    chance = Random(seed)  # noqa: S311 - a sample must be repeatable
    plans = [plan.external_id for plan in sample_plans(seed)]
    for number in range(1, count + 1):
        bits = chance.getrandbits(48)
        who = customer_name(seed, 1 + (bits & 0xFFFFFF) % customers)
        said = [f"BK-{seed}-{number:06d}", who, plans[(bits >> 24) % len(plans)], *[""] * 13]
        line = parse_booking(said, "sample", number, None)
        assert isinstance(line, BookingLine), "a sample keeps the rules"
        yield line


def customer_name(seed: int, number: int) -> str:
    """What the customer of that number is called elsewhere."""
    return f"CU-{seed}-{number:06d}"
