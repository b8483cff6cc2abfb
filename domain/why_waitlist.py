"""Why an entry of the waitlist is where it is: how many are before it, until when a place is held for it."""

from dataclasses import dataclass, replace

from domain.appointments import AppointmentState
from domain.waitlist import OFFER, OFFERED, WaitState
from domain.why import Why
from domain.why_subjects import SubjectFacts, of_subject


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """What the database says of one entry. Times are text for people."""

    subject: SubjectFacts
    appointment: str
    appointment_state: str
    starts_at: str
    taken: int
    capacity: int
    ahead: int
    """Who wait and come before it."""
    expires_at: str | None


def of_entry(facts: LineFacts) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    plain = of_subject(facts.subject)
    there = (
        f"appointment {facts.appointment} is {facts.appointment_state}, begins {facts.starts_at}",
        f"{facts.taken} of {facts.capacity} places are taken, live offers included",
    )
    state = facts.subject.state
    if state in OFFERED:
        held = f"a place is held for it until {facts.expires_at}"
        return replace(plain, evidence=(held, *there, *plain.evidence))
    if state != WaitState.WAITING:
        return replace(plain, evidence=(*there, *plain.evidence))
    reason = f"all places are taken, and {facts.ahead} wait before it"
    if facts.appointment_state == AppointmentState.FREED:
        reason = (
            f"a place was freed, and {OFFER} is about to offer it; {facts.ahead} wait before it"
        )
    command = f"bursar waitlist roster {facts.appointment}"
    return Why(reason=reason, evidence=(*there, *plain.evidence), command=command)
