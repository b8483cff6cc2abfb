"""What a refund takes from each leg: the floor of its proportion, and together exactly what is given back."""

from hypothesis import given, strategies as st

from domain.payments import LegKind
from domain.refunds import divide

GATEWAY, WALLET, CREDIT = LegKind.GATEWAY, LegKind.WALLET, LegKind.REFERRAL_CREDIT
legs = st.dictionaries(st.sampled_from(LegKind), st.integers(1, 10**12), min_size=1)


def test_a_part_is_the_floor_of_each_leg_and_the_gateway_gives_what_rounding_leaves() -> None:
    """Invariant 53: floor(leg · part / amount) each; Σ legs = refund."""
    paid = {GATEWAY: 1_000, WALLET: 333, CREDIT: 100}
    taken = divide(100, 1_433, paid, paid)
    assert taken == {GATEWAY: 71, WALLET: 23, CREDIT: 6}
    assert (333 * 100 // 1_433, 100 * 100 // 1_433) == (23, 6)


def test_two_halves_are_one_whole() -> None:
    """Invariant 53: two 50% = one 100%, to the last unit, whatever rounding did."""
    paid = {GATEWAY: 3, WALLET: 5, CREDIT: 7}
    first = divide(7, 15, paid, paid)
    left = {kind: paid[kind] - first[kind] for kind in paid}
    assert divide(8, 15, paid, left) == left


def test_what_rounding_leaves_comes_from_a_leg_that_has_it() -> None:
    paid = {GATEWAY: 1, WALLET: 99}
    assert divide(1, 100, paid, {GATEWAY: 0, WALLET: 99}) == {GATEWAY: 0, WALLET: 1}


@given(legs, st.lists(st.integers(1, 10**12), max_size=20))
def test_any_parts_add_up_and_the_last_takes_what_is_left(
    paid: dict[LegKind, int], wanted: list[int]
) -> None:
    whole, left = sum(paid.values()), dict(paid)
    for each in [*wanted, whole]:
        part = min(each, sum(left.values()))
        if not part:
            break
        taken = divide(part, whole, paid, left)
        assert sum(taken.values()) == part
        assert all(0 <= taken[kind] <= left[kind] for kind in paid)
        left = {kind: left[kind] - taken[kind] for kind in paid}
    assert sum(left.values()) == 0
