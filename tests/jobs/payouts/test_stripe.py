"""The payout jobs on Stripe's own client and a served bank: paid at once, recovered, reversed."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from db.engine import Database
from db.work import ClaimOrder
from jobs.webhooks.apply import ApplyEvents
from tests.builders import assert_sound
from tests.driving import drive, follow, hasten, ids, process, recover
from tests.fakes.sandbox import RunningSandbox, running
from tests.hearing import raw, receive
from tests.operating import line, opened, query, take
from workers.gateways.stripe import Stripe
from workers.sandbox.settings import SandboxSettings


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with running(SandboxSettings(storage=tmp_path / "bank.sqlite")) as bank:
        yield bank


@pytest.fixture
def bank(sandbox: RunningSandbox) -> Iterator[Stripe]:
    with sandbox.stripe() as client:
        yield client


@pytest.fixture
def worker(database_url: str) -> Iterator[Database]:
    """Three approved payouts to connected accounts, as a worker finds them."""
    lines = [
        line(
            f"S-{n}",
            payee=f"Payee {n}",
            fund_account_id=f"acct_{n}",
            mode=None,
            currency=currency,
        )
        for n, currency in enumerate(("INR", "USD", "USD"))
    ]
    with opened(database_url) as operator, opened(database_url, "bursar_worker") as database:
        take(operator, lines, approve=True)
        yield database


def assert_paid_once(sandbox: RunningSandbox, worker: Database, payouts: int = 3) -> None:
    summary = sandbox.summary()
    assert (summary["transfers"], summary["transfers_per_reference_max"]) == (payouts, 1)
    assert_sound(worker)


def test_a_transfer_is_concluded_by_the_first_look(
    sandbox: RunningSandbox, bank: Stripe, worker: Database
) -> None:
    assert drive(worker, process(bank)) == 3
    assert drive(worker, follow(bank)) == 3
    assert len(ids(worker, "COMPLETED")) == 3
    [dollars] = query(
        worker,
        "SELECT sum(amount) AS amount FROM ledger_totals WHERE currency = 'USD' AND type = 'payout.completed'",
    )
    assert dollars.amount == 2 * 125_050
    effects = query(worker, "SELECT provider, account, provider_id, status FROM effects")
    assert {(row.provider, row.account) for row in effects} == {("stripe", bank.account)}
    assert all(row.provider_id.startswith("tr_") for row in effects)
    assert_paid_once(sandbox, worker)


def test_a_500_that_stays_under_its_key_is_found_by_its_group(
    sandbox: RunningSandbox, bank: Stripe, worker: Database
) -> None:
    """F58, invariants 1 and 7: the payment was made, and its key answers 500 for a day."""
    sandbox.order("error", times=3)
    drive(worker, process(bank))
    hasten(worker)
    assert drive(worker, recover(bank)) == 3
    assert len(ids(worker, "COMPLETED")) == 3
    assert_paid_once(sandbox, worker)


def test_a_lost_reply_before_any_payment_is_sent_again_under_its_key(
    sandbox: RunningSandbox, bank: Stripe, worker: Database
) -> None:
    """F56, invariant 4."""
    sandbox.order("reset", times=3)
    drive(worker, process(bank))
    hasten(worker)
    drive(worker, recover(bank))
    summary = sandbox.summary()
    assert (summary["keys"], summary["sends_per_key_max"]) == (3, 2)
    hasten(worker)
    drive(worker, follow(bank))
    assert len(ids(worker, "COMPLETED")) == 3
    assert_paid_once(sandbox, worker)


def test_an_empty_balance_fails_one_payout_and_brakes_the_others(
    sandbox: RunningSandbox, bank: Stripe, worker: Database
) -> None:
    """Stripe keeps that answer under the key, so what met it needs a retry by a person; the rest waits."""
    sandbox.deposit(-sandbox.settings.balance_minor)
    assert drive(worker, process(bank), limit=1) == 1
    assert (len(ids(worker, "FAILED")), len(ids(worker, "APPROVED"))) == (1, 2)
    assert drive(worker, process(bank)) == 0
    [told] = query(worker, "SELECT kind FROM findings")
    assert told.kind == "provider-brake"


def test_a_reversal_after_completion_is_one(
    sandbox: RunningSandbox, bank: Stripe, worker: Database
) -> None:
    """Completed, then reversed."""
    sandbox.order("reverse", times=3)
    drive(worker, process(bank))
    drive(worker, follow(bank))
    assert len(ids(worker, "COMPLETED")) == 3
    sandbox.advance(60)
    hasten(worker)
    drive(worker, follow(bank))
    assert len(ids(worker, "REVERSED")) == 3
    assert_paid_once(sandbox, worker)


def test_an_event_settles_a_transfer_as_asking_would(
    sandbox: RunningSandbox, bank: Stripe, worker: Database
) -> None:
    """Paid, and later given back, first heard by webhook: what frees its money, Stripe is asked about."""
    drive(worker, process(bank), limit=1)
    [paid] = query(worker, "SELECT provider_id FROM effects")
    at = f"transfers/{paid.provider_id}"
    for type_, state in (("transfer.created", "COMPLETED"), ("transfer.reversed", "REVERSED")):
        body = {"data": {"object": sandbox.as_stripe.get(at).json()}}
        receive(worker, [raw(json.dumps(body).encode(), type_, provider="stripe")])
        with worker.begin() as tx:
            ApplyEvents().work(tx, ClaimOrder(run=7, limit=10, lease_seconds=15.0))
        if state == "REVERSED":
            assert len(ids(worker, "COMPLETED")) == 1
            drive(worker, follow(bank))
        assert len(ids(worker, state)) == 1
        sandbox.as_stripe.post(f"{at}/reversals")
    assert_paid_once(sandbox, worker, payouts=1)


def test_of_a_partial_reversal_a_person_is_told_and_nothing_moves(
    sandbox: RunningSandbox, bank: Stripe, worker: Database
) -> None:
    """Invariant 29."""
    drive(worker, process(bank), limit=1)
    [paid] = query(worker, "SELECT provider_id, subject FROM effects")
    sandbox.as_stripe.post(
        f"transfers/{paid.provider_id}/reversals", data={"amount": 1}
    ).raise_for_status()
    drive(worker, follow(bank))
    assert ids(worker, "PROCESSING") == [UUID(str(paid.subject))]
    [told] = query(worker, "SELECT kind, detail FROM findings")
    assert (told.kind, told.detail) == (
        "payout-provider-status-unrecognised",
        "partially_reversed",
    )
