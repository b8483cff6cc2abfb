"""A sample is the same for the same seed, valid, and looks like a marketplace's week."""

import io
from collections import Counter
from itertools import islice
from pathlib import Path

from hypothesis import given, strategies as st

from domain.payout_lines import parse_payout
from domain.payout_modes import Mode
from domain.payout_rules import RAZORPAYX
from domain.samples import PAYEES, sample_payouts, write_csv

SHIPPED = Path(__file__).parents[2] / "samples" / "payouts.csv"


def test_the_shipped_sample_is_what_seed_1_makes() -> None:
    stream = io.StringIO()
    write_csv(sample_payouts(2_000, 1), stream)
    assert SHIPPED.read_bytes() == stream.getvalue().encode()


@given(st.integers(0, 2**64))
def test_every_line_of_any_seed_would_be_imported_as_it_is(seed: int) -> None:
    for line in sample_payouts(50, seed):
        assert parse_payout(line.record, "sample", 1, RAZORPAYX) == line


def test_a_longer_sample_begins_with_a_shorter_one_and_no_external_id_repeats() -> None:
    long = list(sample_payouts(3_000, 5))
    assert list(sample_payouts(20, 5)) == long[:20]
    assert len({line.external_id for line in long}) == 3_000
    assert list(islice(sample_payouts(20, 6), 20)) != long[:20]


def test_a_sample_has_all_modes_many_payees_and_a_broad_range_of_amounts() -> None:
    lines = list(sample_payouts(2_000, 1))
    assert set(Counter(line.mode for line in lines)) == {None, *Mode}
    assert len({line.payee for line in lines}) > PAYEES * 0.9
    amounts = sorted(line.amount_minor for line in lines)
    assert amounts[0] < 10_000 < amounts[1_000] < 1_000_000 < amounts[-1]
    assert 0 < sum(not line.narration for line in lines) < len(lines)
