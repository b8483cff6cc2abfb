"""The page about a webinar that sells out is typed, command by command, beside `bursar up`, and does what it says."""

import re
import shlex
import signal
from pathlib import Path

import pytest

from tests.test_docs import ROOT, blocks
from tests.waiting import eventually
from tests.workers.test_processes import started, stop
from workers.cli import main

PAGE = ROOT / "docs/how-to/sell-out-a-webinar.md"
SECONDS_MAX = 180.0
OFFERS = {"BURSAR_OFFER_SECONDS": "12", "BURSAR_OFFER_REMINDER_SECONDS": "6"}
SHOWN = {"why booking BOOKING-OF-ADITI": "SCHEDULED", "why refund REFUND-OF-ADITI": "CASCADED"}
"""What a command shows in the end: what it tells of takes a moment."""


class Shell:
    """Types commands in one home, and keeps the ids that they print."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.home, self.capture = home, capture
        self.ids: dict[str, str] = {}
        self.out = ""

    def types(self, command: str, *, shown: str = "") -> None:
        """Type a command until it does what it is to do."""
        words = shlex.split(command)
        for place, word in enumerate(words):
            words[place] = self.ids.get(word, word)
        eventually(lambda: self._does(words) and shown in self.out, SECONDS_MAX, command)
        who = next((w for w in words if re.fullmatch("[A-Z]{5,6}", w) and w != "RAGAS"), "ADITI")
        for kind, id_ in re.findall(
            r"^(payment|booking|refund) +([0-9a-f-]{36})$", self.out, re.MULTILINE
        ):
            self.ids.setdefault(f"{kind.upper()}-OF-{who}", id_)

    def _does(self, words: list[str]) -> bool:
        self.capture.readouterr()
        code = main([*words, "--home", str(self.home)])
        self.out, _ = self.capture.readouterr()
        return code == 0


def test_the_page_is_typed_and_the_places_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    up = ("up", "--workers", "1", "--home", str(tmp_path / "home"))
    with started(*up, ready="worker.ready", **OFFERS) as (process, _):
        shell = Shell(tmp_path / "home", capsys)
        for text in blocks(PAGE):
            for command in re.findall(r"^bursar (.+)$", text, re.MULTILINE):
                shell.types(command, shown=SHOWN.get(command, ""))

        shell.types("bookings participants RAGAS-LIVE --consultant 'Meera Iyer'", shown="OMKAR")
        assert "BHAVNA" in shell.out
        assert "ADITI" not in shell.out
        shell.types("waitlist list", shown="EXPIRED")
        assert "BOOKED" in shell.out
        for subject in ("Your refund", "A place for you", "Your place is held", "No longer held"):
            shell.types("mail list", shown=subject)
        late = "bookings start RAGAS --appointment RAGAS-LIVE --customer PRIYA --key p --why w"
        assert main([*shlex.split(late), "--home", str(shell.home)]) == 1
        assert "0 places are free" in capsys.readouterr().err
        assert stop(process, signal.SIGINT) == 0
