"""The webinar of the demo: who offers it, who books it, who waits; brought in as any file of them would be."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from db.bookings.import_appointments import Appointments
from db.bookings.import_offers import Customers, Plans
from db.importing.records import Intake, RecordLines, RecordT
from db.installation import Installation
from db.tx import Tx
from domain.appointments import AppointmentState
from domain.bookings import PlanKind
from domain.offer_lines import AppointmentLine, CustomerLine, PlanLine
from domain.payout_rules import CURRENCY

HOST: Final = "Meera Iyer"
PLAN, WEBINAR = "RAGAS", "RAGAS-LIVE"
TITLE: Final = "Monsoon ragas, live"
PRICE_MINOR: Final = 75_000
BUYERS: Final = (
    *("Aditi", "Bhavna", "Chetan", "Deepa", "Farhan", "Gauri"),
    *("Harish", "Imran", "Jaya", "Kabir", "Lakshmi", "Manoj"),
)
"""As many as there are places."""
WAITERS: Final = ("Nisha", "Omkar", "Priya", "Rohan")


def address(who: str) -> str:
    """Where somebody reads their mail."""
    return f"{who.lower()}@example.org"


def bring_in(tx: Tx, installation: Installation, now: datetime, actor: str) -> None:
    """Make it known who books, what is offered, and when it takes place: in three days."""
    customers = [
        CustomerLine(external_id=who, name=who, email=address(who), payee=None, organisation=None)
        for who in (*BUYERS, *WAITERS)
    ]
    plan = PlanLine(
        external_id=PLAN,
        consultant=HOST,
        kind=PlanKind.WEBINAR,
        title=TITLE,
        price_minor=PRICE_MINOR,
        currency=CURRENCY,
        minutes=90,
        times=1,
        active=True,
    )
    webinar = AppointmentLine(
        external_id=WEBINAR,
        plan=PLAN,
        capacity=len(BUYERS),
        starts=(now + timedelta(days=3),),
        state=AppointmentState.PLANNED,
    )

    def bring(kind: type[Intake[RecordT]], lines: Sequence[RecordT]) -> None:
        order = RecordLines(lines=lines, file="demo", rows=range(1, len(lines) + 1))
        kind(tx, installation.id, order, actor).run()

    bring(Customers, customers)
    bring(Plans, [plan])
    bring(Appointments, [webinar])
