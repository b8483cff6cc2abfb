"""`bursar reconcile statement --fetch` on Stripe: its balance transactions against the books, without balances."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from db import installation
from db.engine import Database
from tests.driving import drive, follow, hasten, ids, process
from tests.fakes.sandbox import RunningSandbox, running
from tests.operating import line, opened, query, take
from tests.workers.cli.conftest import Line
from workers.gateways.stripe import Stripe
from workers.sandbox.settings import SandboxSettings

FETCH = ("reconcile", "statement", "--fetch", "--to", "2100-01-01", "--grace-hours", "0")


class Paid(NamedTuple):
    """Four payouts that Stripe paid, and whoever asks of them."""

    bursar: Line
    sandbox: RunningSandbox
    bank: Stripe
    worker: Database

    def classes(self) -> tuple[int, dict[str, int]]:
        """How a fetched statement ends, and its lines by class."""
        said = self.bursar(*FETCH, "--json")
        return said.code, {row["class"]: row["lines"] for row in said.json}

    def transfers(self) -> list[str]:
        """The provider's ids, in order."""
        rows = query(self.worker, "SELECT provider_id FROM effects ORDER BY provider_id")
        return [row.provider_id for row in rows]

    def reverse(self, transfer: str, **asked: str) -> None:
        """Take a transfer back, or a part of it."""
        path = f"/transfers/{transfer}/reversals"
        self.sandbox.as_stripe.post(path, data=asked).raise_for_status()


@pytest.fixture
def paid(bursar: Line, database_url: str, tmp_path: Path) -> Iterator[Paid]:
    settings = SandboxSettings(storage=tmp_path / "bank.sqlite")
    with running(settings) as sandbox, sandbox.stripe() as bank:
        with bursar.database.begin() as tx:
            installation.bind(tx, bank.provider, bank.account)
        for name, value in {
            "BURSAR_PAYOUT_PROVIDER": "stripe",
            "BURSAR_STRIPE_URL": f"http://127.0.0.1:{sandbox.port}",
            "BURSAR_STRIPE_API_KEY": settings.key_secret,
            "BURSAR_STRIPE_ACCOUNT": settings.stripe_account,
        }.items():
            bursar.set(name, value)
        payouts = [line(f"S-{n}", fund_account_id="acct_1", mode=None) for n in range(4)]
        with opened(database_url, "bursar_worker") as worker:
            take(bursar.database, payouts, approve=True)
            drive(worker, process(bank))
            drive(worker, follow(bank))
            assert len(ids(worker, "COMPLETED")) == 4
            yield Paid(bursar, sandbox, bank, worker)


def test_what_stripe_moved_is_what_the_books_say(paid: Paid) -> None:
    paid.sandbox.deposit(5_000)
    assert paid.classes() == (0, {"matched": 4, "deposit": 1})
    again = paid.bursar(*FETCH)
    assert (again.code, "0 new, 5 known" in again.err) == (0, True)
    lines = query(paid.worker, "SELECT balance, utr, source FROM statement_lines ORDER BY number")
    assert {row.balance for row in lines} == {None}
    assert all(row.utr for row in lines if row.source == "payout")


def test_a_reversal_the_books_have_agrees_and_one_they_have_not_is_told(paid: Paid) -> None:
    first, second, *_ = paid.transfers()
    paid.reverse(first)
    hasten(paid.worker)
    drive(paid.worker, follow(paid.bank))
    assert paid.classes() == (0, {"matched": 5})
    paid.reverse(second)
    code, classes = paid.classes()
    assert (code, classes["differs"]) == (1, 1)
    assert paid.bursar("findings", "list", "--json").json[0]["kind"] == "statement-state-differs"
    hasten(paid.worker)
    drive(paid.worker, follow(paid.bank))
    assert paid.classes() == (0, {"matched": 6})


def test_a_transfer_that_is_nobody_s_is_at_the_bank_only(paid: Paid) -> None:
    asked = {"amount": "777", "currency": "inr", "destination": "acct_9"}
    headers = {"Idempotency-Key": uuid4().hex}
    paid.sandbox.as_stripe.post("/transfers", data=asked, headers=headers).raise_for_status()
    assert paid.classes() == (1, {"matched": 4, "unmatched": 1})


def test_a_list_that_cannot_be_read_to_its_end_is_no_statement(paid: Paid) -> None:
    paid.sandbox.order("error_before", call="read", times=50)
    assert paid.bursar(*FETCH).code == 3
    assert query(paid.worker, "SELECT FROM statement_lines") == []
