"""Races about what is over: appointments end while people pay late, are taken out, or have a seat elsewhere too."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from db import findings
from db.bookings.participants import remove_participant
from db.tx import Tx
from db.work import ClaimOrder
from domain.booking_errors import NotOpenError
from domain.checkouts import Receipt
from domain.findings import Finding, FindingKind
from domain.owners import ConsultantOwner
from domain.tally import Count
from jobs.bookings.complete import CompleteBookings
from jobs.bookings.flag_orphans import FlagOrphans
from tests.booking import (
    HOUR,
    NOON,
    also,
    appointment,
    begin,
    cancel,
    consultant,
    customer,
    end,
    everything,
    pay,
    plan,
    state,
)
from tests.bringing import AS_OF, booked, bring, offers
from tests.builders import owner, rows
from tests.races.explorer import Act, Race
from tests.races.sides import Side
from tests.races.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A booking of two appointments of one consultant: one that is over, one to come."""

    consultant: UUID
    customer: UUID
    made: Receipt
    over: UUID
    to_come: UUID


def course(stage: Stage, *, paid: bool = True, both: bool = True) -> Course:
    """One booking, paid or under way, with a seat at what is over and, where `both`, at what is to come."""
    whose, who = consultant(stage.operator), customer(stage.operator)
    lessons = plan(stage.operator, "class", of=whose)
    over, to_come = (
        appointment(stage.operator, lessons, starts=(NOON + n * 2 * HOUR,)) for n in range(2)
    )
    made = begin(stage.operator, of=who, plan=lessons, at=over)
    if paid:
        pay(stage.operator, made.payment)
    with owner(stage.url) as database:
        if both:
            also(database, made.booking, to_come)
        end(database, over)
    return Course(consultant=whose.id, customer=who, made=made, over=over, to_come=to_come)


def alone(stage: Stage) -> Course:
    """The same, without a seat at what is to come."""
    return course(stage, both=False)


def unpaid(stage: Stage) -> Course:
    """The same, its checkout still under way."""
    return course(stage, paid=False, both=False)


def all_over(stage: Stage) -> Course:
    """A booking of two appointments, both of which are over."""
    made = course(stage)
    with owner(stage.url) as database:
        end(database, made.to_come)
    return made


def completes(run: int, limit: int = 10) -> Act:
    """A worker that ends what is over, one set of it."""

    def act(stage: Stage) -> int:
        order = ClaimOrder(run=run, limit=limit, lease_seconds=15.0)
        done = stage.worker.transact(lambda tx: CompleteBookings().work(tx, order))
        return done.tally[Count.SUCCEEDED]

    return act


def takes_out(*, elsewhere: bool = False) -> Act:
    """Their consultant takes the customer out of what is over, or of what is to come."""

    def act(stage: Stage) -> str:
        there: Course = stage.given
        whose = ConsultantOwner(id=there.consultant)
        at = there.to_come if elsewhere else there.over
        stage.worker.transact(lambda tx: remove_participant(tx, whose, at, there.customer))
        return "out"

    return act


def captures(stage: Stage) -> list[str]:
    """The gateway captures it after all."""
    return pay(stage.worker, stage.given.made.payment)


def finished(stage: Stage) -> tuple[str, str]:
    """Where the booking and what is over are, once everything that is over was ended."""
    while completes(9)(stage):
        pass
    there: Course = stage.given
    booking = state(stage.worker, "bookings", there.made.booking)
    return booking, state(stage.worker, "appointments", there.over)


def out_or_completed(stage: Stage, sides: Sequence[Side]) -> None:
    """Taken out before it was over, or it was kept and whoever is too late is told."""
    is_out = sides[1].result == "out"
    assert finished(stage) == ("CANCELLED" if is_out else "COMPLETED", "OVER")
    assert isinstance(sides[1].error, NotOpenError) == (not is_out)


def completed(stage: Stage, _sides: Sequence[Side]) -> None:
    """One lesson was kept, the other given up: it is completed, whichever was first, and once."""
    assert finished(stage) == ("COMPLETED", "OVER")
    told = rows(stage.worker, "SELECT FROM moves WHERE kind = 'booking' AND target = 'COMPLETED'")
    assert len(told) == 1


def kept_or_owed_back(stage: Stage, sides: Sequence[Side]) -> None:
    """Paid before it was over, and kept; or too late, and owed back."""
    [word] = sides[1].result
    booking, over = finished(stage)
    assert over == "OVER"
    assert (word, booking) in {("scheduled", "COMPLETED"), ("orphaned", "CANCELLED")}
    assert everything(stage.worker, stage.given.made)["orphaned"] == (word == "orphaned")


def of_another_system(stage: Stage) -> None:
    """A webinar that is over, with a booking that another system made; a second one is still to be brought in."""
    offers(stage.operator, capacity=2)
    bring(stage.operator, "bookings", booked("B-0"), as_of=AS_OF)
    with owner(stage.url) as database:
        end(database, *[row.id for row in rows(database, "SELECT id FROM appointments")])


def brings_another(stage: Stage) -> str:
    """An operator brings in the other booking of it."""
    bring(stage.operator, "bookings", booked("B-1", customer="C-2"), as_of=AS_OF)
    return "brought"


def both_completed(stage: Stage, sides: Sequence[Side]) -> None:
    """What is brought in while it ends is ended with it, or as it is brought in."""
    assert sides[1].result == "brought"
    while completes(9)(stage):
        pass
    found = rows(stage.worker, "SELECT state FROM bookings")
    assert [row.state for row in found] == ["COMPLETED", "COMPLETED"]


STALE: Final = Finding(
    kind=FindingKind.PAYMENT_ORPHANED, subject="payment gone", detail="given back since"
)


def late(stage: Stage) -> Course:
    """A checkout that was cancelled, and may yet be captured; an orphan of before was given back since."""
    there = unpaid(stage)
    cancel(stage.operator, there.customer, there.made.payment)
    with stage.operator.begin() as tx:
        findings.report(tx, [STALE])
    return there


def orphan(stage: Stage) -> Course:
    """The same, captured: an orphan that nobody has said yet."""
    there = late(stage)
    pay(stage.operator, there.made.payment)
    return there


def flags(stage: Stage) -> int:
    """A sweep through all orphans, one page of it."""

    def page(tx: Tx) -> Any:  # noqa: ANN401 - what a page says
        return FlagOrphans().page(tx, {}, 7)

    found: int = stage.worker.transact(page).tally[Count.PROCESSED]
    return found


def resolves(stage: Stage) -> list[str]:
    """An operator closes every finding there is."""
    keys = [row.key for row in rows(stage.operator, "SELECT key FROM findings ORDER BY key")]
    return stage.operator.transact(
        lambda tx: findings.resolve(tx, keys, by="asha", why="looked at")
    )


def said_once(stage: Stage, _sides: Sequence[Side]) -> None:
    """After the next sweep the orphan is said, once, and what is true no more is not."""
    flags(stage)
    found = rows(stage.worker, "SELECT subject FROM findings WHERE resolved_at IS NULL")
    assert [row.subject for row in found] == [f"payment {stage.given.made.payment}"]


ALL: Final = (
    Race(
        name="complete/remove",
        prepare=alone,
        sides=(completes(7), takes_out()),
        check=out_or_completed,
        errors=(NotOpenError,),
    ),
    Race(
        name="complete/remove-elsewhere",
        prepare=course,
        sides=(completes(7), takes_out(elsewhere=True)),
        check=completed,
    ),
    Race(
        name="complete/capture",
        prepare=unpaid,
        sides=(completes(7), captures),
        check=kept_or_owed_back,
    ),
    Race(
        name="complete/complete",
        prepare=all_over,
        sides=(completes(7, limit=1), completes(8, limit=1)),
        check=completed,
    ),
    Race(
        name="complete/records",
        prepare=of_another_system,
        sides=(completes(7), brings_another),
        check=both_completed,
    ),
    Race(
        name="flag_orphans/capture",
        prepare=late,
        sides=(flags, captures),
        check=said_once,
    ),
    Race(
        name="flag_orphans/flag_orphans",
        prepare=orphan,
        sides=(flags, flags),
        check=said_once,
    ),
    Race(
        name="flag_orphans/resolve",
        prepare=orphan,
        sides=(flags, resolves),
        check=said_once,
    ),
)
"""Every race about what is over, and about what was paid too late."""
