"""The demo itself, smaller: it drains, it proves, it leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.servers import processes_of
from tests.waiting import eventually
from workers.demo.lending import LENDERS, SHARES

ROOT = Path(__file__).parents[3]


def environment(temporary: Path) -> dict[str, str]:
    """Ours without settings of Bursar's, and with a temporary folder that can be looked into."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BURSAR_")}
    return {**clean, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}


def test_the_demo_pays_each_once_although_replies_are_lost_and_a_worker_dies(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """F01, F61, F63, F70, F72 in one: the whole system, real servers, real processes, real HTTP.

    Beside the payouts a webinar sells out, and its places go on: six mails, or more where an offer came twice. What
    borrowers paid reaches their lenders, and what cannot be divided is set apart.
    """
    temporary = tmp_path_factory.mktemp("d")
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "demo", "--json", "--count", "300", "--seed", "5"],
        cwd=ROOT,
        env=environment(temporary) | {"BURSAR_OFFER_SECONDS": "12"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert [p["name"] for p in found["promises"] if not p["holds"]] == []
    assert sum(found["payouts_by_state"].values()) >= 300 + SHARES + len(LENDERS)
    assert found["faults"]["drop"] > 0
    assert found["faults"]["event_twice"] > 0
    assert found["faults"]["event_forged"] > 0
    assert found["killed"]
    assert (found["participants"], found["captures"], found["refunds"]) == (12, 13, 1)
    assert found["mails"] >= 6
    assert list(temporary.iterdir()) == []


def test_ctrl_c_ends_the_demo_in_order_and_removes_its_home(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    temporary = tmp_path_factory.mktemp("d")
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "demo", "--count", "2000"],
        cwd=ROOT,
        env=environment(temporary),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "PROCESSING" in line:
                break
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=180)
    assert (process.returncode, "nothing is proven" in said) == (130, True)
    assert psutil.wait_procs(children, timeout=60)[1] == []
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_while_the_servers_start_leaves_nothing_either(
    number: signal.Signals, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary = tmp_path_factory.mktemp("d")
    with subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "demo", "--count", "10"],
        cwd=ROOT,
        env=environment(temporary),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        eventually(lambda: any(temporary.glob("*/servers/keeper.log")), 180, "a keeper is made")
        process.send_signal(number)
        _, said = process.communicate(timeout=180)
    assert (process.returncode, "interrupted" in said) == (130, True)
    assert list(temporary.iterdir()) == []
    assert processes_of(temporary) == []


@pytest.mark.parametrize("name", ["BURSAR_DATABASE_URL", "BURSAR_PAYOUT_PROVIDER"])
def test_the_demo_never_runs_where_real_servers_or_a_real_provider_are_set(
    name: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "demo"],
        cwd=ROOT,
        env=environment(tmp_path) | {name: "razorpayx"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 2
    assert name in done.stderr
