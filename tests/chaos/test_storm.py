"""A minute of everything at once, and a canary: what the storm promises, and that it can fail."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.servers import processes_of
from workers.cli import main

ROOT = Path(__file__).parents[2]


def chaos(temporary: Path, *options: str, seconds: float) -> tuple[int, dict[str, Any], str]:
    """Run the command; returns its exit code, its report and what it said on the side."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "chaos", "--json", *options],
        cwd=ROOT,
        env={**clean, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stdout + done.stderr


@pytest.mark.timeout(900)
def test_a_minute_of_every_fault_leaves_each_paid_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """F13, F19, F21, F22, F35, F36, F37, F39, F40, F43, F80, F81, F82, F96, F97: all in one.

    And of webhooks F70, F71, F72, F76, F77 and F79.
    """
    temporary = tmp_path_factory.mktemp("c")
    code, found, said = chaos(temporary, "--minutes", "1", "--seed", "1", seconds=890)
    assert [p for p in found["promises"] if not p["holds"]] == [], said
    assert [name for name, seen in found["sometimes"].items() if seen["missing"]] == [], said
    assert code == 0, said
    assert (found["figures"]["jobs_lost"], found["figures"]["jobs_doubled"]) == (0, 0)
    assert found["figures"]["payouts_accepted"] > 500
    assert len(found["faults"]) > 15
    assert len(found["sometimes"]) >= 30
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


@pytest.mark.timeout(900)
def test_a_planted_double_payment_is_found_and_told(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """F100: a checker that is broken proves nothing; this one names the payout and its history."""
    temporary = tmp_path_factory.mktemp("c")
    options = ("--minutes", "0.1", "--faults", "network-bank-drop", "--canary", "double-payment")
    code, found, said = chaos(temporary, *options, seconds=890)
    assert code == 1, said
    assert found["figures"]["jobs_doubled"] == 1
    [payout] = found["histories"]
    assert found["planted"] == payout
    assert any("PROCESSING -> COMPLETED" in line for line in found["histories"][payout])
    broken = [p["name"] for p in found["promises"] if not p["holds"]]
    assert "no reference was paid twice" in broken


@pytest.mark.usefixtures("signals_as_they_were")
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--faults", "earthquake"),
        ("--scenario", "armageddon"),
        ("--canary", "bird"),
        ("--faults", ","),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_starts(
    option: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert main(["chaos", "--json", option, value]) == 2
    assert option in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
