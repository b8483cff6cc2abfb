"""Races about the waitlist: a place is offered, taken, or free, and never two of them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from db.waitlist.line import join
from db.work import ClaimOrder
from domain.booking_errors import NotOpenError, PlacesFreeError
from domain.owners import CustomerOwner
from domain.tally import Count
from domain.waitlist import OFFERED_FOR, OfferPolicy
from jobs.shapes import Chore
from jobs.waitlist.expire import ExpireOffers
from jobs.waitlist.offer import OfferPlaces
from jobs.waitlist.remind import RemindOffered
from tests.builders import owner, rows
from tests.kit.clock import FrozenClock
from tests.lining import Full, declines, full, reader, remove, taken, takes
from tests.races.explorer import Act, Race
from tests.races.sides import Side
from tests.races.stage import Stage


def does(job: Chore, run: int, limit: int = 10) -> Act:
    """A worker that runs one transaction of a chore, on so many subjects at most."""

    def act(stage: Stage) -> int:
        order = ClaimOrder(run=run, limit=limit, lease_seconds=15.0)
        return stage.worker.transact(lambda tx: job.work(tx, order)).tally[Count.SUCCEEDED]

    return act


def sold_out(stage: Stage, *, waiting: int) -> Full:
    """A webinar with two places, both paid for; the last of `seated` has none, and may join."""
    with owner(stage.url) as database:
        there = full(stage.operator, database, places=(1, 1), waiting=waiting)
        there.seated.append(reader(stage.operator, database))
    return there


def two_places(stage: Stage) -> object:
    """A webinar with two places, both paid for, one of them freed; two wait."""
    there = sold_out(stage, waiting=2)
    remove(stage.operator, there, there.seated[0])
    return there


def offered(stage: Stage) -> object:
    """A webinar whose one place is offered; one more waits."""
    with owner(stage.url) as database:
        there = full(stage.operator, database, waiting=2)
    remove(stage.operator, there, there.seated[0])
    does(OfferPlaces(OfferPolicy()), 1)(stage)
    return there


def ending(stage: Stage) -> object:
    """The same, when the offer is about to end; its reminder went."""
    there = offered(stage)
    with owner(stage.url) as database:
        clock = FrozenClock(database)
        clock.forward(OFFERED_FOR - timedelta(hours=1))
        does(RemindOffered(), 2)(stage)
        clock.forward(timedelta(minutes=61))
    return there


def reminding(stage: Stage) -> object:
    """The same, when its reminder is due."""
    there = offered(stage)
    with owner(stage.url) as database:
        FrozenClock(database).forward(OFFERED_FOR - timedelta(hours=1))
    return there


def books(stage: Stage) -> str:
    """Whoever the offer was made to takes it."""
    there: Full = stage.given
    takes(stage.worker, there, there.waiting[0])
    return "booked"


def refuses(stage: Stage) -> str:
    """Whoever the offer was made to declines it."""
    there: Full = stage.given
    declines(stage.worker, there, there.waiting[0])
    return "declined"


def takes_out(stage: Stage) -> str:
    """The other participant is taken out."""
    there: Full = stage.given
    remove(stage.worker, there, there.seated[1])
    return "out"


def joins(stage: Stage) -> str:
    """One more joins the line."""
    there: Full = stage.given
    who = CustomerOwner(id=there.seated[-1])
    stage.worker.transact(lambda tx: join(tx, who, there.appointment))
    return "joined"


def finished(stage: Stage) -> list[str]:
    """The line, once every place that is FREED was offered."""
    while does(OfferPlaces(OfferPolicy()), 9)(stage):
        pass
    found = rows(stage.worker, "SELECT state FROM waitlist ORDER BY joined_at, id")
    return [row.state for row in found]


def booked_or_expired(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 74: one wins; the place is booked, or offered to whoever is next."""
    won = sides[0].result == "booked"
    assert sides[1].result == (0 if won else 1)
    assert finished(stage) == (["BOOKED", "WAITING"] if won else ["EXPIRED", "NOTIFIED"])
    assert taken(stage.worker, stage.given) == ("PLANNED", 1, 1)


def both_are_offered(stage: Stage, _sides: Sequence[Side]) -> None:
    """Two places were freed, so two are offered, whichever came first."""
    assert finished(stage) == ["NOTIFIED", "NOTIFIED"]
    assert taken(stage.worker, stage.given) == ("PLANNED", 2, 2)


def one_is_offered(stage: Stage, sides: Sequence[Side]) -> None:
    """The first in line has it; whoever joined meanwhile waits."""
    assert sides[1].result == "joined"
    assert finished(stage) == ["NOTIFIED", "WAITING", "WAITING"]


def offered_or_taken(stage: Stage, sides: Sequence[Side]) -> None:
    """Whoever answers at the very moment of the offer has the place, or is told that nothing is offered yet."""
    first = "BOOKED" if sides[1].result == "booked" else "NOTIFIED"
    assert finished(stage) == [first, "WAITING"]
    assert taken(stage.worker, stage.given) == ("PLANNED", 2, 2)


def one_has_it(stage: Stage, _sides: Sequence[Side]) -> None:
    """It was offered once."""
    assert finished(stage) == ["NOTIFIED", "WAITING"]
    assert taken(stage.worker, stage.given) == ("PLANNED", 2, 2)


def declined_once(stage: Stage, sides: Sequence[Side]) -> None:
    """It was declined: whether or not a reminder was written, whoever is next has it."""
    assert sides[0].result == "declined"
    assert finished(stage) == ["CANCELLED", "NOTIFIED"]


def answered_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Of two answers one counts."""
    results = [side.result for side in sides]
    assert results in (["booked", None], [None, "declined"])
    after = ["BOOKED", "WAITING"] if results[0] else ["CANCELLED", "NOTIFIED"]
    assert finished(stage) == after
    assert taken(stage.worker, stage.given) == ("PLANNED", 1, 1)


def last_in_line(stage: Stage) -> object:
    """A webinar that is sold out, and nobody waits."""
    return sold_out(stage, waiting=0)


def waits_or_books(stage: Stage, sides: Sequence[Side]) -> None:
    """Whoever joined before the place was freed is offered it; afterwards nobody joins."""
    assert sides[0].result == "out"
    if sides[1].result == "joined":
        assert finished(stage) == ["NOTIFIED"]
    else:
        assert isinstance(sides[1].error, PlacesFreeError)
        assert taken(stage.worker, stage.given) == ("PLANNED", 1, 2)


ALL: Final = (
    Race(
        name="expire/book",
        prepare=ending,
        sides=(books, does(ExpireOffers(), 7)),
        check=booked_or_expired,
        errors=(NotOpenError,),
    ),
    Race(
        name="offer/remove",
        prepare=two_places,
        sides=(does(OfferPlaces(OfferPolicy()), 7), takes_out),
        check=both_are_offered,
    ),
    Race(
        name="offer/join",
        prepare=two_places,
        sides=(does(OfferPlaces(OfferPolicy()), 7), joins),
        check=one_is_offered,
    ),
    Race(
        name="offer/accept",
        prepare=two_places,
        sides=(does(OfferPlaces(OfferPolicy()), 7), books),
        check=offered_or_taken,
        errors=(NotOpenError,),
    ),
    Race(
        name="offer/offer",
        prepare=two_places,
        sides=(does(OfferPlaces(OfferPolicy()), 7), does(OfferPlaces(OfferPolicy()), 8)),
        check=one_has_it,
    ),
    Race(
        name="decline/remind",
        prepare=reminding,
        sides=(refuses, does(RemindOffered(), 7)),
        check=declined_once,
    ),
    Race(
        name="accept/decline",
        prepare=offered,
        sides=(books, refuses),
        check=answered_once,
        errors=(NotOpenError,),
    ),
    Race(
        name="remove/join",
        prepare=last_in_line,
        sides=(takes_out, joins),
        check=waits_or_books,
        errors=(PlacesFreeError,),
    ),
)
