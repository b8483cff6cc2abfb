"""Wake-ups, timed through a real Postgres, Redis and worker processes."""

from workers.bench.importing import import_seconds
from workers.bench.stand import Stand
from workers.bench.wake import latencies


def test_each_run_that_was_asked_for_is_timed(own_stand: Stand) -> None:
    seen = latencies(own_stand, processes=2, every_seconds=0.05, count=8)

    assert seen.count == 8
    assert 0 < seen.p50_ms <= seen.p99_ms <= seen.max_ms


def test_an_import_is_timed_when_every_row_of_it_is_there(own_stand: Stand) -> None:
    assert import_seconds(own_stand, 50) > 0
