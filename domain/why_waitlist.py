"""Why an entry of the waitlist is where it is: who is before it, until when a place is held for it, what ended it."""

from dataclasses import dataclass, replace

from domain.appointments import AppointmentState
from domain.waitlist import OFFER, OFFERED, WaitState
from domain.why import Why
from domain.why_subjects import SubjectFacts, of_subject


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """What the database says of one entry. Times are text for people."""

    subject: SubjectFacts
    customer: str
    appointment: str
    appointment_state: str
    starts_at: str
    taken: int
    capacity: int
    ahead: int
    """Who wait and come before it."""
    expires_at: str | None
    moved: str | None
    """`WHOM: why`, of its newest move."""
    booking: str | None
    """The booking that took its place, and where that is."""
    booking_state: str | None
    mails: tuple[str, ...]
    """What was written about it, and where each is."""


def of_entry(facts: LineFacts) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    plain = of_subject(facts.subject)
    there = (
        f"appointment {facts.appointment} is {facts.appointment_state}, begins {facts.starts_at}",
        f"{facts.taken} of {facts.capacity} places are taken, live offers included",
        *facts.mails,
    )
    found = replace(plain, evidence=(*there, *plain.evidence))
    match WaitState(facts.subject.state):
        case WaitState.WAITING:
            return _waiting(facts, found)
        case state if state in OFFERED:
            return _offered(facts, found)
        case WaitState.BOOKED:
            reason = f"it took its place: booking {facts.booking} is {facts.booking_state}"
            return replace(found, reason=reason, command=f"bursar why booking {facts.booking}")
        case WaitState.EXPIRED:
            reason = (
                f"it did not answer until {facts.expires_at}: its place went to whoever was next"
            )
        case WaitState.SKIPPED:
            reason = f"its appointment began at {facts.starts_at} while it waited"
        case _:
            reason = f"it was ended by {facts.moved}"
    return replace(found, reason=reason, command=None)


def _waiting(facts: LineFacts, found: Why) -> Why:
    reason = f"all places are taken, and {facts.ahead} wait before it"
    if facts.appointment_state == AppointmentState.FREED:
        reason = (
            f"a place was freed, and {OFFER} is about to offer it; {facts.ahead} wait before it"
        )
    command = f"bursar waitlist roster {facts.appointment}"
    return replace(found, reason=reason, command=command)


def _offered(facts: LineFacts, found: Why) -> Why:
    """Its customer is to answer; what its job waits for is told where that does not come to it."""
    held = f"a place is held for it until {facts.expires_at}"
    place = facts.subject.place
    if place is not None and (place.parked is not None or not place.is_later):
        return replace(found, reason=f"{held}; {found.reason}")
    command = (
        f'bursar waitlist accept {facts.subject.id} --customer {facts.customer} --key … --why "…"'
    )
    reason = f"{held}, and its customer has not answered"
    return replace(found, reason=reason, command=command)
