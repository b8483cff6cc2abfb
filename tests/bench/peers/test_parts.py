"""Every part of the comparison, small; and the page that is made of its results."""

from pathlib import Path

import pytest

from tests.bench import limits, sizes, starts
from tests.bench.pages import render
from tests.bench.parts import PARTS, Bench
from tests.bench.peers.catalog import PEERS
from tests.bench.results import Results
from workers.bench.drain import Drain
from workers.bench.stand import Stand


@pytest.mark.parametrize(("clients", "size"), [(2, 10), (4, 1)], ids=["sets", "one by one"])
def test_pgbench_does_the_work_too(own_stand: Stand, clients: int, size: int) -> None:
    assert limits.of_pgbench(own_stand, items=80, clients=clients, size=size).items == 80


def test_a_drain_can_be_ended_and_taken_up_again(own_stand: Stand) -> None:
    with sizes.due(own_stand, 60) as url:
        first = sizes.some(url, Drain(items=60, batch=10), 30.0)
        sizes.more(url, 40)
        second = sizes.some(url, Drain(items=40, batch=10), 30.0)

    assert (first.items, second.items) == (60, 40)


def test_new_payouts_are_drained_in_front_of_a_history(own_stand: Stand) -> None:
    with sizes.history(own_stand, 50) as url:
        sizes.more(url, 30)
        assert sizes.some(url, Drain(items=30), 30.0).items == 30


def test_a_history_is_copied_until_it_is_as_long_as_was_said(
    own_stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "BASE", 20)
    with sizes.history(own_stand, 100) as url:
        assert sizes.counted(url) == {"payouts": 100, "effects": 100, "work": 0}
        sizes.more(url, 30)
        assert sizes.some(url, Drain(items=30), 30.0).items == 30


def test_every_part_is_measured_and_shown(
    own_stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results(tmp_path)
    results.describe()
    monkeypatch.setattr(starts, "SELDOM", (0.1, 2))
    for name, value in (("CALM_SECONDS", 0.1), ("IDLE_SECONDS", 0.2), ("OFTEN", (0.04, 5))):
        monkeypatch.setattr(starts, name, value)
    few = {"bursar", "bursar-16", "celery-threads", "1000", "0", "1"}
    for part, turns in PARTS.items():
        bench = Bench(own_stand, share=0.002)
        with bench.kept:
            for turn in turns(bench):
                if turn.subject in few:
                    results.add(part, turn.subject, 1, turn.run())

    render(results, tmp_path)

    page = (tmp_path / "comparison.md").read_text(encoding="utf-8")
    pictures = {path.stem for path in tmp_path.glob("*.svg")}
    assert pictures == set(PARTS)
    assert all(f"({name}.svg)" in page for name in pictures)
    assert "Celery, threads" in page
    assert {peer.package for peer in PEERS} <= results.of("machine")[0].keys()
