"""The bank's account: debits, queues, cancels, failures, reversals and its statement."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fakes.sandbox import RunningSandbox, running
from tests.workers.sandbox.asking import body, error, get, paid, post
from workers.sandbox.settings import SandboxSettings


@pytest.fixture
def poor(tmp_path: Path) -> Iterator[RunningSandbox]:
    """A bank whose account holds 15 rupees."""
    settings = SandboxSettings(
        storage=tmp_path / "poor.sqlite",
        balance_minor=1500,
        process_seconds=60.0,
        reverse_seconds=3600.0,
    )
    with running(settings) as served:
        yield served


def balance(bank: RunningSandbox) -> int:
    return int(get(bank, "banking_balances")["items"][0]["amount"])


def status(bank: RunningSandbox, payout: str) -> str:
    return str(get(bank, f"payouts/{payout}")["status"])


def test_a_payout_is_debited_once_however_often_it_is_sent(poor: RunningSandbox) -> None:
    asked = body()
    for _ in range(3):
        post(poor, asked, "key-1").raise_for_status()
    assert balance(poor) == 500


def test_a_payout_beyond_the_balance_waits_if_it_may(poor: RunningSandbox) -> None:
    paid(poor)
    first, second = paid(poor)["id"], paid(poor)["id"]
    assert (status(poor, first), status(poor, second), balance(poor)) == ("queued", "queued", 500)
    poor.deposit(600)
    assert (status(poor, first), status(poor, second)) == ("processing", "queued")
    poor.advance(61)
    assert (status(poor, first), status(poor, second)) == ("processed", "queued")


def test_a_payout_beyond_the_balance_is_refused_if_it_may_not_wait(poor: RunningSandbox) -> None:
    refused = error(post(poor, body(amount=1501, queue_if_low_balance=False)))
    assert refused["reason"] == "insufficient_funds"
    assert poor.summary()["transfers"] == 0


def test_only_a_queued_payout_can_be_cancelled(poor: RunningSandbox) -> None:
    running_one, queued = paid(poor)["id"], paid(poor)["id"]
    error(poor.http.post(f"/v1/payouts/{running_one}/cancel"))
    assert poor.http.post(f"/v1/payouts/{queued}/cancel").json()["status"] == "cancelled"
    error(poor.http.post(f"/v1/payouts/{queued}/cancel"))
    poor.deposit(10_000)
    assert status(poor, queued) == "cancelled"


def test_a_payout_that_fails_gives_its_money_back(poor: RunningSandbox) -> None:
    poor.order("fail")
    payout = paid(poor)["id"]
    assert (status(poor, payout), balance(poor)) == ("processing", 500)
    poor.advance(61)
    assert (status(poor, payout), balance(poor)) == ("failed", 1500)
    assert get(poor, f"payouts/{payout}")["status_details"]["reason"]


def test_a_late_reversal_gives_the_money_back_after_it_was_paid(poor: RunningSandbox) -> None:
    poor.order("reverse")
    payout = paid(poor)["id"]
    poor.advance(61)
    assert (status(poor, payout), balance(poor)) == ("processed", 500)
    poor.advance(3600)
    assert (status(poor, payout), balance(poor)) == ("reversed", 1500)


def test_the_statement_explains_the_balance(poor: RunningSandbox) -> None:
    poor.order("reverse")
    reversed_one, plain = paid(poor, amount=700)["id"], paid(poor, amount=300)["id"]
    poor.advance(61 + 3600)
    lines = get(poor, "transactions")["items"]
    assert [(line["debit"], line["credit"]) for line in lines] == [(0, 700), (300, 0), (700, 0)]
    assert [line["balance"] for line in lines] == [1200, 500, 800]
    assert lines[0]["source"]["entity"] == "reversal"
    assert lines[0]["source"]["payout_id"] == reversed_one
    assert lines[1]["source"]["id"] == plain
    assert balance(poor) == 1200


def test_the_summary_counts_what_was_really_paid(poor: RunningSandbox) -> None:
    poor.order("fail")
    paid(poor, amount=700)
    paid(poor, amount=300)
    poor.order("drop")
    with pytest.raises(httpx.TransportError):
        post(poor)
    poor.advance(61)
    summary = poor.summary()
    assert summary["transfers_by_status"] == {"failed": 1, "processed": 1, "queued": 1}
    assert summary["amount_minor_by_status"] == {"failed": 700, "processed": 300, "queued": 1000}
    assert summary["transfers_per_reference_max"] == 1
    assert summary["faults"] == {"drop": 1, "fail": 1}
    assert summary["requests"] == 3
