"""Figures of several runs."""

import pytest

from workers.bench.figures import Figure, percentile
from workers.bench.report import in_turns


def test_a_figure_is_the_median_with_its_extremes() -> None:
    figure = Figure.of([3.0, 1.0, 2.0])

    assert (figure.median, figure.lowest, figure.highest) == (2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1), (0.0, 1)]
)
def test_a_percentile_is_a_value_that_was_seen(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_a_ratio_is_taken_turn_by_turn() -> None:
    """Of two turns of a machine that became slow, each is half; of the medians it would not be."""
    share = in_turns([10.0, 10.0, 5.0], [20.0, 20.0, 10.0])
    uneven = in_turns([10.0, 5.0, 5.0], [20.0, 10.0, 20.0])

    assert (share.lowest, share.median, share.highest) == (0.5, 0.5, 0.5)
    assert (uneven.lowest, uneven.median, uneven.highest) == (0.25, 0.5, 0.5)
