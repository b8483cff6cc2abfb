"""Customers, plans and appointments as import files state them, read from records of texts."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final

from domain import field_rules as rules
from domain.appointments import AppointmentState
from domain.bookings import PlanKind
from domain.checkouts import TIMES_MAX
from domain.errors import BadInputError
from domain.money import EXPONENTS, format_major, parse_major
from domain.records import Records

_ADDRESS: Final = re.compile(r"[!-~]+@[!-~]+", re.ASCII)
ADDRESS_MAX: Final = 254
MINUTES_MAX: Final = 24 * 60
CAPACITY_MAX: Final = 1_000_000


def _address(value: str) -> str | None:
    fits = _ADDRESS.fullmatch(value) and len(value) <= ADDRESS_MAX
    return None if fits else "must be an address, such as mira@example.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLine:
    """One valid row: who books, and where they are written to."""

    external_id: str
    name: str
    email: str | None
    payee: str | None
    """The name of the payee that this customer is too."""
    organisation: str | None
    """The name of the payee whose wallet may pay for this customer."""

    @property
    def label(self) -> str:
        """A file's lines are not told apart."""
        return ""

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of its fields."""
        said = (self.email, self.payee, self.organisation)
        return (self.external_id, self.name, *(text or "" for text in said))


_OF_CUSTOMER: Final[dict[str, rules.Check]] = {
    "external_id": rules.label,
    "name": rules.text,
    "email": rules.optional(_address),
    "payee": rules.optional(rules.label),
    "organisation": rules.optional(rules.label),
}


def parse_customer(
    record: Sequence[str], file: str, row: int
) -> CustomerLine | list[BadInputError]:
    """Read texts in the order of its fields as a line, or name every rule that they break."""
    if errors := rules.broken(_OF_CUSTOMER, record, f"{file} row {row}"):
        return errors
    external_id, name, email, payee, organisation = record
    return CustomerLine(
        external_id=external_id,
        name=name,
        email=email or None,
        payee=payee or None,
        organisation=organisation or None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One valid row: what a consultant offers. `price_minor` is of one place."""

    external_id: str
    consultant: str
    """The payee's name."""
    kind: PlanKind
    title: str
    price_minor: int
    currency: str
    minutes: int
    times: int
    """That one checkout of a private plan takes."""
    active: bool

    @property
    def label(self) -> str:
        """A file's lines are not told apart."""
        return ""

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of its fields, the price in major units; one spelling each."""
        price = format_major(self.price_minor, self.currency)
        offered = (self.external_id, self.consultant, self.kind.value, self.title, price)
        long = (str(self.minutes), str(self.times))
        return (*offered, self.currency, *long, "yes" if self.active else "no")


_OF_PLAN: Final[dict[str, rules.Check]] = {
    "external_id": rules.label,
    "consultant": rules.label,
    "kind": rules.one_of(*PlanKind),
    "title": rules.text,
    "price": lambda _: None,  # its digits depend on the currency
    "currency": rules.one_of(*sorted(EXPONENTS)),
    "minutes": rules.number(1, MINUTES_MAX),
    "times": rules.optional(rules.number(1, TIMES_MAX)),
    "active": rules.optional(rules.one_of("yes", "no")),
}


def parse_plan(record: Sequence[str], file: str, row: int) -> PlanLine | list[BadInputError]:
    """Read texts in the order of its fields as a line, or name every rule that they break."""
    place = f"{file} row {row}"
    if errors := rules.broken(_OF_PLAN, record, place):
        return errors
    said = dict(zip(_OF_PLAN, record, strict=True))
    try:
        price = parse_major(said["price"], said["currency"], f"{place} field price")
    except BadInputError as error:
        return [error]
    line = PlanLine(
        external_id=said["external_id"],
        consultant=said["consultant"],
        kind=PlanKind(said["kind"]),
        title=said["title"],
        price_minor=price,
        currency=said["currency"],
        minutes=int(said["minutes"]),
        times=int(said["times"] or 1),
        active=said["active"] != "no",
    )
    if not price:
        rule = "must be more than zero"
        return [BadInputError(f"{place} field price", said["price"], rule)]
    if not line.kind.is_private and line.times > 1:
        rule = f"must be empty or 1: a {line.kind} takes place when it was published for"
        return [BadInputError(f"{place} field times", said["times"], rule)]
    return line


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentLine:
    """One valid row: when a webinar or a class takes place, and for how many."""

    external_id: str
    plan: str
    """Its external id."""
    capacity: int
    starts: tuple[datetime, ...]
    state: AppointmentState

    @property
    def label(self) -> str:
        """The state it is in."""
        return self.state

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of its fields; one spelling each."""
        times = " ".join(map(rules.spelled, self.starts))
        return (self.external_id, self.plan, str(self.capacity), times, self.state.value)


_A: Final = AppointmentState
_OF_APPOINTMENT: Final[dict[str, rules.Check]] = {
    "external_id": rules.label,
    "plan": rules.label,
    "capacity": rules.number(1, CAPACITY_MAX),
    "starts_at": rules.moments(TIMES_MAX),
    "state": rules.optional(rules.one_of(_A.PLANNED, _A.CANCELLED, _A.OVER)),
}


def parse_appointment(
    record: Sequence[str], file: str, row: int, as_of: datetime | None
) -> AppointmentLine | list[BadInputError]:
    """Read texts in the order of its fields as a line, or name every rule that they break.

    `as_of` None: what is published here, and so PLANNED.
    """
    place = f"{file} row {row}"
    if errors := rules.broken(_OF_APPOINTMENT, record, place):
        return errors
    external_id, plan, capacity, starts_at, state = record
    if as_of is None and state not in {"", _A.PLANNED}:
        rule = "must be empty or PLANNED without --as-of: it is published here"
        return [BadInputError(f"{place} field state", state, rule)]
    return AppointmentLine(
        external_id=external_id,
        plan=plan,
        capacity=int(capacity),
        starts=rules.moments_of(starts_at),
        state=_A(state or _A.PLANNED),
    )


_KEY: Final[Callable[[object], str]] = attrgetter("external_id")
CUSTOMER_RECORDS: Final = Records(
    name="customers",
    fields=tuple(_OF_CUSTOMER),
    parse=parse_customer,
    key=_KEY,
    key_field="external_id",
    amounts=frozenset(),
    optional=frozenset({"email", "payee", "organisation"}),
)
PLAN_RECORDS: Final = Records(
    name="plans",
    fields=tuple(_OF_PLAN),
    parse=parse_plan,
    key=_KEY,
    key_field="external_id",
    amounts=frozenset({"price"}),
    optional=frozenset({"times", "active"}),
    flags=frozenset({"active"}),
)


def appointment_records(as_of: datetime | None) -> Records[AppointmentLine]:
    """A file of appointments: to be published, or (`as_of`) as another system had them then."""
    return Records(
        name="appointments",
        fields=tuple(_OF_APPOINTMENT),
        parse=lambda record, file, row: parse_appointment(record, file, row, as_of),
        key=_KEY,
        key_field="external_id",
        amounts=frozenset(),
        optional=frozenset({"state"}),
    )
