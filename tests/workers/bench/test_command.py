"""`bursar bench …` as it is typed."""

import json

import pytest

from workers.cli import main


def test_bench_drain_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "drain", "--items", "80", "--batch", "20", "--runs", "2", "--json"]
    assert main(words) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["items_per_second"] > 0
    assert found["limit_per_second"] > 0
    assert 0 < found["share_lowest"] <= found["share_of_limit"] <= found["share_highest"]
    assert (found["items"], found["processes"], found["runs"]) == (80, 2, 2)


@pytest.mark.parametrize("words", [["--items", "0"], ["--processes", "17"], ["--batch", "2000"]])
def test_sizes_that_make_no_sense_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "drain", *words]) == 2
    assert "must be a whole number from" in capsys.readouterr().err
