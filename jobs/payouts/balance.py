"""Whether the provider's account holds enough for what is due: asked once, before anything is claimed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from db import findings, switches
from db.clock import now
from db.payouts.due import due_amounts
from db.tx import Tx
from domain.answers import Balance, LookUpFailed
from domain.errors import UnreachableError
from domain.findings import Finding, FindingKind
from domain.money import format_major
from domain.payouts import ORG_PROCESS, PROCESS
from domain.ports import Bank
from domain.switches import HOLD_BALANCE, HOLD_ORG_BALANCE
from jobs import outside
from jobs.shapes import Preflight

HOLDS: Final = {PROCESS: HOLD_BALANCE, ORG_PROCESS: HOLD_ORG_BALANCE}
"""The switch that holds each sender back while there is too little for it."""
ASKED_AGAIN: Final = timedelta(minutes=5)
"""How long nothing is sent before the provider is asked again."""

Amounts = Mapping[str, int]


class EnoughBalance(Preflight[Amounts, Balance]):
    """Holds everything back where the account is known to hold less than what is due.

    What nobody knows holds nothing back: payouts that a provider has no money for, it queues.

    People and organisations are looked at apart, so that what is too much for one keeps nothing back of the other.
    Two runs at once may so each see enough where the sum is too much: RazorpayX queues what it has no money for
    (`queue_if_low_balance`), Stripe refuses it, which fails that payout and sets the brake. Nothing is paid twice.
    """

    def __init__(self, bank: Bank, *, job: str) -> None:
        self.bank, self.job, self.hold = bank, job, HOLDS[job]

    def look(self, tx: Tx, only: Sequence[UUID] | None) -> Amounts | None:
        """What is due by currency."""
        return due_amounts(tx, self.job, only) or None

    def ask(self, seen: Amounts) -> Balance:
        """Read the balance. Raises `UnreachableError` where nobody knows it: the run warns, and goes on."""
        heard = self.bank.balance()
        if isinstance(heard, LookUpFailed):
            raise UnreachableError(
                f"the balance at {self.bank.provider} is not known: {heard.reason}"
            )
        return heard

    def conclude(self, tx: Tx, seen: Amounts, heard: Balance) -> str | None:
        """Too little turns the job's hold on for a while, and tells a person."""
        short = _short(seen, heard.available)
        told = Finding(
            kind=FindingKind.BALANCE_INSUFFICIENT,
            subject=f"{self.job} at {outside.limit(self.bank)}",
            detail=short or "",
        )
        if short is None:
            findings.cease(tx, [told.key])
            return None
        findings.report(tx, [told])
        until = now(tx) + ASKED_AGAIN
        switches.turn(tx, self.hold, on=True, who="bursar", why=short, until=until)
        return short


def _short(due: Amounts, available: Amounts) -> str | None:
    """Say which currency there is too little of. One that the account does not have says nothing of itself."""
    short = [
        f"the account holds {format_major(available[currency], currency)} {currency}, "
        f"{format_major(minor, currency)} are due"
        for currency, minor in due.items()
        if currency in available and available[currency] < minor
    ]
    return "; ".join(short) or None
