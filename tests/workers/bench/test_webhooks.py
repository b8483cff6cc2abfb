"""Webhooks, timed through a real web process; each is proven to be kept."""

import json

import pytest

from workers.bench.stand import Stand
from workers.bench.webhooks import answers
from workers.cli import main


def test_each_webhook_that_was_sent_is_timed(own_stand: Stand) -> None:
    seen = answers(own_stand, rate=100, count=60)

    assert seen.latencies.count == 60
    assert 0 < seen.latencies.p50_ms <= seen.latencies.p99_ms <= seen.latencies.max_ms
    assert 0 < seen.per_second <= 110
    assert seen.cpu_seconds > 0


def test_bench_webhooks_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "webhooks", "--rate", "100", "--count", "20", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["p99_ms"] > 0
    assert (found["rate"], found["count"]) == (100, 20)
