"""Figures of several runs."""

import pytest

from workers.bench.figures import Figure, percentile


def test_a_figure_is_the_median_with_its_extremes() -> None:
    figure = Figure.of([3.0, 1.0, 2.0])

    assert (figure.median, figure.lowest, figure.highest) == (2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1), (0.0, 1)]
)
def test_a_percentile_is_a_value_that_was_seen(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected
