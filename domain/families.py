"""Every machine there is, a line each: moves, audit, `bursar_move()` and docs/states.md are made from these."""

from typing import Final

from domain.appointments import APPOINTMENTS, SEATS
from domain.bookings import BOOKINGS
from domain.dispersals import DISPERSALS
from domain.disputes import DISPUTES
from domain.earnings import EARNINGS
from domain.inbox import EVENTS
from domain.machines import Machine
from domain.mails import MAILS
from domain.notices import NOTICES
from domain.obligations import OBLIGATIONS
from domain.payments import ORDERS, PAYMENTS
from domain.payouts import PAYOUTS
from domain.refunds import REFUNDS
from domain.runs import RUNS
from domain.waitlist import WAITLIST

AGGREGATES: Final[tuple[Machine, ...]] = (
    PAYOUTS,
    NOTICES,
    EVENTS,
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
"""Whose subjects wait in `work`."""
MACHINES: Final[tuple[Machine, ...]] = (*AGGREGATES, EARNINGS, RUNS)
