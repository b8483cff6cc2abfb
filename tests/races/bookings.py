"""Races about bookings: whoever is first, a seat is paid for or free, and money is earned, given back, or owed."""

from collections.abc import Sequence
from typing import Final

from db.bookings.participants import remove_participant
from db.bookings.reschedule import reschedule
from db.work import ClaimOrder
from domain.appointments import RELEASE_TENTATIVE
from domain.booking_errors import NotOpenError, NotPendingError, SoldOutError, UnknownError
from domain.ledger import AccountKind
from domain.owners import ConsultantOwner, CustomerOwner
from domain.payments import EXPIRE_CHECKOUTS
from domain.tally import Count
from jobs.bookings.expire_checkouts import ExpireCheckouts
from jobs.bookings.release_tentative import ReleaseTentative
from jobs.shapes import Chore
from tests.booking import (
    HOUR,
    NOON,
    PRICE,
    appointment,
    balance,
    begin,
    cancel,
    consultant,
    customer,
    everything,
    fill,
    pay,
    plan,
)
from tests.builders import change, hurry, owner, rows
from tests.races.explorer import Act, Race
from tests.races.sides import Side
from tests.races.stage import Stage

KEPT: Final = 500
"""What a wallet pays of each checkout."""
PAID: Final = ("SUCCEEDED", "SCHEDULED", "CONFIRMED", False)


def under_way(stage: Stage) -> object:
    """A consultation of which a wallet pays a part; its receipt and its customer."""
    who = customer(stage.operator)
    fill(stage.operator, who, KEPT)
    private = plan(stage.operator, "consultation")
    made = begin(stage.operator, of=who, plan=private, starts=(NOON,), wallet_minor=KEPT)
    return who, made


def overdue(stage: Stage) -> object:
    """The same, its time over, its seat held for longer than a day."""
    given = under_way(stage)
    with owner(stage.url) as database:
        change(database, "UPDATE payments SET expires_at = clock_timestamp()")
        change(database, "UPDATE seats SET updated_at = clock_timestamp() - interval '25 hours'")
        hurry(database, EXPIRE_CHECKOUTS)
        hurry(database, RELEASE_TENTATIVE)
    return given


def cancels(stage: Stage) -> str:
    """Its customer cancels."""
    who, made = stage.given
    cancel(stage.worker, who, made.payment)
    return "cancelled"


def captures(stage: Stage) -> list[str]:
    """Its gateway has captured it."""
    return pay(stage.worker, stage.given[1].payment)


def does(job: Chore, run: int) -> Act:
    """A worker that runs one transaction of a chore."""

    def act(stage: Stage) -> int:
        order = ClaimOrder(run=run, limit=10, lease_seconds=15.0)
        return stage.worker.transact(lambda tx: job.work(tx, order)).tally[Count.SUCCEEDED]

    return act


def ends(stage: Stage) -> tuple[object, ...]:
    """Where the checkout ended."""
    found = everything(stage.worker, stage.given[1])
    return (found["payment"], found["booking"], found["seat"], found["orphaned"])


def settled(stage: Stage, unpaid: str) -> tuple[object, ...]:
    """It ended in one of the ways that are allowed, and its money followed."""
    who, made = stage.given
    found = ends(stage)
    released = ("EXPIRED", unpaid, "RELEASED", False)
    orphan = ("SUCCEEDED", unpaid, "RELEASED", True)
    assert found in {PAID, orphan, released}, found
    kept = balance(stage.worker, AccountKind.WALLET, who)
    assert kept == (0 if found == PAID else KEPT)
    owed = balance(stage.worker, AccountKind.REFUNDS_PAYABLE)
    assert owed == (made.gateway_minor if found == orphan else 0)
    return found


def cancelled_or_captured(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 68: one of both, or the documented orphan; never PENDING."""
    found = settled(stage, "CANCELLED")
    assert (found == PAID) == isinstance(sides[0].error, NotPendingError)
    assert sides[1].result == ["scheduled" if found == PAID else "orphaned"]


def cancelled_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 69: one is done, the other conflicts."""
    assert settled(stage, "CANCELLED")[0] == "EXPIRED"
    assert [side.result for side in sides].count("cancelled") == 1
    assert sum(isinstance(side.error, NotPendingError) for side in sides) == 1


def seated(stage: Stage) -> object:
    """A place at a webinar, its checkout under way; its customer and its receipt."""
    who = customer(stage.operator)
    webinar = plan(stage.operator)
    made = begin(stage.operator, of=who, plan=webinar, at=appointment(stage.operator, webinar))
    return who, made


def unseated_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 69, of three: who waits for the winner's rows waits in the order of who came after it was done."""
    assert [side.result for side in sides].count("cancelled") == 1
    assert sum(isinstance(side.error, NotPendingError) for side in sides) == 2
    assert [row.taken for row in rows(stage.worker, "SELECT taken FROM appointments")] == [0]


def captured_or_expired(stage: Stage, sides: Sequence[Side]) -> None:
    """Paid in the last moment, or owed back."""
    found = settled(stage, "EXPIRED")
    assert sides[0].result == ["scheduled" if found == PAID else "orphaned"]
    assert sides[1].result == (0 if found == PAID else 1)


def expired(stage: Stage, _sides: Sequence[Side]) -> None:
    """Its seat is freed once, by its own checkout."""
    assert settled(stage, "EXPIRED")[0] == "EXPIRED"


def kept_by_its_payment(stage: Stage, _sides: Sequence[Side]) -> None:
    """Invariant 72: a payment that lands while seats are released keeps its own."""
    assert settled(stage, "EXPIRED") == PAID


def paid(stage: Stage) -> object:
    """A booking of a webinar that was paid, and another appointment it could be moved to."""
    whose, who = consultant(stage.operator), customer(stage.operator)
    webinar = plan(stage.operator, of=whose)
    at, to = (appointment(stage.operator, webinar, starts=(NOON + n * 2 * HOUR,)) for n in range(2))
    made = begin(stage.operator, of=who, plan=webinar, at=at)
    pay(stage.operator, made.payment)
    return who, made, whose, at, to


def moves(stage: Stage) -> str:
    """Its customer moves it."""
    who, made, _, _, to = stage.given
    owner = CustomerOwner(id=who)
    stage.worker.transact(lambda tx: reschedule(tx, owner, made.booking, to=to))
    return "moved"


def takes_out(stage: Stage) -> str:
    """Its consultant takes the customer out of the appointment it is at."""
    who, _, whose, at, _ = stage.given
    owner = ConsultantOwner(id=whose.id)
    stage.worker.transact(lambda tx: remove_participant(tx, owner, at, who))
    return "out"


def one_of_both(stage: Stage, sides: Sequence[Side]) -> None:
    """One winner, and nothing comes back: what was ended has no seat anywhere."""
    _, made, _, at, to = stage.given
    results = [side.result for side in sides]
    assert results in (["out", None], [None, "moved"])
    [booking] = rows(stage.worker, "SELECT state FROM bookings WHERE id = :id", id=made.booking)
    found = {row.id: row.taken for row in rows(stage.worker, "SELECT id, taken FROM appointments")}
    if results[0]:
        assert (booking.state, found[at], found[to]) == ("CANCELLED", 0, 0)
    else:
        assert (booking.state, found[at], found[to]) == ("SCHEDULED", 0, 1)


def moves_what_was_paid(stage: Stage) -> str:
    """The gateway captures it, and its customer moves it to another time at once."""
    who, made = stage.given
    [word] = pay(stage.worker, made.payment)
    owner = CustomerOwner(id=who)
    later = (NOON + 2 * HOUR,)
    stage.worker.transact(lambda tx: reschedule(tx, owner, made.booking, starts=later))
    return word


def cancelled_or_moved(stage: Stage, sides: Sequence[Side]) -> None:
    """One winner, and no resurrection: what was cancelled is moved nowhere, what was moved stays paid for."""
    found = settled(stage, "CANCELLED")
    is_paid = found == PAID
    assert isinstance(sides[0].error, NotPendingError) == is_paid
    assert isinstance(sides[1].error, NotOpenError) == (not is_paid)
    confirmed = rows(stage.worker, "SELECT starts_at FROM slots WHERE confirmed")
    assert [row.starts_at for row in confirmed] == ([NOON + 2 * HOUR] if is_paid else [])


def last_place(stage: Stage) -> object:
    """Three customers, and an appointment with two places."""
    webinar = plan(stage.operator)
    at = appointment(stage.operator, webinar, capacity=2)
    return webinar, at, [customer(stage.operator) for _ in range(3)]


def wants(number: int) -> Act:
    """A customer who wants a place."""

    def act(stage: Stage) -> str:
        webinar, at, who = stage.given
        begin(stage.worker, of=who[number], plan=webinar, at=at)
        return "held"

    return act


def overdue_last_place(stage: Stage) -> object:
    """The only place of a webinar, held by a checkout whose time is over; another customer."""
    webinar = plan(stage.operator)
    at = appointment(stage.operator, webinar)
    begin(stage.operator, of=customer(stage.operator), plan=webinar, at=at)
    with owner(stage.url) as database:
        change(database, "UPDATE payments SET expires_at = clock_timestamp()")
        hurry(database, EXPIRE_CHECKOUTS)
    return webinar, at, [customer(stage.operator)]


def freed_or_sold_out(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 73: whoever came before it was freed is told so; afterwards the place is theirs."""
    assert sides[0].result == 1
    has_it = sides[1].result == "held"
    assert isinstance(sides[1].error, SoldOutError) == (not has_it)
    assert [row.taken for row in rows(stage.worker, "SELECT taken FROM appointments")] == [has_it]


def wallet_and_another(stage: Stage) -> object:
    """A customer whose wallet pays all of a place; another, whose checkout of the same webinar is under way."""
    webinar = plan(stage.operator)
    at = appointment(stage.operator, webinar, capacity=2)
    who, other = customer(stage.operator), customer(stage.operator)
    fill(stage.operator, who, PRICE)
    made = begin(stage.operator, of=other, plan=webinar, at=at)
    return other, made, who, webinar, at


def wallet_and_part_of_another(stage: Stage) -> object:
    """The same, the other's at another appointment of one consultant, and a wallet pays a part of it."""
    webinar = plan(stage.operator)
    at, elsewhere = (
        appointment(stage.operator, webinar, starts=(NOON + n * 2 * HOUR,)) for n in range(2)
    )
    who, other = customer(stage.operator), customer(stage.operator)
    fill(stage.operator, who, PRICE)
    fill(stage.operator, other, KEPT)
    made = begin(stage.operator, of=other, plan=webinar, at=elsewhere, wallet_minor=KEPT)
    return other, made, who, webinar, at


def pays_by_wallet(stage: Stage) -> str:
    """A checkout that a wallet pays wholly is captured as it begins."""
    _, _, who, webinar, at = stage.given
    return begin(stage.worker, of=who, plan=webinar, at=at, wallet_minor=PRICE).state


def cancels_other(stage: Stage) -> str:
    """The other cancels."""
    other, made = stage.given[:2]
    cancel(stage.worker, other, made.payment)
    return "cancelled"


def both_are_done(stage: Stage, sides: Sequence[Side]) -> None:
    """Neither is in the other's way."""
    assert [side.result for side in sides] == ["SUCCEEDED", "cancelled"]
    assert sum(row.taken for row in rows(stage.worker, "SELECT taken FROM appointments")) == 1


def two_are_held(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 73: exactly the capacity."""
    assert [side.result for side in sides].count("held") == 2
    assert [isinstance(side.error, SoldOutError) for side in sides].count(True) == 1
    assert [row.taken for row in rows(stage.worker, "SELECT taken FROM appointments")] == [2]


def same_key(stage: Stage, sides: Sequence[Side]) -> None:
    """One payment, told to both."""
    assert [row.n for row in rows(stage.worker, "SELECT count(*) AS n FROM payments")] == [1]
    assert [side.result for side in sides] == ["held", "held"]


ALL: Final = (
    Race(
        name="cancel/capture",
        prepare=under_way,
        sides=(cancels, captures),
        check=cancelled_or_captured,
        errors=(NotPendingError,),
    ),
    Race(
        name="cancel/cancel",
        prepare=under_way,
        sides=(cancels, cancels),
        check=cancelled_once,
        errors=(NotPendingError,),
    ),
    Race(
        name="cancel/cancel/cancel",
        prepare=seated,
        sides=(cancels, cancels, cancels),
        check=unseated_once,
        errors=(NotPendingError,),
    ),
    Race(
        name="capture/expire",
        prepare=overdue,
        sides=(captures, does(ExpireCheckouts(), 7)),
        check=captured_or_expired,
    ),
    Race(
        name="release/capture",
        prepare=overdue,
        sides=(does(ReleaseTentative(), 7), captures),
        check=kept_by_its_payment,
    ),
    Race(
        name="release/expire",
        prepare=overdue,
        sides=(does(ReleaseTentative(), 7), does(ExpireCheckouts(), 8)),
        check=expired,
    ),
    Race(
        name="remove/reschedule",
        prepare=paid,
        sides=(takes_out, moves),
        check=one_of_both,
        errors=(NotOpenError, UnknownError),
    ),
    Race(
        name="cancel/reschedule",
        prepare=under_way,
        sides=(cancels, moves_what_was_paid),
        check=cancelled_or_moved,
        errors=(NotPendingError, NotOpenError),
    ),
    Race(
        name="expire/begin",
        prepare=overdue_last_place,
        sides=(does(ExpireCheckouts(), 7), wants(0)),
        check=freed_or_sold_out,
        errors=(SoldOutError,),
    ),
    Race(
        name="begin-by-wallet/cancel",
        prepare=wallet_and_another,
        sides=(pays_by_wallet, cancels_other),
        check=both_are_done,
    ),
    Race(
        name="begin-by-wallet/cancel-at-one-consultant",
        prepare=wallet_and_part_of_another,
        sides=(pays_by_wallet, cancels_other),
        check=both_are_done,
    ),
    Race(
        name="last seat storm",
        prepare=last_place,
        sides=(wants(0), wants(1), wants(2)),
        check=two_are_held,
        errors=(SoldOutError,),
    ),
    Race(
        name="checkout key replay",
        prepare=last_place,
        sides=(wants(0), wants(0)),
        check=same_key,
    ),
)
