"""Why a booking is where it is: one reason for each state, and what to do about it."""

from dataclasses import replace

import pytest

from domain.payments import OrderState, PaymentState
from domain.why import Place, Surroundings
from domain.why_bookings import BookingFacts, PaymentFacts, PlaceFacts, of_booking
from domain.why_subjects import SubjectFacts

AROUND = Surroundings(gates=(), workers=1)
WAITS = Place(
    job="bookings.expire_checkouts", due="12:35", is_later=True, holder=None, held_until=None, parked=None,
    last_error=None, tries=0, ahead=0,
)  # fmt: skip
PAYMENT = PaymentFacts(
    id="p", state=PaymentState.PENDING, amount=10_000, currency="INR", orphaned=False, expires="12:35", paid=None,
    order="o", order_state=OrderState.OPEN, gateway="order_1 at razorpay",
    given_back=False, refund=None, refund_state=None,
)  # fmt: skip
PLACE = PlaceFacts(
    places=2,
    state="CONFIRMED",
    appointment="TEA-1",
    appointment_state="PLANNED",
    starts="14:00",
    ends="15:00",
)


def subject(state: str, place: Place | None = None) -> SubjectFacts:
    return SubjectFacts(
        kind="booking", id="b", state=state, awaited=None, last_move=None, findings=("P1 a: b",), place=place,
        around=AROUND,
    )  # fmt: skip


def facts(state: str, *payments: PaymentFacts, waits: Place | None = WAITS) -> BookingFacts:
    return BookingFacts(
        subject=subject(state, waits), customer="C-1", plan="TEA", consultant="Asha", note="a note",
        ended_by="asha: she asked", payments=payments, places=(PLACE,),
        checkout=subject("PENDING", waits) if payments else None,
    )  # fmt: skip


WAITING = "it waits for a payment of 100.00 INR until 12:35"
UNPAID = "nobody paid 100.00 INR in time"
AGREED = "its consultant agreed to it, and no checkout was begun"
BEGIN = 'bursar bookings start TEA --customer C-1 --booking b --key … --why "…"'
ORPHAN = replace(PAYMENT, state=PaymentState.SUCCEEDED, orphaned=True, paid="12:40")
FAILED = replace(PAYMENT, state=PaymentState.FAILED)


@pytest.mark.parametrize(
    ("given", "reason", "command"),
    [
        (facts("PENDING"), "it is a wish, and nobody has decided on it: it ends at 12:35",
         'bursar bookings approve b --consultant "Asha" --why "…"'),
        (facts("PENDING", waits=None),
         "it is a wish, and nobody has decided on it, and nothing will end it: this must not be", "bursar audit"),
        (facts("APPROVED"), f"{AGREED}: it ends at 12:35", BEGIN),
        (facts("APPROVED", waits=replace(WAITS, is_later=False)),
         (f"{AGREED}, and its time is over: it is due and waits its turn for bookings.expire_checkouts: "
         "0 before it, 1 live workers"),
         "bursar jobs  # 1 live workers"),
        (facts("APPROVED_PENDING_PAYMENT"), "it is to be paid, and no checkout was begun", BEGIN),
        (facts("APPROVED_PENDING_PAYMENT", FAILED), "its checkout is FAILED, and no other was begun", BEGIN),
        (facts("APPROVED_PENDING_PAYMENT", PAYMENT), f"{WAITING}, at the gateway", None),
        (facts("APPROVED_PENDING_PAYMENT", replace(PAYMENT, order_state=OrderState.NEW)),
         f"{WAITING}, for which the gateway has made no order yet", "bursar why order o"),
        (facts("APPROVED_PENDING_PAYMENT", PAYMENT, waits=None),
         f"{WAITING}, and nothing will end it: this must not be", "bursar audit"),
        (facts("APPROVED_PENDING_PAYMENT", PAYMENT, waits=replace(WAITS, is_later=False)),
         f"{UNPAID}: it is due and waits its turn for bookings.expire_checkouts: 0 before it, 1 live workers",
         "bursar jobs  # 1 live workers"),
        (facts("APPROVED_PENDING_PAYMENT", PAYMENT, waits=replace(WAITS, parked="thrice")),
         f"{UNPAID}: it is parked: thrice",
         'bursar work unpark p --why "…"  (once its cause is gone)'),
        (facts("SCHEDULED"), "it is paid, and its appointment TEA-1 begins 14:00 and ends 15:00", None),
        (facts("COMPLETED"), "it was kept: its appointment TEA-1 begins 14:00 and ends 15:00", None),
        (replace(facts("SCHEDULED"), places=()), "it is paid, and it holds no place: this must not be", None),
        (facts("EXPIRED"), "its time was over: asha: she asked", None),
        (facts("EXPIRED", FAILED), "nobody paid in time, and its places are free again: asha: she asked", None),
        (facts("CANCELLED"), "it was cancelled by asha: she asked", None),
        (facts("REJECTED"), "it was rejected by asha: she asked", None),
        (facts("CANCELLED", FAILED, ORPHAN),
         "100.00 INR were captured when it had no place for them any more: they are owed back",
         'bursar refunds create p --key … --why "…"'),
        (facts("CANCELLED", replace(ORPHAN, refund="r", refund_state="PROPOSED")),
         "100.00 INR were captured when it had no place for them any more: they are owed back", "bursar why refund r"),
        (facts("CANCELLED", replace(ORPHAN, refund="r", given_back=True)), "it was cancelled by asha: she asked", None),
    ],
)  # fmt: skip
def test_each_state_has_its_reason(given: BookingFacts, reason: str, command: str | None) -> None:
    found = of_booking(given)
    assert (found.reason, found.command) == (reason, command)


def test_the_evidence_is_all_that_hangs_on_it() -> None:
    lost = replace(ORPHAN, refund="r", refund_state="CASCADED")
    found = of_booking(facts("CANCELLED", lost, replace(PAYMENT, order=None, gateway=None)))
    assert found.evidence == (
        "state CANCELLED, last move: none yet",
        "note: a note",
        (
            "payment p of 100.00 INR is SUCCEEDED, an orphan, paid 12:40, "
            "order o is OPEN (order_1 at razorpay), refund r is CASCADED"
        ),
        "payment p of 100.00 INR is PENDING, until 12:35",
        "2 places at appointment TEA-1, which is PLANNED and begins 14:00: CONFIRMED",
        "finding: P1 a: b",
    )
