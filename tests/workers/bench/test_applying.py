"""Events applied, small: each is proven to have completed its payout once."""

import json

import pytest

from db.bench import telling
from domain.errors import BrokenError
from workers.bench.applying import apply_seconds
from workers.bench.stand import Stand, opened
from workers.cli import main


def test_every_event_completes_its_payout(own_stand: Stand) -> None:
    assert apply_seconds(own_stand, 60) > 0


def test_what_was_not_applied_is_no_result(own_stand: Stand) -> None:
    with (
        own_stand.database() as url,
        opened(url) as database,
        database.begin() as tx,
        pytest.raises(BrokenError, match="events applied"),
    ):
        telling.prove(tx, 5)


def test_bench_apply_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "apply", "--items", "40", "--runs", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["events_per_second"] > 0) == (40, True)
