"""Bring bookings in: wishes, or what another system had made of them, each with its place and what paid for it.

A payment has the id of its earning, as every payment has; it was captured, shared and settled in other
books, so it has no entries in these, and is given back by nobody here. A checkout that was under way there ended
with that system: its booking is a wish that was approved, and waits for another one.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from json import dumps
from typing import ClassVar, Final
from uuid import UUID, uuid5

import sqlalchemy as sa

from db.bookings import import_rows as rows
from db.bookings.facts import lock
from db.bookings.import_appointments import PLANS, SLOTS
from db.bookings.import_times import Time, clashes
from db.importing.records import Intake, New
from db.tx import Row
from domain.appointments import STANDING, AppointmentState
from domain.booking_lines import HELD, BookingLine, booking_records
from domain.bookings import WISH_FOR, BookingState, PlanKind

_B: Final = BookingState

_CUSTOMERS: Final = sa.text("""
    SELECT external_id AS name, id, payee FROM customers WHERE external_id = ANY(CAST(:names AS text[]))""")
_APPOINTMENTS: Final = sa.text("""
    SELECT external_id AS name, id, plan FROM appointments WHERE external_id = ANY(CAST(:names AS text[]))""")
_EARNINGS: Final = sa.text("""
    SELECT e.external_id AS name, e.id, e.payee, e.gross, e.currency, y.name AS of_whom
    FROM earnings e JOIN earning_takeovers t ON t.earning = e.id JOIN payees y ON y.id = e.payee
    WHERE e.external_id = ANY(CAST(:names AS text[])) AND NOT EXISTS (SELECT FROM payments p WHERE p.id = e.id)""")
_NAMED: Final = sa.text("""
    WITH given AS (
      SELECT * FROM unnest(CAST(:gateways AS text[]), CAST(:orders AS text[]), CAST(:captures AS text[]))
        AS g (provider, gateway_id, captured_as))
    SELECT 'order_id' AS field, g.provider, g.gateway_id AS name
    FROM given g JOIN orders o ON o.provider = g.provider COLLATE "C" AND o.gateway_id = g.gateway_id COLLATE "C"
    UNION ALL
    SELECT 'payment_id', g.provider, g.captured_as
    FROM given g JOIN orders o ON o.provider = g.provider COLLATE "C" AND g.captured_as COLLATE "C" = o.captured_as""")
_ROOM: Final = sa.text("""
    SELECT id, state, ends_at, capacity - taken AS free FROM appointments WHERE id = ANY(CAST(:ids AS uuid[]))""")


class Bookings(Intake[BookingLine]):
    """Bookings of customers for plans, both told of before."""

    kind: ClassVar = "booking"
    table: ClassVar = "bookings"
    fields: ClassVar = booking_records(None).fields

    def judge(self, new: Sequence[New[BookingLine]]) -> None:
        """Everybody and everything it names is there; its place is free, and its payment was earned."""
        first = "import them first"
        rule = f"must be the external_id of a customer: {first}"
        self.customers = self.known(_CUSTOMERS, new, "customer", lambda line: line.customer, rule)
        rule = f"must be the external_id of a plan: {first}"
        self.plans = self.known(PLANS, new, "plan", lambda line: line.plan, rule)
        rule = f"must be the external_id of an appointment: {first}"
        self.at = self.known(_APPOINTMENTS, new, "appointment", _published, rule)
        rule = "must be the external_id of an earning that was taken over, and of no other booking: take earnings over first"
        self.earnings = self.known(_EARNINGS, new, "earning", _earning, rule)
        lock(self.tx, "consultant", [plan.consultant for plan in self.plans.values()])
        ids = [row.id for row in self.at.values()]
        lock(self.tx, "appointment", ids)
        self.room = {row.id: row for row in self.tx.rows(_ROOM, ids=ids)} if ids else {}
        if not self.errors:
            self._fit(new)

    def _fit(self, new: Sequence[New[BookingLine]]) -> None:
        """What each means beside what it names, and beside the others."""
        taken, times, paid = Counter[UUID](), list[Time](), set[str]()
        self._captures(new)
        for one in new:
            plan, line = self.plans[one.line.plan], one.line
            if self.customers[line.customer].payee == plan.consultant:
                rule = "a consultant is no participant of their own appointments"
                self.blame(one, "customer", line.customer, rule)
            if line.state in HELD:
                if PlanKind(plan.kind).is_private:
                    times += self._own_times(one, plan)
                else:
                    self._published_place(one, plan, taken)
            if line.payment is not None:
                self._payment(one, plan, paid)
        by_place = {one.at: one for one in new}
        for place, since in clashes(self.tx, times).items():
            rule = f"overlaps what the consultant has at {since:%Y-%m-%dT%H:%MZ}"
            self.blame(by_place[place], "starts_at", by_place[place].line.record[4], rule)

    def _own_times(self, one: New[BookingLine], plan: Row) -> list[Time]:
        line = one.line
        if line.places != 1:
            self.blame(one, "places", line.places, f"must be 1: a {plan.kind} is for one")
        if len(line.starts) != plan.times:
            rule = f"must be {plan.times} times: a {plan.kind} has its own, and this plan takes so many at once"
            self.blame(one, "starts_at", line.record[4], rule)
            return []
        times = _times(one, plan)
        if line.state is _B.COMPLETED and self.order.as_of and times[-1].ends > self.order.as_of:
            self.blame(one, "state", line.state, "must be SCHEDULED: it had not ended then")
        return times

    def _published_place(self, one: New[BookingLine], plan: Row, taken: Counter[UUID]) -> None:
        line = one.line
        if line.appointment is None:
            rule = f"must be empty: a {plan.kind} is booked by its appointment"
            self.blame(one, "starts_at", line.record[4], rule)
            return
        at = self.at[line.appointment]
        room = self.room[at.id]
        if at.plan != plan.id:
            self.blame(one, "appointment", line.appointment, f"is none of plan {line.plan}")
        if room.state == AppointmentState.CANCELLED:
            rule = f"is CANCELLED: no booking of it is {line.state}"
            self.blame(one, "appointment", line.appointment, rule)
        if line.state is _B.COMPLETED and room.state in STANDING and not self._has_ended(room):
            self.blame(one, "state", line.state, "must be SCHEDULED: it had not ended then")
        taken[at.id] += line.places
        if taken[at.id] > room.free:
            rule = f"are more than the {room.free} that are free at {line.appointment}, with the rows before"
            self.blame(one, "places", line.places, rule)

    def _has_ended(self, room: Row) -> bool:
        return self.order.as_of is not None and room.ends_at <= self.order.as_of

    def _payment(self, one: New[BookingLine], plan: Row, paid: set[str]) -> None:
        payment = one.line.payment
        assert payment is not None, "its caller asked"
        earning = self.earnings[payment.earning]
        if payment.earning in paid:
            self.blame(one, "earning", payment.earning, "is that of another row: it is earned once")
        paid.add(payment.earning)
        if earning.payee != plan.consultant:
            rule = f"was earned by {earning.of_whom}, who does not offer plan {one.line.plan}"
            self.blame(one, "earning", payment.earning, rule)
        if (earning.gross, earning.currency) != (payment.amount_minor, payment.currency):
            rule = f"must be the gross of earning {payment.earning}, in its currency"
            self.blame(one, "amount", one.line.record[8], rule)

    def _captures(self, new: Sequence[New[BookingLine]]) -> None:
        """Each order, and each capture, of a gateway pays for one booking."""
        paid = [(one, one.line.payment) for one in new if one.line.payment is not None]
        named = [
            (one, field, (payment.gateway, name))
            for one, payment in paid
            for field, name in (("order_id", payment.order_id), ("payment_id", payment.payment_id))
        ]
        seen = {
            (row.field, (row.provider, row.name))
            for row in self.tx.rows(
                _NAMED,
                gateways=[payment.gateway for _, payment in paid],
                orders=[payment.order_id for _, payment in paid],
                captures=[payment.payment_id for _, payment in paid],
            )
        }
        for one, field, name in named:
            if (field, name) in seen:
                self.blame(one, field, name[1], f"is that of another booking at {name[0]} already")
            seen.add((field, name))

    def insert(self, part: Sequence[New[BookingLine]]) -> None:
        """Write one set: private appointments, bookings, seats, payments."""
        held = [one for one in part if one.line.state in HELD]
        self._insert_private([one for one in held if one.line.starts])
        self._insert_bookings(part)
        if held:
            self.tx.run(
                rows.SEATS,
                appointments=[self._place(one) for one in held],
                bookings=[one.id for one in held],
                customers=[self.customers[one.line.customer].id for one in held],
                places=[one.line.places for one in held],
            )
        self._insert_payments([one for one in part if one.line.payment is not None])

    def _place(self, one: New[BookingLine]) -> UUID:
        """The appointment it is at; a private one is made of the booking's own id."""
        if one.line.appointment is None:
            return uuid5(one.id, "appointment")
        found: UUID = self.at[one.line.appointment].id
        return found

    def _stands(self, one: New[BookingLine]) -> BookingState:
        """Where it is here; what ended since its file was written is COMPLETED, and whose checkout did is a wish."""
        if one.line.state is _B.APPROVED_PENDING_PAYMENT:
            return _B.APPROVED
        if one.line.state is _B.SCHEDULED and one.line.appointment is not None:
            over = self.room[self._place(one)].state == AppointmentState.OVER
            return _B.COMPLETED if over else _B.SCHEDULED
        return one.line.state

    def _insert_private(self, part: Sequence[New[BookingLine]]) -> None:
        if not part:
            return
        times = [_times(one, self.plans[one.line.plan]) for one in part]
        is_over = [one.line.state is _B.COMPLETED for one in part]
        self.tx.run(
            rows.PRIVATE,
            ids=[self._place(one) for one in part],
            plans=[self.plans[one.line.plan].id for one in part],
            starts=[own[0].starts for own in times],
            ends=[own[-1].ends for own in times],
            states=[
                AppointmentState.OVER if over else AppointmentState.PLANNED for over in is_over
            ],
            **self._told(),
        )
        slots = [(one, time) for one, own in zip(part, times, strict=True) for time in own]
        self.tx.run(
            SLOTS,
            appointments=[self._place(one) for one, _ in slots],
            consultants=[time.consultant for _, time in slots],
            starts=[time.starts for _, time in slots],
            ends=[time.ends for _, time in slots],
            confirmed=[True for _ in slots],
        )

    def _insert_bookings(self, part: Sequence[New[BookingLine]]) -> None:
        self.tx.run(
            rows.BOOKINGS,
            ids=[one.id for one in part],
            external_ids=[one.line.external_id for one in part],
            customers=[self.customers[one.line.customer].id for one in part],
            plans=[self.plans[one.line.plan].id for one in part],
            states=[self._stands(one) for one in part],
            notes=[one.line.note for one in part],
            created=[one.line.created_at or self.order.as_of for one in part],
            places=[one.at for one in part],
            wish_for=WISH_FOR,
            **self._told(),
        )

    def _insert_payments(self, part: Sequence[New[BookingLine]]) -> None:
        paid = [(one, one.line.payment) for one in part if one.line.payment is not None]
        if paid:
            self.tx.run(
                rows.PAYMENTS,
                ids=[self.earnings[payment.earning].id for _, payment in paid],
                orders=[uuid5(one.id, "order") for one, _ in paid],
                bookings=[one.id for one, _ in paid],
                customers=[self.customers[one.line.customer].id for one, _ in paid],
                keys=[one.line.external_id for one, _ in paid],
                records=[dumps(one.line.record) for one, _ in paid],
                amounts=[payment.amount_minor for _, payment in paid],
                currencies=[payment.currency for _, payment in paid],
                paid=[payment.paid_at for _, payment in paid],
                gateways=[payment.gateway for _, payment in paid],
                order_ids=[payment.order_id for _, payment in paid],
                captures=[payment.payment_id for _, payment in paid],
                scope=rows.SCOPE,
                **self._told(),
            )

    def _told(self) -> dict[str, object]:
        return {"actor": self.actor, "reason": f"as it was before {self.order.as_of}"}


def _published(line: BookingLine) -> str | None:
    return line.appointment if line.state in HELD else None


def _earning(line: BookingLine) -> str | None:
    return line.payment.earning if line.payment else None


def _times(one: New[BookingLine], plan: Row) -> list[Time]:
    each = timedelta(minutes=plan.minutes)
    return [
        Time(at=one.at, consultant=plan.number, starts=start, ends=start + each)
        for start in one.line.starts
    ]
