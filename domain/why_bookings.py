"""Why a booking is where it is: what it waits for, or who ended it, and what became of its money and its places."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.bookings import BookingState
from domain.money import format_major
from domain.payments import OrderState, PaymentState
from domain.why import Why, of_work
from domain.why_subjects import SubjectFacts

_B, _P = BookingState, PaymentState


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFacts:
    """One checkout of a booking. Times are text for people, `amount` minor units."""

    id: str
    state: PaymentState
    amount: int
    currency: str
    orphaned: bool
    expires: str
    paid: str | None
    order: str | None
    order_state: OrderState | None
    """Of the gateway's side; None where wallet and credit pay all of it."""
    gateway: str | None
    """`NAME at GATEWAY`, once the gateway has it."""
    given_back: bool
    """Whether refunds gave all of it back."""
    refund: str | None
    """The newest refund of it."""
    refund_state: str | None

    @property
    def money(self) -> str:
        """What it is of."""
        return f"{format_major(self.amount, self.currency)} {self.currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFacts:
    """One seat of a booking, and where its appointment is."""

    places: int
    state: str
    appointment: str
    appointment_state: str
    starts: str
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFacts:
    """What the database says of one booking."""

    subject: SubjectFacts
    customer: str
    plan: str
    consultant: str
    note: str | None
    ended_by: str | None
    """`WHOM: why`, of the newest move."""
    payments: tuple[PaymentFacts, ...]
    """The newest first."""
    checkout: SubjectFacts | None
    """Of the newest payment, where that is under way."""
    places: tuple[PlaceFacts, ...]


def of_booking(facts: BookingFacts) -> Why:
    """Return the one dominant reason, the evidence and the next safe command."""
    found = _orphaned(facts) or _reason(facts)
    return replace(found, evidence=(*_evidence(facts), *found.evidence))


def _reason(facts: BookingFacts) -> Why:
    match BookingState(facts.subject.state):
        case _B.PENDING:
            return _wish(facts, "it is a wish, and nobody has decided on it")
        case _B.APPROVED:
            return _wish(facts, "its consultant agreed to it, and no checkout was begun")
        case _B.APPROVED_PENDING_PAYMENT:
            return _unpaid(facts)
        case _B.SCHEDULED:
            return _done(f"it is paid, and {_when(facts.places)}")
        case _B.COMPLETED:
            return _done(f"it was kept: {_when(facts.places)}")
        case _B.EXPIRED:
            word = "nobody paid in time, and its places are free again"
            return _done(f"{word if facts.payments else 'its time was over'}: {facts.ended_by}")
        case _B.CANCELLED | _B.REJECTED:
            word = "rejected" if facts.subject.state == _B.REJECTED else "cancelled"
            return _done(f"it was {word} by {facts.ended_by}")


def _wish(facts: BookingFacts, reason: str) -> Why:
    """It waits for its consultant, or for a checkout, and ends where neither comes."""
    place = facts.subject.place
    if place is None:
        lost = f"{reason}, and nothing will end it: this must not be"
        return Why(reason=lost, evidence=(), command="bursar audit")
    if not place.is_later or place.parked is not None:
        ending = of_work(facts.subject.id, place, facts.subject.around)
        return replace(ending, reason=f"{reason}, and its time is over: {ending.reason}")
    until = f"{reason}: it ends at {place.due}"
    if facts.subject.state == _B.APPROVED:
        return _begin(facts, until)
    who = f'--consultant "{facts.consultant}" --why "…"'
    return Why(
        reason=until, evidence=(), command=f"bursar bookings approve {facts.subject.id} {who}"
    )


def _unpaid(facts: BookingFacts) -> Why:
    """Its checkout is under way, or ended without it."""
    newest = next(iter(facts.payments), None)
    if newest is None:
        return _begin(facts, "it is to be paid, and no checkout was begun")
    if newest.state is not _P.PENDING or facts.checkout is None:
        return _begin(facts, f"its checkout is {newest.state}, and no other was begun")
    waits = f"it waits for a payment of {newest.money} until {newest.expires}"
    place = facts.checkout.place
    if place is None:
        reason = f"{waits}, and nothing will end it: this must not be"
        return Why(reason=reason, evidence=(), command="bursar audit")
    if not place.is_later or place.parked is not None:
        ending = of_work(newest.id, place, facts.checkout.around)
        return replace(ending, reason=f"nobody paid {newest.money} in time: {ending.reason}")
    match newest.order_state:
        case OrderState.NEW:
            reason = f"{waits}, for which the gateway has made no order yet"
            return Why(reason=reason, evidence=(), command=f"bursar why order {newest.order}")
        case _:
            return Why(reason=f"{waits}, at the gateway", evidence=(), command=None)


def _orphaned(facts: BookingFacts) -> Why | None:
    """What was captured for nothing is owed back, whatever the booking is."""
    orphans = (payment for payment in facts.payments if payment.orphaned)
    lost = next((payment for payment in orphans if not payment.given_back), None)
    if lost is None:
        return None
    reason = (
        f"{lost.money} were captured when it had no place for them any more: they are owed back"
    )
    command = f'bursar refunds create {lost.id} --key … --why "…"'
    if lost.refund is not None:
        command = f"bursar why refund {lost.refund}"
    return Why(reason=reason, evidence=(), command=command)


def _begin(facts: BookingFacts, reason: str) -> Why:
    command = (
        f"bursar bookings start {facts.plan} --customer {facts.customer} "
        f'--booking {facts.subject.id} --key … --why "…"'
    )
    return Why(reason=reason, evidence=(), command=command)


def _done(reason: str) -> Why:
    return Why(reason=reason, evidence=(), command=None)


def _when(places: Sequence[PlaceFacts]) -> str:
    held = [place for place in places if place.state == "CONFIRMED"]
    if not held:
        return "it holds no place: this must not be"
    last = max(held, key=lambda place: place.ends)
    return f"its appointment {last.appointment} begins {last.starts} and ends {last.ends}"


def _evidence(facts: BookingFacts) -> tuple[str, ...]:
    lines = [f"state {facts.subject.state}, last move: {facts.subject.last_move or 'none yet'}"]
    if facts.note is not None:
        lines.append(f"note: {facts.note}")
    lines += [_told(payment) for payment in facts.payments]
    lines += [
        f"{_counted(place.places)} at appointment {place.appointment}, which is {place.appointment_state} "
        f"and begins {place.starts}: {place.state}"
        for place in facts.places
    ]
    lines += [f"finding: {finding}" for finding in facts.subject.findings]
    return tuple(lines)


def _counted(places: int) -> str:
    return f"{places} place{'' if places == 1 else 's'}"


def _told(payment: PaymentFacts) -> str:
    when = f"paid {payment.paid}" if payment.paid else f"until {payment.expires}"
    lost = ", an orphan" if payment.orphaned else ""
    order = f", order {payment.order} is {payment.order_state}" if payment.order else ""
    order += f" ({payment.gateway})" if payment.gateway else ""
    order += f", refund {payment.refund} is {payment.refund_state}" if payment.refund else ""
    return f"payment {payment.id} of {payment.money} is {payment.state}{lost}, {when}{order}"
