"""Publish appointments of shared plans, or take them over as another system had them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Final

import sqlalchemy as sa

from db.bookings.facts import lock
from db.bookings.import_times import Time, clashes
from db.clock import now
from db.importing.records import Intake, New
from db.tx import Row
from domain.appointments import AppointmentState
from domain.bookings import PlanKind
from domain.offer_lines import AppointmentLine, appointment_records

PLANS: Final = sa.text("""
    SELECT l.external_id AS name, l.id, l.kind, l.minutes, l.times, l.consultant, c.number
    FROM plans l JOIN consultants c ON c.payee = l.consultant WHERE l.external_id = ANY(CAST(:names AS text[]))""")
"""Plans by their names, with whoever offers them."""

_APPOINTMENTS: Final = sa.text("""
    WITH made AS (
      INSERT INTO appointments (id, external_id, plan, capacity, starts_at, ends_at, state)
      SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:plans AS uuid[]), CAST(:capacities AS int[]),
                           CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]), CAST(:states AS text[]))
      RETURNING id, state, ends_at),
    awaited AS (
      INSERT INTO work (job, subject, due_at)
      SELECT c.job, m.id, m.ends_at FROM made m
      JOIN called_work c ON c.kind = 'appointment' AND c.state = m.state AND c.outcome = '' AND c.job IS NOT NULL)
    INSERT INTO moves (kind, subject, source, target, actor, reason)
    SELECT 'appointment', id, 'PLANNED', state, :actor, 'as it was before ' || CAST(:until AS text) FROM made WHERE state <> 'PLANNED'""")
SLOTS: Final = sa.text("""
    INSERT INTO slots (id, appointment, consultant, starts_at, ends_at, confirmed)
    SELECT gen_random_uuid(), g.* FROM unnest(CAST(:appointments AS uuid[]), CAST(:consultants AS bigint[]), CAST(:starts AS timestamptz[]),
                                              CAST(:ends AS timestamptz[]), CAST(:confirmed AS boolean[])) AS g""")
"""The times of appointments, one row each."""


class Appointments(Intake[AppointmentLine]):
    """Appointments of webinars and classes."""

    kind: ClassVar = "appointment"
    table: ClassVar = "appointments"
    fields: ClassVar = appointment_records(None).fields

    def judge(self, new: Sequence[New[AppointmentLine]]) -> None:
        """Its plan is shared; its times are free, lie ahead unless they were another system's, and do not overlap."""
        rule = "must be the external_id of a plan: import plans first"
        self.plans = self.known(PLANS, new, "plan", lambda line: line.plan, rule)
        at, times = now(self.tx), list[Time]()
        lock(self.tx, "consultant", [plan.consultant for plan in self.plans.values()])
        for one in new:
            plan = self.plans.get(one.line.plan)
            if plan is None:
                continue
            if PlanKind(plan.kind).is_private:
                rule = f"is a {plan.kind}: a checkout makes its appointment"
                self.blame(one, "plan", one.line.plan, rule)
            own = self._times(one, plan)
            if self.order.as_of is None and own[0].starts <= at:
                self.blame(one, "starts_at", one.line.record[3], "must lie in the future")
            if one.line.state is AppointmentState.OVER and own[-1].ends > (self.order.as_of or at):
                self.blame(one, "state", "OVER", "must be PLANNED: it had not ended then")
            if one.line.state is not AppointmentState.CANCELLED:
                times += own
        by_place = {one.at: one for one in new}
        for place, since in clashes(self.tx, times).items():
            rule = f"overlaps what {by_place[place].line.plan}'s consultant has at {since:%Y-%m-%dT%H:%MZ}"
            self.blame(by_place[place], "starts_at", by_place[place].line.record[3], rule)

    def _times(self, one: New[AppointmentLine], plan: Row) -> list[Time]:
        each = timedelta(minutes=plan.minutes)
        return [
            Time(at=one.at, consultant=plan.number, starts=start, ends=start + each)
            for start in one.line.starts
        ]

    def insert(self, part: Sequence[New[AppointmentLine]]) -> None:
        """Write one set, with its times and the work it waits for."""
        plans = [self.plans[one.line.plan] for one in part]
        times = [self._times(one, plan) for one, plan in zip(part, plans, strict=True)]
        self.tx.run(
            _APPOINTMENTS,
            ids=[one.id for one in part],
            external_ids=[one.line.external_id for one in part],
            plans=[plan.id for plan in plans],
            capacities=[one.line.capacity for one in part],
            starts=[own[0].starts for own in times],
            ends=[own[-1].ends for own in times],
            states=[one.line.state for one in part],
            actor=self.actor,
            until=str(self.order.as_of),
        )
        slots = [(one, time) for one, own in zip(part, times, strict=True) for time in own]
        self.tx.run(
            SLOTS,
            appointments=[one.id for one, _ in slots],
            consultants=[time.consultant for _, time in slots],
            starts=[time.starts for _, time in slots],
            ends=[time.ends for _, time in slots],
            confirmed=[one.line.state is not AppointmentState.CANCELLED for one, _ in slots],
        )
