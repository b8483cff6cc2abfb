"""What a provider says before a retry, written down in sets: adopted where it was paid, else kept as proof of that."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Final, Self

from db.errors import RuleBrokenError
from db.payouts import proving
from db.payouts.proving import Unproven
from domain.answers import Found, LookUp, LookUpFailed, ProviderPayout, ProviderStatus
from domain.errors import RefusedError
from domain.ports import Bank
from jobs import outside
from workers.cli.asking import say
from workers.cli.context import Context

KEPT_SECONDS: Final = 2.0
"""How long an answer waits for others to be written down with it."""
Answered = tuple[Unproven, LookUp]
"""What was asked about, and what the provider said."""


class Answers:
    """What was answered and is not written down yet: in sets, of what came within `KEPT_SECONDS`.

    One at once that may say that the provider wants fewer requests, or none; all of them whatever ends the asking.
    """

    def __init__(self, here: Context, bank: Bank) -> None:
        self.here, self.bank = here, bank
        self.since = 0.0
        self.answers: list[Answered] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.write_down()

    def add(self, one: Unproven, found: LookUp) -> None:
        """Keep one more answer."""
        if not self.answers:
            self.since = time.monotonic()
        self.answers.append((one, found))
        if isinstance(found, LookUpFailed) or time.monotonic() - self.since >= KEPT_SECONDS:
            self.write_down()

    def write_down(self) -> None:
        """React to what was answered, settle what it proves, and say what it does not."""
        answers, self.answers = self.answers, []
        if answers:
            heard = [found for _, found in answers]
            self.here.database().transact(partial(outside.react, account=self.bank, answers=heard))
            _settle_or_halve(self.here, [one for one in answers if not _says_nothing(*one)])


def _says_nothing(one: Unproven, found: LookUp) -> bool:
    """Say of an answer that proves nothing why it does not."""
    match found:
        case LookUpFailed(reason=why):
            say(f"the provider could not be asked about {one.reference}: {why}")
        case Found(payouts=()) if one.is_young:
            say(
                f"the provider has nothing under {one.reference} yet: ask again an hour after it was sent"
            )
        case Found(payouts=(paid,)) if paid.status not in {*proving.UNPAID, ProviderStatus.PAID}:
            say(
                f"the provider has {one.reference}: {paid.provider_id} is {paid.raw_status}, which is not its end"
            )
        case Found(payouts=(_, _, *_) as several):
            ids = ", ".join(paid.provider_id for paid in several)
            say(f"the provider has {len(several)} of {one.reference}: {ids}")
        case _:
            return False
    return True


def _settle_or_halve(here: Context, answers: Sequence[Answered]) -> None:
    """Settle a set in one transaction; one that breaks a rule in halves, until only the guilty answer is left out."""
    try:
        _settle(here, answers)
    except (RefusedError, RuleBrokenError) as error:
        if len(answers) == 1:
            say(f"what the provider has of {answers[0][0].reference} cannot be settled: {error}")
            return
        middle = len(answers) // 2
        _settle_or_halve(here, answers[:middle])
        _settle_or_halve(here, answers[middle:])


def _settle(here: Context, answers: Sequence[Answered]) -> None:
    """Adopt what the provider paid, and keep of all else that it did not. One payment, or none, is in each answer."""
    there = {one: paid for one, found in answers for paid in _payouts(found)}
    paid = {one: there[one] for one in there if there[one].status is ProviderStatus.PAID}
    unpaid = [(one, there.get(one)) for one, _ in answers if one not in paid]
    with here.database().begin() as tx:
        if unpaid:
            proving.were_not_paid(tx, unpaid)
        done = proving.adopt(
            tx, {one.payout: payment for one, payment in paid.items()}, actor=here.actor
        )
    for one, payment in paid.items():
        of = f"the provider has {one.reference}: {payment.provider_id} is {payment.raw_status}"
        why = done.refused.get(one.payout)
        say(f"{of}, so it is {done.states[one.payout]}" if why is None else f"{of}; {why}")


def _payouts(found: LookUp) -> Sequence[ProviderPayout]:
    return found.payouts if isinstance(found, Found) else ()
