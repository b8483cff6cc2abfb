"""The waitlist measured, small: nothing is a figure that was not offered, told, reminded and ended."""

import json

import pytest

from domain.errors import BrokenError
from workers.bench import waiting
from workers.bench.stand import Stand
from workers.cli import main


def test_each_entry_is_offered_told_reminded_and_ended(own_stand: Stand) -> None:
    done = waiting.wait_out(own_stand, 1_200)
    assert min(done.offer, done.mails, done.remind, done.expire) > 0


def test_what_was_left_out_is_no_result(own_stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "TO_REMINDER_HOURS", 1)
    with pytest.raises(BrokenError, match=r"nothing is due for waitlist\.remind"):
        waiting.wait_out(own_stand, 20)


def test_bench_waitlist_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "waitlist", "--items", "40", "--runs", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["offers_per_second"] > 0) == (40, True)
