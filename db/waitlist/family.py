"""The waitlist as the audit and the listings know it."""

from typing import Final

from db import aggregates
from db.family import Family
from db.invariant import Invariant
from domain import appointments, waitlist
from domain.findings import FindingKind

NOBODY_WAITS_BESIDE_A_FREE_PLACE: Final = Invariant(
    name="waitlist-nobody-waits-beside-a-free-place",
    promise="Nobody waits for an appointment that is PLANNED, has not begun and has a free place.",
    walk=aggregates.walk(appointments.APPOINTMENTS),
    finding=FindingKind.INVARIANT_BROKEN,
    offences="""
      SELECT 'appointment ' || a.id AS subject, format('%s of %s places are taken, and somebody waits', a.taken, a.capacity) AS detail
      FROM page a
      WHERE a.state = 'PLANNED' AND a.taken < a.capacity AND a.starts_at > clock_timestamp()
        AND EXISTS (SELECT FROM waitlist w WHERE w.appointment = a.id AND w.state = 'WAITING')""",
)

WAITLIST: Final = Family(
    machine=waitlist.WAITLIST,
    promises=(*aggregates.promises(waitlist.WAITLIST), NOBODY_WAITS_BESIDE_A_FREE_PLACE),
    columns=(
        "external_id",
        "appointment",
        "customer",
        "state",
        "priority",
        "joined_at",
        "expires_at",
        "created_at",
        "id",
    ),
    details=("payment", "updated_at"),
    named_by="external_id",
)
