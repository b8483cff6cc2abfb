"""The demo's verdict of the webinar finds what it is there to find."""

from collections import Counter
from dataclasses import replace

import pytest

from workers.demo.sold import came_to_its_end, captured, places, told_once
from workers.demo.story import EXPIRED, OFFERED, REFUNDED, REMINDED
from workers.practice import Counted

WHO = ["Aditi", "Bhavna", "Chetan"]
AT_GATEWAY = Counted(captures=4, captured_minor=300_000, refunds=1, refunded_minor=75_000)
CLEARING = (300_000, 75_000)
LETTERS = Counter(
    {
        ("omkar@example.org", f"{OFFERED}: Ragas"): 1,
        ("omkar@example.org", f"{REMINDED} noon: Ragas"): 1,
        ("omkar@example.org", f"{EXPIRED}: Ragas"): 1,
        ("aditi@example.org", f"{REFUNDED}: Ragas"): 1,
    }
)


def test_everything_holds_where_it_went_well() -> None:
    assert came_to_its_end("").holds
    assert places(WHO, 3, 3).holds
    assert captured(AT_GATEWAY, CLEARING).holds
    assert told_once(LETTERS).holds


def test_somebody_who_was_answered_wrongly_is_told_of() -> None:
    found = came_to_its_end("Priya was answered 409")
    assert (found.holds, found.detail) == (False, "Priya was answered 409")


@pytest.mark.parametrize(
    ("who", "confirmed"),
    [(WHO[:2], 3), ([*WHO, "Deepa"], 3), (["Aditi", "Aditi", "Bhavna"], 3), (WHO, 4)],
)
def test_a_place_that_is_nobodys_or_somebodys_twice_is_found(
    who: list[str], confirmed: int
) -> None:
    assert not places(who, 3, confirmed).holds


@pytest.mark.parametrize(
    ("counted", "clearing"),
    [
        (replace(AT_GATEWAY, captured_minor=375_000), CLEARING),
        (replace(AT_GATEWAY, refunded_minor=150_000), CLEARING),
        (AT_GATEWAY, (300_000, 0)),
        (Counted(), (0, 0)),
        (replace(AT_GATEWAY, refunds=0, refunded_minor=0), (300_000, 0)),
    ],
)
def test_money_the_books_do_not_know_of_is_found(
    counted: Counted, clearing: tuple[int, int]
) -> None:
    assert not captured(counted, clearing).holds


def test_a_mail_that_came_twice_or_not_at_all_is_found() -> None:
    twice = LETTERS + Counter({("omkar@example.org", f"{EXPIRED}: Ragas"): 1})
    assert f"twice: {EXPIRED}: Ragas to omkar@example.org" in told_once(twice).detail
    without = Counter({k: n for k, n in LETTERS.items() if not k[1].startswith(REMINDED)})
    assert f"none of: {REMINDED}" in told_once(without).detail
    assert not told_once(twice).holds
    assert not told_once(without).holds


def test_an_offer_may_come_again() -> None:
    """Under its own Message-ID: who does not hear of it loses the place."""
    again = LETTERS + Counter({("omkar@example.org", f"{OFFERED}: Ragas"): 1})
    assert told_once(again).holds
