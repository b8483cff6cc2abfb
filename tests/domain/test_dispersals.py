"""How money is divided: fee first, then the largest remainder; golden numbers, and properties to any size."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from domain.allocation import Reroute, allocate, rerouted
from domain.dispersals import Inputs, NoCashError, NoDateError, calculate, check_storable
from domain.errors import BadInputError, RefusedError
from domain.money import MINOR_MAX
from domain.servicing import Method, eligible_on, fee_due

HUGE = 10**30
DAY = date(2026, 3, 20)
A, B, C = (UUID(int=n) for n in (1, 2, 3))

units = st.dictionaries(st.uuids(), st.integers(1, HUGE), min_size=1, max_size=8)


def inputs(**more: object) -> Inputs:
    """Regular interest of 100,000 in a mortgage of 10,000,000, 1 % a year, two lenders."""
    given_ = {
        "received": 100_000,
        "settled_on": DAY,
        "kind": "regular_interest",
        "method": "manual",
        "principal": 10_000_000,
        "fee_rate_ppm": 10_000,
        "frequency": "monthly",
        "positions": {A: 6000, B: 4000},
    }
    return Inputs(**(given_ | more))  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("amount", "parts", "shares"),
    [
        (10_000, [5000, 3000, 2000], [5000, 3000, 2000]),
        (100, [1, 1, 1], [34, 33, 33]),
        (101, [5000, 3000, 2000], [51, 30, 20]),
        (0, [1, 2], [0, 0]),
        (1, [1, 1], [1, 0]),
        (7, [3, 3, 1], [3, 3, 1]),
    ],
)
def test_an_amount_is_divided_by_units(amount: int, parts: list[int], shares: list[int]) -> None:
    """The golden numbers of the largest remainder."""
    asked = {UUID(int=n): part for n, part in enumerate(parts, 1)}
    assert [allocate(amount, asked)[UUID(int=n)] for n in range(1, len(parts) + 1)] == shares


def test_of_equal_remainders_more_units_come_first_then_the_smaller_id() -> None:
    """5 of 10 leave three halves over: the largest has one first, of two equal ones the smaller id."""
    assert allocate(5, {A: 1, B: 1, C: 8}) == {A: 1, B: 0, C: 4}
    assert allocate(5, {C: 8, B: 1, A: 1}) == {A: 1, B: 0, C: 4}
    assert allocate(10, {A: 3, B: 9, C: 8}) == {A: 1, B: 5, C: 4}
    assert allocate(2, {A: 1, B: 3}) == {A: 0, B: 2}


@given(amount=st.integers(0, HUGE), held=units, chance=st.randoms())
def test_shares_add_up_to_the_amount_whatever_its_size_and_the_order_of_the_input(
    amount: int, held: Mapping[UUID, int], chance: Random
) -> None:
    """Invariant 60: Σ lender entries + fee = received, independent of the input's order, up to 10^30."""
    shares = allocate(amount, held)
    assert sum(shares.values()) == amount
    whole = sum(held.values())
    assert all(abs(shares[lender] * whole - amount * own) < whole for lender, own in held.items())
    turned = list(held.items())
    chance.shuffle(turned)
    assert allocate(amount, dict(turned)) == shares
    if amount:
        made = calculate(inputs(received=amount, positions=held))
        assert sum(made.shares.values()) + made.fee_applied == amount
        assert 0 not in made.shares.values()
        assert list(made.shares) == sorted(made.shares)


@pytest.mark.parametrize(
    ("principal", "rate", "frequency", "fee"),
    [
        (10_000_000, 10_000, "monthly", 8_333),
        (10_000_000, 10_000, "biweekly", 3_846),
        (10_000_000, 10_000, "accelerated_biweekly", 3_846),
        (10_000_000, 10_000, "weekly", 1_923),
        (6, 1_000_000, "monthly", 1),  # a half is rounded up
        (5, 1_000_000, "monthly", 0),
        (0, 10_000, "monthly", 0),
    ],
)
def test_the_fee_of_a_period(principal: int, rate: int, frequency: str, fee: int) -> None:
    assert fee_due(principal, rate, frequency) == fee


def test_a_frequency_nobody_knows_is_an_error() -> None:
    with pytest.raises(BadInputError, match="frequency: 'daily'"):
        fee_due(1, 1, "daily")


def test_the_fee_comes_first_and_the_lenders_have_the_rest() -> None:
    made = calculate(inputs())
    assert (made.fee_due, made.fee_applied, made.fee_receivable) == (8_333, 8_333, 0)
    assert made.shares == {A: 55_000, B: 36_667}
    assert calculate(inputs(frequency="biweekly")).distributable == 96_154


def test_a_fee_that_takes_all_leaves_no_shares_and_is_a_dispersal_all_the_same() -> None:
    made = calculate(inputs(received=8_000))
    assert (made.fee_applied, made.fee_receivable, made.distributable) == (8_000, 333, 0)
    assert made.shares == {}


@pytest.mark.parametrize("kind", ["principal_repayment", "arrears_cure", "late_fee"])
def test_only_regular_interest_bears_a_fee(kind: str) -> None:
    assert calculate(inputs(kind=kind)).shares == {A: 60_000, B: 40_000}


def test_nothing_received_and_no_date_are_said_and_never_made_up() -> None:
    """TRAP: a missing amount replaced by the obligation's, a missing date by today."""
    for none in (0, -1):
        with pytest.raises(NoCashError):
            calculate(inputs(received=none))
    with pytest.raises(NoDateError):
        calculate(inputs(settled_on=None))


def test_reroutes_count_from_their_day_on_in_the_order_in_which_they_came() -> None:
    moved = Reroute(from_lender=A, to_lender=C, units=6000, effective_on=DAY, number=1)
    back = replace(moved, from_lender=C, to_lender=B, units=1000, number=2)
    later = replace(moved, from_lender=B, effective_on=date(2026, 3, 21), number=3)
    positions = {A: 6000, B: 4000}
    assert rerouted(positions, [later, back, moved], DAY) == {B: 5000, C: 5000}
    assert rerouted(positions, [moved], date(2026, 3, 19)) == positions
    assert positions == {A: 6000, B: 4000}


def test_a_reroute_of_more_than_there_is_divides_nothing() -> None:
    wrong = Reroute(from_lender=B, to_lender=A, units=4001, effective_on=DAY, number=7)
    with pytest.raises(RefusedError, match=rf"reroute 7 of {DAY} takes 4001 units .* has 4000"):
        calculate(inputs(reroutes=[wrong]))


def test_nobody_has_a_position() -> None:
    with pytest.raises(RefusedError, match="nobody has a position"):
        calculate(inputs(positions={}))


@pytest.mark.parametrize(
    ("settled", "method", "eligible"),
    [
        (date(2026, 3, 20), Method.PAD, date(2026, 3, 27)),
        (date(2026, 3, 20), Method.ACH, date(2026, 3, 31)),
        (date(2026, 3, 28), Method.MANUAL, date(2026, 3, 30)),
        (date(2026, 3, 25), Method.PAD, date(2026, 4, 1)),
        (date(2026, 3, 25), Method.UNKNOWN, date(2026, 4, 1)),
        (date(2026, 3, 25), None, date(2026, 4, 1)),
        (date(2026, 3, 25), Method.MANUAL, date(2026, 3, 25)),
    ],
)
def test_money_is_held_for_business_days_by_how_it_was_collected(
    settled: date, method: str | None, eligible: date
) -> None:
    """The golden dates: a Friday, a Saturday, a Wednesday."""
    assert eligible_on(settled, method) == eligible


def test_what_cannot_be_stored_is_refused_by_name() -> None:
    check_storable(calculate(inputs(received=MINOR_MAX)))
    with pytest.raises(RefusedError, match=f"received {MINOR_MAX + 1} is larger"):
        check_storable(calculate(inputs(received=MINOR_MAX + 1)))
    with pytest.raises(RefusedError, match=r"fee due .* is larger"):
        check_storable(calculate(inputs(principal=HUGE)))


@pytest.mark.parametrize("method", [Method.ACH, None])
def test_a_day_that_the_calendar_ends_with_is_named(method: str | None) -> None:
    """TRAP: an error nobody expects, so healing counts nothing and never ends."""
    with pytest.raises(BadInputError, match="settled_on: '9999-12-31': must be a day after which"):
        calculate(inputs(settled_on=date.max, method=method))
