"""Bring in who waits: whoever joins a line here, or the lines of another system, with the offers that stood."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.facts import lock
from db.bookings.places import freed
from db.clock import now
from db.importing.records import Intake, New
from db.transitions import LeasedTx, hold
from db.tx import Row
from domain.appointments import STANDING
from domain.bookings import PlanKind
from domain.wait_lines import WaitLine, wait_records
from domain.waitlist import LIVE, OFFERED, OfferPolicy, WaitState

_W: Final = WaitState
_CUSTOMERS: Final = sa.text("""
    SELECT external_id AS name, id, payee FROM customers WHERE external_id = ANY(CAST(:names AS text[]))""")
_APPOINTMENTS: Final = sa.text("""
    SELECT a.external_id AS name, a.id, l.kind, l.consultant FROM appointments a JOIN plans l ON l.id = a.plan
    WHERE a.external_id = ANY(CAST(:names AS text[]))""")
_BOOKINGS: Final = sa.text("""
    SELECT b.external_id AS name, b.customer, p.id AS payment
    FROM bookings b LEFT JOIN payments p ON p.booking = b.id AND p.state = 'SUCCEEDED' AND NOT p.orphaned
    WHERE b.external_id = ANY(CAST(:names AS text[]))""")
_ROOM: Final = sa.text("""
    SELECT a.id, a.state, a.starts_at, a.capacity - a.taken AS free,
           EXISTS (SELECT FROM waitlist w WHERE w.appointment = a.id AND w.state = 'WAITING') AS is_awaited
    FROM appointments a WHERE a.id = ANY(CAST(:ids AS uuid[]))""")
_LIVE: Final = sa.text("""
    SELECT w.appointment, w.customer FROM waitlist w
    WHERE w.appointment = ANY(CAST(:ids AS uuid[])) AND w.state IN ('WAITING', 'NOTIFIED', 'REMINDED')""")


class Waitlist(Intake[WaitLine]):
    """Entries of customers at appointments, both told of before."""

    kind: ClassVar = "waitlist"
    table: ClassVar = "waitlist"
    fields: ClassVar = wait_records(None).fields
    leased: LeasedTx

    def judge(self, new: Sequence[New[WaitLine]]) -> None:
        """Everybody it names is there; nobody waits twice, nor (who joins here) beside a free place."""
        rule = "must be the external_id of a customer: import them first"
        self.customers = self.known(_CUSTOMERS, new, "customer", lambda line: line.customer, rule)
        rule = "must be the external_id of an appointment: import them first"
        self.at = self.known(_APPOINTMENTS, new, "appointment", lambda line: line.appointment, rule)
        rule = "must be the external_id of a booking: import them first"
        self.bookings = self.known(_BOOKINGS, new, "booking", lambda line: line.booking, rule)
        ids = sorted({row.id for row in self.at.values()})
        self.now = now(self.tx)
        self.leased = hold(self.tx, ids, run=None, actor=self.actor)
        lock(self.tx, "appointment", ids)
        self.room = {row.id: row for row in self.tx.rows(_ROOM, ids=ids)} if ids else {}
        if not self.errors:
            self._fit(new, {tuple(row) for row in self.tx.rows(_LIVE, ids=ids)} if ids else set())

    def _fit(self, new: Sequence[New[WaitLine]], live: set[tuple[UUID, UUID]]) -> None:
        offered = Counter[UUID]()
        for one in new:
            line, at = one.line, self.at[one.line.appointment]
            room = self.room[at.id]
            if PlanKind(at.kind).is_private:
                self.blame(
                    one, "appointment", line.appointment, f"is of a {at.kind}: for one alone"
                )
            if self.customers[line.customer].payee == at.consultant:
                own = "a consultant is no participant of their own appointments"
                self.blame(one, "customer", line.customer, own)
            if self.order.as_of is None and (rule := self._closed(room)):
                self.blame(one, "appointment", line.appointment, rule)
            if self._stands(one) in LIVE:
                pair = (at.id, self.customers[line.customer].id)
                if pair in live:
                    rule = f"waits for {line.appointment} already, or has an offer of it"
                    self.blame(one, "customer", line.customer, rule)
                live.add(pair)
            if self._stands(one) in OFFERED:
                offered[at.id] += 1
                if offered[at.id] > room.free:
                    rule = f"holds a place, of which {line.appointment} has {room.free}, with the rows before"
                    self.blame(one, "state", line.state, rule)
            if line.booking is not None:
                self._took_its_place(one, self.bookings[line.booking])

    def _closed(self, room: Row) -> str | None:
        """Why nobody may join this line."""
        if room.state not in STANDING or room.starts_at <= self.now:
            return f"is {room.state} and begins at {room.starts_at:%Y-%m-%dT%H:%MZ}: it cannot be waited for"
        if room.free and not room.is_awaited:
            return "has places that nobody waits for: book one"
        return None

    def _took_its_place(self, one: New[WaitLine], booking: Row) -> None:
        if booking.customer != self.customers[one.line.customer].id:
            self.blame(one, "booking", one.line.booking, "is another customer's")
        elif booking.payment is None:
            rule = "has no payment here: leave out an entry whose end is known elsewhere alone"
            self.blame(one, "booking", one.line.booking, rule)

    def _stands(self, one: New[WaitLine]) -> WaitState:
        """Where it is here: nobody waits for what ended since its file was written."""
        state = one.line.state
        if state not in LIVE or self.room[self.at[one.line.appointment].id].state in STANDING:
            return state
        return _W.SKIPPED if state is _W.WAITING else _W.EXPIRED

    def insert(self, part: Sequence[New[WaitLine]]) -> None:
        """Write one set, with the work it waits for."""
        states = [self._stands(one) for one in part]
        self.tx.run(
            _ENTRIES,
            ids=[one.id for one in part],
            external_ids=[one.line.external_id for one in part],
            appointments=[self.at[one.line.appointment].id for one in part],
            customers=[self.customers[one.line.customer].id for one in part],
            priorities=[one.line.priority for one in part],
            joined=[one.line.joined_at or self.now for one in part],
            expires=[one.line.expires_at for one in part],
            payments=[
                self.bookings[one.line.booking].payment if one.line.booking else None
                for one in part
            ],
            states=states,
            dues=[self._due(one, state) for one, state in zip(part, states, strict=True)],
            # Whoever joins here stands in the order of the file.
            later=[0 if one.line.joined_at else one.at for one in part],
            actor=self.actor,
            reason=f"as it was before {self.order.as_of}",
        )

    def _due(self, one: New[WaitLine], state: WaitState) -> datetime | None:
        ends, as_of = one.line.expires_at, self.order.as_of
        if ends is None or as_of is None:
            return None
        return OfferPolicy().reminder(as_of, ends) if state is _W.NOTIFIED else ends

    def finish(self, new: Sequence[New[WaitLine]]) -> None:
        """Count the places that offers hold, and have what is free be offered to who waits for it."""
        offers = Counter(
            self.at[one.line.appointment].id for one in new if self._stands(one) in OFFERED
        )
        if offers:
            self.tx.run(_HOLD, ids=list(offers), places=list(offers.values()))
        ids = sorted(self.room)
        beside = [row.id for row in self.tx.rows(_BESIDE, ids=ids)] if ids else []
        freed(self.leased, beside)


_ENTRIES: Final = sa.text("""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:appointments AS uuid[]), CAST(:customers AS uuid[]),
                           CAST(:priorities AS int[]), CAST(:joined AS timestamptz[]), CAST(:expires AS timestamptz[]),
                           CAST(:payments AS uuid[]), CAST(:states AS text[]), CAST(:dues AS timestamptz[]), CAST(:later AS int[]))
        AS g (id, external_id, appointment, customer, priority, joined_at, expires_at, payment, state, due, later)),
    made AS (
      INSERT INTO waitlist (id, external_id, appointment, customer, priority, joined_at, expires_at, payment, state, created_at)
      SELECT id, external_id, appointment, customer, priority, joined_at + later * interval '1 microsecond', expires_at, payment, state,
             joined_at + later * interval '1 microsecond'
      FROM given),
    awaited AS (
      INSERT INTO work (job, subject, due_at)
      SELECT c.job, g.id, g.due FROM given g
      JOIN called_work c ON c.kind = 'waitlist' AND c.state = g.state AND c.outcome = '' AND c.job IS NOT NULL)
    INSERT INTO moves (kind, subject, source, target, actor, reason)
    SELECT 'waitlist', id, 'WAITING', state, :actor, :reason FROM given WHERE state <> 'WAITING'""")
_HOLD: Final = sa.text("""
    UPDATE appointments a SET taken = a.taken + g.places, updated_at = clock_timestamp()
    FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS int[])) AS g (id, places) WHERE a.id = g.id""")
_BESIDE: Final = sa.text("""
    SELECT id FROM appointments
    WHERE id = ANY(CAST(:ids AS uuid[])) AND taken < capacity AND starts_at > clock_timestamp() ORDER BY id""")
