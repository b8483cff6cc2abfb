"""The page about paying from earnings is typed, all of it, beside `bursar up` and a bank on a bad day."""

import re
import shlex
import signal
from pathlib import Path

import pytest

from tests.test_docs import ROOT, blocks
from tests.waiting import eventually
from tests.workers.test_processes import started, stop
from workers.cli import main
from workers.free_ports import free_ports
from workers.practice import count
from workers.servers import SandboxPlan

PAGE = ROOT / "docs/how-to/pay-from-earnings.md"
TYPED = re.compile(r"^(?:\$ )?bursar (.+)$", re.MULTILINE)
SECONDS_MAX = 180.0
FAULTS = "drop=0.2,error=0.2,event_twice=0.3,event_late=0.1"
"""Replies that are lost, and events that come twice, or late: a bank on a bad day."""
MONEY = "money --by state"
SHOWN = {
    "why earning EA-1-000001": "people hold it",
    'why wallet "Arjun Banerjee"': "opted out",
    "enqueue payouts.batch --dry-run": "would_make",
    'payouts approve --all-pending --dry-run --why "week 48"': "largest_payee_INR",
}


class Shell:
    """Types commands in one home."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home, self.capture = home, capture

    def types(self, command: str) -> str:
        """Type a command that is to do what it says; returns what it printed."""
        self.capture.readouterr()
        code = main([*shlex.split(command), "--home", str(self.home)])
        out, err = self.capture.readouterr()
        assert code == 0, f"{command}: {out}{err}"
        return out


def settled(money: str) -> bool:
    """Whether nothing is under way any more, of what a person approved."""
    return "COMPLETED" in money and not re.search("PROCESSING|PENDING", money)


def test_the_page_is_typed_and_payees_are_paid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    plan = SandboxPlan.make(free_ports(1)[0], faults=FAULTS, process_seconds=0.1)
    plan.write(home)
    typed = [command for text in blocks(PAGE) for command in TYPED.findall(text)]
    with started("up", "--workers", "1", "--home", str(home), ready="worker.ready") as (process, _):
        shell = Shell(home, capsys)
        for command in typed:
            if command == MONEY:
                eventually(lambda: settled(shell.types(MONEY)), SECONDS_MAX, "all are paid")
            said = shell.types(command)
            assert SHOWN.get(command, "") in said

        assert "matched" in said, "the page ends with a statement that agrees"
        assert not re.search("missing|foreign|differs", said)
        lost = shell.types("earnings list --state REFUNDED --json")
        assert "EA-1-000003" in lost
        shell.types("audit")
        summary = count(SandboxPlan.read(home) or plan)
        assert {"drop", "error", "event_twice"} <= set(summary.faults)
        paid = re.search(r"matched +(\d+)", said)
        assert paid is not None
        assert int(paid[1]) == summary.transfers
        assert stop(process, signal.SIGINT) == 0
