"""Random orders on the real database keep every promise, and find every mistake that is planted in the product."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pytest

from db import engine
from domain.answers import Answer
from domain.errors import ExpectedError
from tests.models.events import explore, play
from tests.models.market import Ground, Market, ground
from tests.models.plants import PLANTS, Plant
from tests.operating import line, take
from tests.servers import Databases
from workers.sandbox.faults import Fault

FULL: Final = os.environ.get("BURSAR_TEST_EXPLORE") == "full"
ORDERS_MAX: Final = 30
"""How many orders a planted mistake may stay hidden in."""


@pytest.fixture(scope="module")
def here(databases: Databases, template: str) -> Iterator[Ground]:
    """Ground for every order, on which no connection is lost because this machine is busy."""
    with databases.database(template) as name, pytest.MonkeyPatch.context() as patch:
        for limit in ("IDLE_SECONDS", "LOCK_SECONDS", "STATEMENT_SECONDS"):
            patch.setattr(engine, limit, 60.0)
        with ground(databases.url(name), databases.superuser_url(name)) as made:
            yield made


@pytest.mark.timeout(3_000 if FULL else 900)  # most of it to shorten what was found
def test_whatever_happens_in_whatever_order_each_payout_is_paid_once(here: Ground) -> None:
    """Every promise of the audit too, once all is quiet."""
    if FULL:
        explore(here, orders=int(os.environ.get("BURSAR_TEST_EXAMPLES", "1000")), steps=60)
    else:
        play(here, orders=20, steps=30)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_a_mistake_planted_in_the_product_is_found_by_chance(
    here: Ground, plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random orders that find nothing prove something only if they find these, and soon."""
    plant.put(monkeypatch)
    with pytest.raises((AssertionError, ExpectedError), match=plant.shows) as found:
        play(here, orders=ORDERS_MAX, steps=30)
    print(*found.value.__notes__, sep="\n")  # noqa: T201  the order that shows it is the result


@pytest.fixture
def market(here: Ground) -> Market:
    """One approved payout whose first send timed out, its request still on its way; it is claimed again."""
    market = here.market()
    take(market.operator, [line("P-1")], approve=True)
    market.claim(market.jobs[0])
    market.give_up_waiting(market.claimed[0])
    market.lapse()
    market.claim(market.jobs[0])
    return market


def refused(market: Market) -> None:
    """The second send is refused, and its answer settled."""
    market.bank.script(Fault.REFUSE)
    market.call(market.claimed[0])
    assert market.settle([market.answered.pop()]) == 1
    market.look()


def test_a_refusal_of_a_second_send_proves_nothing_and_the_first_one_ends_it(
    market: Market,
) -> None:
    refused(market)
    assert [state for state, _ in market.seen.values()] == ["PROCESSING"]
    market.quiet()
    assert [state for state, _ in market.seen.values()] == ["COMPLETED"]


def believed(answer: Answer, sends: int) -> Answer:
    """The mistake: what an answer says of this send, it says of the payment."""
    return answer


def test_the_truth_sees_a_refusal_that_was_believed(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge of the random orders must be able to say no."""
    monkeypatch.setattr("jobs.payouts.process.as_evidence", believed)
    with pytest.raises(AssertionError, match="may yet be paid"):
        refused(market)


def test_the_truth_sees_what_is_paid_twice(market: Market) -> None:
    """A bank that knows no keys."""
    market.bank.key_window = timedelta(0)
    market.bank.submit(market.wire.pop())
    market.call(market.claimed[0])
    with pytest.raises(AssertionError, match="paid twice"):
        market.look()
