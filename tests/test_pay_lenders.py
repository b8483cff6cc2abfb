"""The page about lenders is typed, command by command, beside `bursar up`, and does what it says."""

import re
import shlex
import signal
from pathlib import Path

import pytest

from tests.test_docs import ROOT, blocks
from tests.waiting import eventually
from tests.workers.test_processes import started, stop
from workers.cli import main

PAGE = ROOT / "docs/how-to/pay-lenders.md"
SECONDS_MAX = 180.0
TOKEN = "BURSAR_OPERATOR_TOKEN"  # noqa: S105  a name
SHOWN = {
    "why obligation O-HOUSE-1": "DISPERSED",
    "dispersals list --state DISBURSED": "366.67",
    "suspense show O-GARDEN-1": "1000.00",
}
"""What a command shows in the end: what it tells of takes a moment."""


class Shell:
    """Types what a page types in one home, and keeps the names that are printed."""

    def __init__(
        self, home: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self.home, self.capture, self.patch = home, capture, patch
        self.named: dict[str, str] = {}
        self.out = ""

    def types(self, line: str, *, shown: str = "") -> None:
        """Type a line until it does what it is to do; what it prints once is kept under its name."""
        if line.startswith(f"export {TOKEN}="):
            self.patch.setenv(TOKEN, self.named[line.partition("=")[2]])
            return
        words = [self.named.get(word, word) for word in shlex.split(line)[1:]]
        eventually(lambda: self._does(words) and shown in self.out, SECONDS_MAX, line)
        if words[:2] == ["operators", "add"]:
            [token] = re.findall(r"^token +(\S+)$", self.out, re.MULTILINE)
            self.named[f"TOKEN-OF-{words[2].upper()}"] = token
        if words[:2] == ["suspense", "show"]:
            [self.named["ITEM"]] = re.findall(r"^id +([0-9a-f-]{36})$", self.out, re.MULTILINE)

    def _does(self, words: list[str]) -> bool:
        self.capture.readouterr()
        code = main([*words, "--home", str(self.home)])
        self.out, _ = self.capture.readouterr()
        return code == 0


def test_the_page_is_typed_and_lenders_are_paid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 67 on a page: what was set apart leaves by two people, and reaches its lender."""
    monkeypatch.chdir(ROOT)
    up = ("up", "--workers", "1", "--home", str(tmp_path / "home"))
    with started(*up, ready="worker.ready", BURSAR_HEAL_SECONDS="1") as (process, _):
        shell = Shell(tmp_path / "home", capsys, monkeypatch)
        last = blocks(PAGE)[-1]
        for text in blocks(PAGE)[1:]:
            for line in text.splitlines():
                shown = (
                    "1833.34" if text == last and "DISBURSED" in line else SHOWN.get(line[7:], "")
                )
                shell.types(line, shown=shown)
        shell.types("bursar ledger trial-balance", shown="trust_cash")
        assert "166.66" in shell.out, "the fee of both"
        shell.types("bursar suspense list")
        assert "O-GARDEN-1" not in shell.out
        assert stop(process, signal.SIGINT) == 0
