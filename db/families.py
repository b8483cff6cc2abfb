"""Every family of the database, a line each; a new one is a line here and nothing else of the core.

Its machine is in `domain/families.py`, its tables and functions in files of their own in
`db/schema/`, its jobs in `jobs/catalog.py`.
"""

from typing import Final

from db.bookings.families import APPOINTMENTS, BOOKINGS, ORDERS, PAYMENTS, SEATS
from db.dispersals.family import DISPERSALS
from db.disputes.family import DISPUTES
from db.family import Family
from db.inbox.family import INBOX
from db.mails.family import MAILS
from db.notices.family import NOTICES
from db.obligations.family import OBLIGATIONS
from db.payouts.family import PAYOUTS
from db.refunds.family import REFUNDS
from db.waitlist.family import WAITLIST

FAMILIES: Final[tuple[Family, ...]] = (
    PAYOUTS,
    NOTICES,
    INBOX,
    BOOKINGS,
    PAYMENTS,
    ORDERS,
    APPOINTMENTS,
    SEATS,
    WAITLIST,
    MAILS,
    OBLIGATIONS,
    DISPERSALS,
    DISPUTES,
    REFUNDS,
)


def family_of(kind: str) -> Family:
    """The family of an aggregate's kind. Raises `KeyError`."""
    return {family.machine.kind: family for family in FAMILIES}[kind]
