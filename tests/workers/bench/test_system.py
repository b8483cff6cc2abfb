"""The whole system, measured for a moment."""

from workers.bench.system import measure


def test_the_whole_system_is_started_looked_at_and_stopped() -> None:
    seen = measure(idle_seconds=0.5, items=20, calm_seconds=0.0)

    assert seen.idle_cpu_percent >= 0
    assert seen.processes > 6
    assert seen.worker_megabytes > 10
    assert seen.drained_megabytes is not None
    assert seen.drained_megabytes >= 10
