"""The banks of the conformance suite, each with the hand that orders what goes wrong with it."""

from datetime import timedelta
from typing import Final, Protocol

from domain.answers import ProviderStatus
from domain.ports import Bank
from tests.fakes.bank import FakeBank
from tests.fakes.sandbox import RunningSandbox
from workers.sandbox.faults import Fault

LAG: Final = timedelta(seconds=30)
"""How long a bank's search by reference does not see a new payout."""


class Stage(Protocol):
    """A bank, and the hand that orders what goes wrong with it."""

    bank: Bank
    beneficiary: str
    """A fund account that the bank pays to."""
    accepted: ProviderStatus
    """Where a payout is when it was just accepted."""
    stores_errors: bool
    """Whether the answer to a key is kept, a 500 after the payment too."""

    def order(self, fault: Fault) -> None:
        """Let the next send meet `fault`."""

    def advance(self, by: timedelta) -> None:
        """Move the bank's time ahead."""

    def times_paid(self) -> int:
        """Return how many transfers the bank made in all."""

    def break_reads(self) -> None:
        """Let every read fail from now on."""

    def let_reads_pass(self, count: int) -> None:
        """Let so many reads, of a page of 100 each, come to their end; of the next there is none."""


class FakeStage:
    """The fake."""

    beneficiary = "fa_00000000000001"
    accepted = ProviderStatus.UNDER_WAY
    stores_errors = False

    def __init__(self) -> None:
        self.fake = FakeBank(index_lag=LAG)
        self.bank: Bank = self.fake

    def order(self, fault: Fault) -> None:
        self.fake.script(fault)

    def advance(self, by: timedelta) -> None:
        self.fake.advance(by)

    def times_paid(self) -> int:
        return len(self.fake.transfers)

    def break_reads(self) -> None:
        self.fake.unreachable = "down"

    def let_reads_pass(self, count: int) -> None:
        self.fake.shown_max = 100 * count


class RealStage:
    """The real client of RazorpayX, HTTP, the real sandbox."""

    beneficiary = "fa_00000000000001"
    accepted = ProviderStatus.UNDER_WAY
    stores_errors = False

    def __init__(self, sandbox: RunningSandbox, bank: Bank) -> None:
        self.sandbox = sandbox
        self.bank = bank

    def order(self, fault: Fault) -> None:
        self.sandbox.order(fault)

    def advance(self, by: timedelta) -> None:
        self.sandbox.advance(by.total_seconds())

    def times_paid(self) -> int:
        return int(self.sandbox.summary()["transfers"])

    def break_reads(self) -> None:
        self.sandbox.order("error_before", call="read", times=100)

    def let_reads_pass(self, count: int) -> None:
        self.sandbox.order(None, call="read", times=count)
        self.sandbox.order("hang", call="read", times=100)


class StripeStage(RealStage):
    """The same of Stripe."""

    beneficiary = "acct_00000000000001"
    accepted = ProviderStatus.PAID
    stores_errors = True
