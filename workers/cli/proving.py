"""Before a retry of what another system called failed: its provider is asked, and what it has is adopted."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from db import rate_limits
from db.payouts import proving
from db.payouts.proving import Unproven
from domain.ports import Bank
from jobs import outside
from workers.banks import open_bank
from workers.cli.asking import say
from workers.cli.context import Context
from workers.cli.proven import KEPT_SECONDS, Answers

WAIT_SECONDS_MAX: Final = 10.0
"""How long a shell waits until its provider may be asked again; a provider that wants longer is asked another time."""


def prove(here: Context, payouts: Sequence[UUID]) -> None:
    """Ask the provider about those of `payouts` that failed by another system's word alone.

    What it does not have, or has as not paid, is proven to have failed; what it has is settled; of what
    cannot be told nothing is changed, and a retry is refused.
    """
    with here.database().begin() as tx:
        asked = proving.unproven(tx, payouts)
    if not asked:
        return
    with open_bank(here.settings) as bank:
        if bank is None:
            say("no payout provider is configured to ask: set BURSAR_PAYOUT_PROVIDER")
            return
        _ask(here, bank, asked)


def _ask(here: Context, bank: Bank, asked: Sequence[Unproven]) -> None:
    """Ask about each under the limit of the provider's account, which workers and shells share."""
    left = list(asked)
    with Answers(here, bank) as answers:
        while left:
            take = partial(rate_limits.take, name=outside.limit(bank), wanted=len(left))
            grant = here.database().transact(take)
            if not grant.permits and grant.wait_seconds > WAIT_SECONDS_MAX:
                wait = f"for {grant.wait_seconds:.0f} s"
                say(f"the provider takes no more requests {wait}: {len(left)} were not asked about")
                return
            if grant.wait_seconds > KEPT_SECONDS:
                answers.write_down()
            if not grant.permits:
                time.sleep(grant.wait_seconds)
            for one in left[: grant.permits]:
                answers.add(one, bank.find(one.reference))
            left = left[grant.permits :]
