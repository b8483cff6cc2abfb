"""The waitlist through the real runner: offers, reminders and ends, each once, whatever was missed or died."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from db.work import ClaimOrder
from domain.booking_errors import NotOpenError
from domain.mails import SEND
from domain.waitlist import EXPIRE, OFFER, OFFERED_FOR, REMIND, OfferPolicy
from jobs.ports import Ports
from jobs.waitlist.offer import OfferPlaces
from tests.booking import cancel
from tests.builders import assert_sound, hurry, rows
from tests.fakes.mail import Trouble
from tests.kit.clock import FrozenClock
from tests.kit.world import Scene
from tests.lining import Full, declines, full, line, remove, taken, takes, wait
from tests.workers.runner.cuts import Lost, cut

HOUR = timedelta(hours=1)
AT_ONCE = 4
OFFERING = "UPDATE waitlist w SET expires_at"
SENT = "INSERT INTO effect_answers"


def sold_out(world: Scene, *, places: tuple[int, ...] = (1,), waiting: int = 2) -> Full:
    return full(world.operator, world.owner, places=places, waiting=waiting)


def offered(world: Scene, *, waiting: int = 2) -> Full:
    """One place was freed and offered to the first in line."""
    there = sold_out(world, waiting=waiting)
    remove(world.database, there, there.seated[0])
    world.run(OFFER)
    return there


def told(world: Scene, kind: str) -> int:
    """How many mails of one kind were handed over."""
    return sum(mail["kind"] == f"waitlist.{kind}" for mail in world.fakes.mail.taken)


def test_seats_and_live_offers_never_exceed_the_capacity(world: Scene) -> None:
    """Invariant 73: confirmed, tentative and offered."""
    there = sold_out(world, places=(1, 1), waiting=3)
    remove(world.database, there, there.seated[0])
    assert taken(world.owner, there) == ("FREED", 1, 2)
    world.run(OFFER)
    assert taken(world.owner, there) == ("PLANNED", 2, 2)
    assert line(world.owner, there) == ["NOTIFIED", "WAITING", "WAITING"]
    assert_sound(world.owner)


def test_freed_places_are_offered_first_come_first_served(world: Scene) -> None:
    """Invariant 74: two freed, two offers, in the order of the line."""
    there = sold_out(world, places=(2, 1), waiting=4)
    first = wait(world.operator, world.owner, there, priority=5)
    remove(world.database, there, there.seated[0])
    assert world.run(OFFER).tally["succeeded"] == 2
    states = dict(zip(there.waiting, line(world.owner, there), strict=True))
    assert [entry for entry, state in states.items() if state == "NOTIFIED"] == [
        there.waiting[0],
        first,
    ]
    assert_sound(world.owner)


def test_n_places_that_were_removed_at_once_are_n_offers(world: Scene) -> None:
    """Invariant 74."""
    there = sold_out(world, places=(3,), waiting=5)
    remove(world.database, there, there.seated[0])
    assert world.run(OFFER).tally["succeeded"] == 3
    assert line(world.owner, there) == ["NOTIFIED"] * 3 + ["WAITING"] * 2
    world.run(SEND)
    assert told(world, "offered") == 3
    assert_sound(world.owner)


def test_more_places_than_wait_are_free_for_everybody_again(world: Scene) -> None:
    there = sold_out(world, places=(3,), waiting=1)
    remove(world.database, there, there.seated[0])
    world.run(OFFER)
    assert taken(world.owner, there) == ("PLANNED", 1, 3)
    assert_sound(world.owner)


def test_a_large_line_is_offered_in_pieces_and_stays_freed_meanwhile(world: Scene) -> None:
    world.bounds = world.bounds.__class__(batch_max=2, concurrency=1)
    there = sold_out(world, places=(5,), waiting=6)
    remove(world.database, there, there.seated[0])
    assert world.run(OFFER).tally["succeeded"] == 5
    assert line(world.owner, there) == ["NOTIFIED"] * 5 + ["WAITING"]
    assert_sound(world.owner)


def test_a_reminder_goes_once_twelve_hours_before_the_end(world: Scene, clock: FrozenClock) -> None:
    """Invariant 75."""
    offered(world)
    clock.forward(OFFERED_FOR - 13 * HOUR)
    assert world.run(REMIND).tally["succeeded"] == 0
    clock.forward(2 * HOUR)
    assert world.run(REMIND).tally["succeeded"] == 1
    assert world.run(REMIND).tally["succeeded"] == 0
    world.run(SEND)
    assert told(world, "reminder") == 1
    assert_sound(world.owner)


def test_a_run_that_was_missed_is_caught_up(world: Scene, clock: FrozenClock) -> None:
    """Invariant 75: an hourly look at the next hour alone would have lost it."""
    there = offered(world)
    clock.forward(OFFERED_FOR - 3 * HOUR)
    world.run(REMIND)
    world.run(SEND)
    assert (told(world, "reminder"), line(world.owner, there)[0]) == (1, "REMINDED")


def test_a_reminder_that_was_not_taken_is_not_sent_and_tried_again(
    world: Scene, clock: FrozenClock
) -> None:
    """Invariant 75: a server that says no without anything being thrown has not sent it."""
    offered(world)
    world.run(SEND)
    clock.forward(OFFERED_FOR - 11 * HOUR)
    world.run(REMIND)
    world.fakes.mail.script(Trouble.GREYLISTED)
    world.run(SEND)
    [mail] = rows(world.owner, "SELECT state FROM mails WHERE kind = 'waitlist.reminder'")
    assert (mail.state, told(world, "reminder")) == ("QUEUED", 0)
    clock.forward(HOUR)
    world.run(SEND)
    assert told(world, "reminder") == 1
    assert_sound(world.owner)


def test_nobody_is_reminded_of_what_they_took(world: Scene, clock: FrozenClock) -> None:
    there = offered(world)
    clock.forward(OFFERED_FOR - 11 * HOUR)
    world.run(REMIND)
    takes(world.database, there, there.waiting[0])
    world.run(SEND)
    assert (told(world, "offered"), told(world, "reminder")) == (0, 0)
    states = rows(world.owner, "SELECT DISTINCT state FROM mails")
    assert [row.state for row in states] == ["DROPPED"]
    assert_sound(world.owner)


def test_l01_an_offer_that_ends_is_made_once_more_to_whoever_is_next(
    world: Scene, clock: FrozenClock
) -> None:
    there = offered(world, waiting=3)
    clock.forward(OFFERED_FOR - HOUR)
    world.run(REMIND)
    clock.forward(2 * HOUR)
    assert world.run(EXPIRE).tally["succeeded"] == 1
    assert taken(world.owner, there) == ("FREED", 0, 1)
    assert world.run(OFFER).tally["succeeded"] == 1
    assert world.run(EXPIRE).tally["succeeded"] == 0
    assert world.run(OFFER).tally["succeeded"] == 0
    assert line(world.owner, there) == ["EXPIRED", "NOTIFIED", "WAITING"]
    world.run(SEND)
    assert (told(world, "expired"), told(world, "offered")) == (1, 1)
    assert_sound(world.owner)


def test_an_offer_holds_its_place_for_as_long_as_is_set(world: Scene, clock: FrozenClock) -> None:
    """What it was made with is kept: a later run by another policy does not change it."""
    there = sold_out(world, waiting=1)
    remove(world.database, there, there.seated[0])
    short = OfferPolicy(offered_for=HOUR / 2, reminded_before=HOUR / 6)
    job = OfferPlaces.made(Ports(offers=short))
    order = ClaimOrder(run=1, limit=10, lease_seconds=15)
    assert world.database.transact(lambda tx: job.work(tx, order)).taken == 1
    for minutes, reminded, expired in ((19, 0, 0), (2, 1, 0), (8, 0, 0), (2, 0, 1)):
        clock.forward(timedelta(minutes=minutes))
        assert world.run(REMIND).tally["succeeded"] == reminded
        assert world.run(EXPIRE).tally["succeeded"] == expired
    assert line(world.owner, there) == ["EXPIRED"]
    assert_sound(world.owner)


def test_an_offer_nobody_was_reminded_of_ends_all_the_same(
    world: Scene, clock: FrozenClock, run_to_quiet: Callable[[], int]
) -> None:
    """Workers were away for three days: nobody is told to hurry afterwards."""
    there = offered(world, waiting=1)
    clock.forward(OFFERED_FOR + 24 * HOUR)
    run_to_quiet()
    assert (line(world.owner, there), told(world, "reminder")) == (["EXPIRED"], 0)
    assert taken(world.owner, there) == ("PLANNED", 0, 1)
    assert_sound(world.owner)


def test_what_was_taken_in_time_does_not_expire(world: Scene, clock: FrozenClock) -> None:
    """Invariant 74."""
    there = offered(world)
    clock.forward(OFFERED_FOR - HOUR)
    world.run(REMIND)
    receipt = takes(world.database, there, there.waiting[0])
    assert takes(world.database, there, there.waiting[0]).payment == receipt.payment
    clock.forward(2 * HOUR)
    assert world.run(EXPIRE).tally["succeeded"] == 0
    assert line(world.owner, there) == ["BOOKED", "WAITING"]
    assert taken(world.owner, there)[1:] == (1, 1)
    assert_sound(world.owner)


def test_what_expired_cannot_be_taken(world: Scene, clock: FrozenClock) -> None:
    """Invariant 74."""
    there = offered(world, waiting=1)
    clock.forward(OFFERED_FOR + HOUR)
    world.run(REMIND)
    world.run(EXPIRE)
    with pytest.raises(NotOpenError):
        takes(world.database, there, there.waiting[0])
    assert line(world.owner, there) == ["EXPIRED"]


def test_nothing_is_taken_of_what_has_begun(world: Scene, clock: FrozenClock) -> None:
    """Also where whoever lets offers expire was away."""
    there = offered(world, waiting=1)
    clock.forward(timedelta(days=3650))
    with pytest.raises(NotOpenError):
        takes(world.database, there, there.waiting[0])
    assert line(world.owner, there) == ["NOTIFIED"]


def test_a_checkout_of_an_offer_that_is_given_up_is_offered_to_whoever_is_next(
    world: Scene,
) -> None:
    there = offered(world)
    receipt = takes(world.database, there, there.waiting[0])
    cancel(world.database, there.customers[there.waiting[0]], receipt.payment)
    assert taken(world.owner, there)[0] == "FREED"
    world.run(OFFER)
    assert line(world.owner, there) == ["BOOKED", "NOTIFIED"]
    assert_sound(world.owner)


def test_who_declines_lets_the_next_have_it_at_once(world: Scene) -> None:
    there = offered(world)
    declines(world.database, there, there.waiting[0])
    world.run(OFFER)
    assert line(world.owner, there) == ["CANCELLED", "NOTIFIED"]
    assert taken(world.owner, there)[1:] == (1, 1)
    assert_sound(world.owner)


def test_l02_a_second_run_beside_the_first_ends_cleanly(world: Scene) -> None:
    """Invariant 76."""
    there = sold_out(world)
    remove(world.database, there, there.seated[0])
    first, second = world.in_background(OFFER), world.in_background(OFFER)
    ended = [first.end(), second.end()]
    assert [run.state for run in ended] == ["succeeded"] * 2
    assert sum(run.tally["succeeded"] for run in ended) == 1


@pytest.mark.parametrize("lost", list(Lost))
def test_l03_a_connection_lost_for_a_moment_costs_a_retry_and_no_mail(
    world: Scene, lost: Lost
) -> None:
    """Whether the offer was committed, or the mail counted as sent, is looked up: neither is done again."""
    there = sold_out(world)
    remove(world.database, there, there.seated[0])
    with cut(world.database, OFFERING, lost) as offering, cut(world.database, SENT, lost) as sent:
        for _ in range(2):
            world.run(OFFER)
            world.run(SEND)
            hurry(world.owner, OFFER)
            hurry(world.owner, SEND)
        assert offering.is_set()
        assert sent.is_set()
    assert line(world.owner, there) == ["NOTIFIED", "WAITING"]
    assert told(world, "offered") == 1
    assert_sound(world.owner)


def test_r04_an_offers_end_and_its_acceptance_at_once_are_one_of_both(
    world: Scene, clock: FrozenClock
) -> None:
    """Invariant 74: the place is booked, or freed for whoever is next; never both, never neither."""
    lines = [offered(world, waiting=1) for _ in range(AT_ONCE)]
    clock.forward(OFFERED_FOR - HOUR)
    world.run(REMIND)
    clock.forward(2 * HOUR)
    together = Barrier(AT_ONCE + 1)

    def books(there: Full) -> bool:
        together.wait()
        try:
            takes(world.database, there, there.waiting[0])
        except NotOpenError:
            return False
        return True

    def expires() -> int:
        together.wait()
        return int(world.run(EXPIRE).tally["succeeded"])

    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        ended = pool.submit(expires)
        booked = list(pool.map(books, lines))
    assert ended.result() + sum(booked) == AT_ONCE
    for there, won in zip(lines, booked, strict=True):
        assert line(world.owner, there) == ["BOOKED" if won else "EXPIRED"]
        assert taken(world.owner, there) == ("PLANNED", int(won), 1)
    assert_sound(world.owner)


def test_l04_repeated_runs_tell_nobody_twice(world: Scene) -> None:
    offered(world)
    for _ in range(3):
        for job in (OFFER, REMIND, EXPIRE, SEND):
            world.run(job)
    assert len(world.fakes.mail.taken) == 1


def test_who_waits_for_what_began_is_skipped(
    world: Scene, clock: FrozenClock, run_to_quiet: Callable[[], int]
) -> None:
    there = sold_out(world, waiting=2)
    clock.forward(timedelta(days=3650))
    run_to_quiet()
    assert line(world.owner, there) == ["SKIPPED"] * 2
    assert taken(world.owner, there)[0] == "OVER"
    assert_sound(world.owner)


def test_a_place_freed_after_the_beginning_is_offered_to_nobody(
    world: Scene, clock: FrozenClock
) -> None:
    there = sold_out(world, waiting=2)
    remove(world.database, there, there.seated[0])
    clock.forward(timedelta(days=3650))
    assert world.run(OFFER).tally["skipped"] == 2
    assert line(world.owner, there) == ["SKIPPED"] * 2
    assert taken(world.owner, there)[0] == "PLANNED"
