"""`bursar bench …` as it is typed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import processes_of
from tests.waiting import eventually
from workers.cli import main

INTERRUPTED = 130
ENDS = (signal.SIGTERM, signal.SIGHUP)
pytestmark = pytest.mark.usefixtures("signals_as_they_were")


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


@pytest.mark.parametrize("number", ENDS)
def test_a_bench_that_is_ended_leaves_no_server_and_no_folder(
    tmp_path_factory: pytest.TempPathFactory, number: signal.Signals
) -> None:
    folder = tmp_path_factory.mktemp("b")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "bench", "drain", "--items", "100000"],
        env={**clean, "TMPDIR": str(folder)},
        cwd=Path(__file__).parents[3],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as bench:
        eventually(lambda: [*folder.glob("*/servers/postgres.log")], 180, "servers that start")
        bench.send_signal(number)
        assert bench.wait(180) == INTERRUPTED
    assert [*folder.iterdir()] == []
    assert processes_of(folder) == []
