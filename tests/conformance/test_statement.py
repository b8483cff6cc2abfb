"""What any `Bank`'s statement must be: one suite for the real client on a real server, and for the fake."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from domain.answers import Accepted, ProviderPayout
from domain.effects import effect_key
from domain.errors import UnreachableError
from domain.ports import Bank, FrozenRequest, PayoutOrder
from domain.statements import Side, Source, StatementLine
from tests.fakes.bank import FakeBank
from tests.fakes.sandbox import RunningSandbox, running
from workers.sandbox.settings import SandboxSettings

INSTALLATION = UUID("9b5f0e1c-5f1f-4c7e-9c0a-0d7f9f3c2b1a")
LONG = timedelta(hours=1)


class Stage(Protocol):
    """A bank whose time may be moved, and a payout of which may come back."""

    bank: Bank
    beneficiary: str
    """A fund account that the bank pays to."""
    tells_balances: bool
    """Whether each line says what the account held after it."""

    def advance(self, by: timedelta) -> None:
        """Move the bank's time ahead."""

    def fail_next(self) -> None:
        """Let the next payout fail after its debit, once time has passed."""

    def fail(self, payout: ProviderPayout) -> None:
        """Let that time have passed."""

    def break_reads(self) -> None:
        """Let every read fail from now on."""


class FakeStage:
    """The fake."""

    beneficiary = "fa_00000000000001"
    tells_balances = True

    def __init__(self) -> None:
        self.fake = FakeBank()
        self.bank: Bank = self.fake

    def advance(self, by: timedelta) -> None:
        self.fake.advance(by)

    def fail_next(self) -> None:
        pass

    def fail(self, payout: ProviderPayout) -> None:
        self.fake.advance(LONG)
        self.fake.settle(payout.reference or "", "failed")

    def break_reads(self) -> None:
        self.fake.unreachable = "down"


class RealStage:
    """The real client, HTTP, the real sandbox."""

    beneficiary = "fa_00000000000001"
    tells_balances = True

    def __init__(self, sandbox: RunningSandbox, bank: Bank) -> None:
        self.sandbox, self.bank = sandbox, bank

    def advance(self, by: timedelta) -> None:
        self.sandbox.advance(by.total_seconds())

    def fail_next(self) -> None:
        self.sandbox.order("fail")

    def fail(self, payout: ProviderPayout) -> None:
        self.sandbox.advance(LONG.total_seconds())

    def break_reads(self) -> None:
        self.sandbox.order("error_before", call="read", times=100)


class StripeStage(RealStage):
    """The same of Stripe, which has no running balance; a transfer cannot fail, and comes back as a reversal."""

    beneficiary = "acct_00000000000001"
    tells_balances = False

    def fail_next(self) -> None:
        self.sandbox.order("reverse")


@pytest.fixture(params=["client", "stripe", "fake"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Each bank there is."""
    if request.param == "fake":
        yield FakeStage()
        return
    settings = SandboxSettings(storage=tmp_path / "bank.sqlite", process_seconds=60.0)
    with ExitStack() as stack:
        sandbox = stack.enter_context(running(settings))
        if request.param == "stripe":
            yield StripeStage(sandbox, stack.enter_context(sandbox.stripe(timeout_seconds=2.0)))
        else:
            yield RealStage(sandbox, stack.enter_context(sandbox.client(timeout_seconds=2.0)))


def pay(stage: Stage, amount_minor: int = 125_050) -> ProviderPayout:
    bank = stage.bank
    order = PayoutOrder(
        reference=str(uuid4()),
        amount_minor=amount_minor,
        currency="INR",
        fund_account_id=stage.beneficiary,
        mode="IMPS",
        purpose="payout",
        narration="Weekly payout",
    )
    answer = bank.submit(
        FrozenRequest(
            key=effect_key(INSTALLATION, "payout.submit", UUID(order.reference), 1).hex,
            body=bank.freeze(order),
            reference=order.reference,
            amount_minor=amount_minor,
            currency="INR",
            fund_account_id=order.fund_account_id,
        )
    )
    assert isinstance(answer, Accepted)
    return answer.payout


def follows(stage: Stage, before: StatementLine, line: StatementLine) -> bool:
    """Whether a balance follows from the one before; one that is not told is not made up."""
    if stage.tells_balances:
        assert before.balance_minor is not None
        return before.balance_minor + line.change == line.balance_minor
    return before.balance_minor is line.balance_minor is None


def whole(bank: Bank, since: datetime) -> list[StatementLine]:
    return list(bank.statement(since - LONG, since + timedelta(days=1)))


def test_a_payout_is_a_debit_of_its_amount_under_its_name(stage: Stage) -> None:
    paid = pay(stage)
    [line] = whole(stage.bank, paid.created_at)
    assert (line.side, line.amount_minor, line.currency) == (Side.DEBIT, 125_050, "INR")
    assert (line.source, line.source_id) == (Source.PAYOUT, paid.provider_id)
    assert line.account == stage.bank.account
    assert abs(line.occurred_at - paid.created_at) <= timedelta(seconds=1)


def test_what_comes_back_is_a_credit_under_the_name_of_its_payout(stage: Stage) -> None:
    stage.fail_next()
    paid = pay(stage)
    stage.fail(paid)
    debit, credit = whole(stage.bank, paid.created_at)
    assert (debit.side, credit.side) == (Side.DEBIT, Side.CREDIT)
    assert (credit.source, credit.source_id) == (Source.REVERSAL, paid.provider_id)
    assert credit.amount_minor == debit.amount_minor
    assert credit.occurred_at > debit.occurred_at
    assert follows(stage, debit, credit)


def test_every_line_of_a_time_is_told_once_oldest_first_end_excluded(stage: Stage) -> None:
    """Over the end of a page, and within one second: balances follow from one another throughout."""
    paid: list[ProviderPayout] = []
    for _ in range(2):
        paid += [pay(stage, 100 + number) for number in range(115)]
        stage.advance(timedelta(seconds=3))
    lines = whole(stage.bank, paid[0].created_at)
    assert sorted(line.source_id or "" for line in lines) == sorted(p.provider_id for p in paid)
    for before, line in pairwise(lines):
        assert before.occurred_at <= line.occurred_at
        assert follows(stage, before, line)
    last = max(line.occurred_at for line in lines)
    seen = list(stage.bank.statement(lines[0].occurred_at, last))
    assert seen == [line for line in lines if line.occurred_at < last]


def test_a_statement_that_cannot_be_read_to_its_end_is_none(stage: Stage) -> None:
    paid = pay(stage)
    stage.break_reads()
    with pytest.raises(UnreachableError):
        whole(stage.bank, paid.created_at)
