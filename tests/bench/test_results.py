"""Records are kept turn by turn, and what is made of them compares like with like."""

from pathlib import Path

import pytest

from tests.bench.results import Results
from tests.bench.summaries import ratio, rows, spread, times, whole


def test_a_run_that_was_ended_is_taken_up_where_it_was(tmp_path: Path) -> None:
    Results(tmp_path).add("effect", "rq", 1, {"per_second": 3.5})

    again = Results(tmp_path)
    again.add("effect", "rq", 2, {"per_second": 4.5})

    assert again.has("effect", "rq", 1)
    assert again.has("effect", "rq", 2)
    assert not again.has("effect", "rq", 3)
    assert not again.has("slow", "rq", 1)
    assert [record["per_second"] for record in again.of("effect")] == [3.5, 4.5]


def test_a_ratio_is_taken_turn_by_turn(tmp_path: Path) -> None:
    """The machine is half as fast in the second turn: the ratio stays what it is."""
    results = Results(tmp_path)
    for turn, speed in ((1, 1.0), (2, 0.5), (3, 1.0)):
        results.add("effect", "bursar", turn, {"per_second": 600 * speed, "items": 9})
        if turn != 3:
            results.add("effect", "rq", turn, {"per_second": 20 * speed, "items": 3})

    found = ratio(results.of("effect"), "bursar", "rq")

    assert found is not None
    assert (found.median, found.lowest, found.highest, found.runs) == (30, 30, 30, 2)
    assert ratio(results.of("effect"), "bursar", "celery") is None


def test_a_row_is_a_median_with_its_extremes(tmp_path: Path) -> None:
    results = Results(tmp_path)
    for turn, rate in enumerate((1200.0, 900.0, 3000.0)):
        results.add("effect", "bursar", turn, {"per_second": rate, "items": 20})

    [row] = rows(results.of("effect"))

    assert (row.subject, row.items) == ("bursar", 20)
    assert spread(row.figure, whole) == "1,200 [900..3,000]"


@pytest.mark.parametrize(
    ("value", "shown"), [(0.876, "0.88"), (1.149, "1.15"), (4.44, "4.4"), (120.4, "120")]
)
def test_a_ratio_is_shown_with_the_digits_that_mean_something(value: float, shown: str) -> None:
    assert times(value) == shown
