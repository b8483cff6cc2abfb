"""Bookings as import files state them: asked for here, or as another system had them.

One format for both. What is asked for here says who wants what; the rest is said of what another system
did, as of the time its file speaks for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final

from domain import field_rules as rules
from domain.bookings import BookingState
from domain.checkouts import PLACES_MAX, TIMES_MAX
from domain.errors import BadInputError
from domain.money import format_major, parse_major
from domain.records import Records

_B: Final = BookingState
GATEWAYS: Final = ("razorpay", "stripe")
HELD: Final = frozenset({_B.SCHEDULED, _B.COMPLETED})
"""What has a place: its own, or one at a published appointment."""
OF_PAYMENT: Final = (
    "amount", "currency", "paid_at", "gateway", "order_id", "payment_id", "earning",
)  # fmt: skip
"""What is said of a payment: all or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldPayment:
    """What paid a booking elsewhere: minor units, when, by which gateway, and what was earned by it."""

    amount_minor: int
    currency: str
    paid_at: datetime
    gateway: str
    order_id: str
    """What the gateway calls its order; where that is its capture too, the same again."""
    payment_id: str
    """What the gateway calls its capture."""
    earning: str
    """The external id of its earning, which was taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingLine:
    """One valid row; customer, plan and appointment by their external ids."""

    external_id: str
    customer: str
    plan: str
    appointment: str | None
    starts: tuple[datetime, ...]
    places: int
    state: BookingState
    created_at: datetime | None
    payment: OldPayment | None
    note: str | None
    record: tuple[str, ...]
    """Its texts in the order of its fields; one spelling each."""

    @property
    def label(self) -> str:
        """The state it was in."""
        return self.state


_OF_BOOKING: Final[dict[str, rules.Check]] = {
    "external_id": rules.label,
    "customer": rules.label,
    "plan": rules.label,
    "appointment": rules.optional(rules.label),
    "starts_at": rules.optional(rules.moments(TIMES_MAX)),
    "places": rules.optional(rules.number(1, PLACES_MAX)),
    "state": rules.optional(rules.one_of(*BookingState)),
    "created_at": rules.optional(rules.moment),
    "amount": lambda _: None,  # its digits depend on the currency
    "currency": rules.optional(rules.label),
    "paid_at": rules.optional(rules.moment),
    "gateway": rules.optional(rules.one_of(*GATEWAYS)),
    "order_id": rules.optional(rules.label),
    "payment_id": rules.optional(rules.label),
    "earning": rules.optional(rules.label),
    "note": rules.optional(rules.text),
}
_ELSEWHERE: Final = dict.fromkeys(tuple(_OF_BOOKING)[3:-1], "") | {
    "places": "1",
    "state": _B.PENDING,
}
"""What only another system can say, and what each is where nobody did."""


def parse_booking(
    record: Sequence[str], file: str, row: int, as_of: datetime | None
) -> BookingLine | list[BadInputError]:
    """Read texts in the order of its fields as a line, or name every rule that they break."""
    place = f"{file} row {row}"
    if errors := rules.broken(_OF_BOOKING, record, place):
        return errors
    said = dict(zip(_OF_BOOKING, record, strict=True))
    found = rules.asked_here(said, _ELSEWHERE) if as_of is None else _of_booking(said, as_of)
    if not found:
        try:
            return _booking(said, place)
        except BadInputError as error:
            return [error]
    return [BadInputError(f"{place} field {field}", said[field], rule) for field, rule in found]


def _of_booking(said: Mapping[str, str], as_of: datetime) -> list[rules.Broken]:
    found = rules.past(said, ("created_at", "paid_at"), as_of)
    if not said["state"]:
        return [*found, ("state", "must be given with --as-of")]
    state = BookingState(said["state"])
    given = [field for field in OF_PAYMENT if said[field]]
    if state in HELD:
        if bool(said["appointment"]) == bool(said["starts_at"]):
            rule = f"must be given, or else starts_at, not both, for a booking that is {state}"
            found.append(("appointment", rule))
        if given and len(given) < len(OF_PAYMENT):
            rule = f"must be given with {', '.join(given)}: a payment is told whole, or not at all"
            found += [(field, rule) for field in OF_PAYMENT if not said[field]]
        return found
    rule = f"must be empty for a booking that is {state}: what was paid for it is the other system's to give back"
    return [*found, *((field, rule) for field in given)]


def _booking(said: dict[str, str], place: str) -> BookingLine:
    payment = _payment(said, place) if said["amount"] else None
    starts = rules.moments_of(said["starts_at"])
    places, state = int(said["places"] or 1), BookingState(said["state"] or _B.PENDING)
    told = said | {
        "starts_at": " ".join(map(rules.spelled, starts)),
        "places": str(places),
        "state": state.value,
        "created_at": rules.spelled(rules.moment_of(said["created_at"])),
    }
    if payment is not None:
        told["amount"] = format_major(payment.amount_minor, payment.currency)
        told["paid_at"] = rules.spelled(payment.paid_at)
    return BookingLine(
        external_id=said["external_id"],
        customer=said["customer"],
        plan=said["plan"],
        appointment=said["appointment"] or None,
        starts=starts,
        places=places,
        state=state,
        created_at=rules.moment_of(said["created_at"]),
        payment=payment,
        note=said["note"] or None,
        record=tuple(told.values()),
    )


def _payment(said: Mapping[str, str], place: str) -> OldPayment:
    amount = parse_major(said["amount"], said["currency"], f"{place} field amount")
    paid_at = rules.moment_of(said["paid_at"])
    if not amount or paid_at is None:
        raise BadInputError(f"{place} field amount", said["amount"], "must be more than zero")
    return OldPayment(
        amount_minor=amount,
        currency=said["currency"],
        paid_at=paid_at,
        gateway=said["gateway"],
        order_id=said["order_id"],
        payment_id=said["payment_id"],
        earning=said["earning"],
    )


_KEY: Final[Callable[[object], str]] = attrgetter("external_id")


def booking_records(as_of: datetime | None) -> Records[BookingLine]:
    """A file of bookings: asked for here, or (`as_of`) as another system had them then."""
    return Records(
        name="bookings",
        fields=tuple(_OF_BOOKING),
        parse=lambda record, file, row: parse_booking(record, file, row, as_of),
        key=_KEY,
        key_field="external_id",
        amounts=frozenset({"amount"}),
        optional=frozenset(_OF_BOOKING) - {"external_id", "customer", "plan"},
    )
