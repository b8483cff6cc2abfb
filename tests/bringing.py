"""Files of customers, plans, appointments, bookings and lines, as rows of texts, and brought in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from db import installation
from db.bookings.import_appointments import Appointments
from db.bookings.import_bookings import Bookings
from db.bookings.import_credits import Credits
from db.bookings.import_offers import Customers, Plans
from db.earnings.openings import EarningLines, take_over
from db.engine import Database
from db.importing.records import Intake, Kept, RecordLines
from db.waitlist.imports import Waitlist
from domain.booking_lines import booking_records
from domain.credit_lines import CREDIT_RECORDS
from domain.errors import BadInputsError
from domain.offer_lines import CUSTOMER_RECORDS, PLAN_RECORDS, appointment_records
from domain.opening_earnings import FIELDS as EARNING_FIELDS, parse_opening_earning
from domain.records import Records
from domain.wait_lines import wait_records

Row = Mapping[str, str]
AS_OF: Final = datetime(2026, 4, 1, tzinfo=UTC)
"""The end of the day that files of another system speak for."""
AHEAD: Final = "2031-03-05T12:00:00Z"

_KINDS: Final[dict[str, type[Intake[Any]]]] = {
    "customers": Customers,
    "plans": Plans,
    "appointments": Appointments,
    "bookings": Bookings,
    "waitlist": Waitlist,
    "credits": Credits,
}


def records_of(kind: str, as_of: datetime | None) -> Records[Any]:
    """What a file of a kind holds."""
    made: dict[str, Callable[[datetime | None], Records[Any]]] = {
        "appointments": appointment_records,
        "bookings": booking_records,
        "waitlist": wait_records,
    }
    fixed: dict[str, Records[Any]] = {
        "customers": CUSTOMER_RECORDS,
        "plans": PLAN_RECORDS,
        "credits": CREDIT_RECORDS,
    }
    return made[kind](as_of) if kind in made else fixed[kind]


def bring(
    database: Database, kind: str, *rows: Row, as_of: datetime | None = None, dry_run: bool = False
) -> Kept:
    """Bring rows in. Raises `BadInputsError`, as the command does."""
    records = records_of(kind, as_of)
    texts = [[row.get(field, "") for field in records.fields] for row in rows]
    found: list[Any] = [records.parse(text, f"{kind}.csv", at) for at, text in enumerate(texts, 2)]
    errors = [error for one in found if isinstance(one, list) for error in one]
    if errors:
        raise BadInputsError(errors)
    order = RecordLines(lines=found, file=f"{kind}.csv", rows=range(2, len(found) + 2), as_of=as_of)
    with database.begin(60) as tx:
        own = installation.get(tx).id
        return _KINDS[kind](tx, own, order, "operator:asha").run(dry_run=dry_run)


def offers(database: Database, *, capacity: int = 2) -> None:
    """Two customers, a talk and a webinar of one consultant, and an appointment of the webinar."""
    bring(
        database,
        "customers",
        *({"external_id": f"C-{n}", "name": f"Mira {n}"} for n in range(1, 4)),
    )
    bring(
        database,
        "plans",
        {"external_id": "TALK", "consultant": "Asha", "kind": "consultation", "title": "Talk",
         "price": "625.00", "currency": "INR", "minutes": "60"},
        {"external_id": "TEA", "consultant": "Asha", "kind": "webinar", "title": "Tea",
         "price": "100.00", "currency": "INR", "minutes": "60"},
    )  # fmt: skip
    bring(database, "appointments", published(capacity=str(capacity)))


def published(external_id: str = "TEA-1", **changes: str) -> Row:
    """An appointment of the webinar."""
    said = {"external_id": external_id, "plan": "TEA", "capacity": "2", "starts_at": AHEAD}
    return said | changes


def booked(external_id: str = "B-1", state: str = "SCHEDULED", **changes: str) -> Row:
    """A booking of another system, at the webinar's appointment unless it says otherwise."""
    said = {"external_id": external_id, "customer": "C-1", "plan": "TEA", "state": state}
    return said | ({"appointment": "TEA-1"} if not changes.get("starts_at") else {}) | changes


def lined(external_id: str = "W-1", state: str = "WAITING", **changes: str) -> Row:
    """An entry of another system's line."""
    said = {
        "external_id": external_id,
        "appointment": "TEA-1",
        "customer": "C-1",
        "joined_at": "2026-03-30T12:00:00Z",
        "state": state,
    }
    return said | changes


def told(error: BadInputsError) -> Sequence[tuple[str, str]]:
    """The places and rules of errors."""
    return [(one.place, one.rule) for one in error.errors]


def earned(database: Database, external_id: str, *, payee: str, gross: str) -> None:
    """What a payee earned elsewhere and is owed here, taken over."""
    said = {
        "external_id": external_id, "payee": payee, "kind": "webinar", "gross": gross, "amount": "80.00",
        "currency": "INR", "earned_at": "2026-03-30T12:00:00Z", "state": "READY", "refunded": "", "payout": "",
    }  # fmt: skip
    line = parse_opening_earning([said[field] for field in EARNING_FIELDS], "old.csv", 2, AS_OF)
    assert not isinstance(line, list), line
    order = EarningLines(lines=[line], file="old.csv", as_of=AS_OF)
    with database.begin() as tx:
        take_over(tx, installation.get(tx).id, order, actor="asha")
