"""Before a retry of what another system called failed: its provider is asked, and what it has is adopted."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from db import rate_limits
from db.payouts import proving
from db.payouts.proving import Unproven
from domain.answers import Found, LookUp, LookUpFailed, ProviderPayout, ProviderStatus
from domain.ports import Bank
from jobs import outside
from workers.banks import open_bank
from workers.cli.asking import say
from workers.cli.context import Context

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
    while left:
        take = partial(rate_limits.take, name=outside.limit(bank), wanted=len(left))
        grant = here.database().transact(take)
        if not grant.permits and grant.wait_seconds > WAIT_SECONDS_MAX:
            wait = f"for {grant.wait_seconds:.0f} s"
            say(f"the provider takes no more requests {wait}: {len(left)} were not asked about")
            return
        if not grant.permits:
            time.sleep(grant.wait_seconds)
        for one in left[: grant.permits]:
            found = bank.find(one.reference)
            here.database().transact(partial(outside.react, account=bank, answers=[found]))
            _conclude(here, one, found)
        left = left[grant.permits :]


def _conclude(here: Context, one: Unproven, found: LookUp) -> None:
    match found:
        case LookUpFailed(reason=why):
            say(f"the provider could not be asked about {one.reference}: {why}")
        case Found(payouts=()) if one.is_young:
            say(
                f"the provider has nothing under {one.reference} yet: ask again an hour after it was sent"
            )
        case Found(payouts=()):
            _proven(here, one, None)
        case Found(payouts=(paid,)) if paid.status in proving.UNPAID:
            _proven(here, one, paid)
        case Found(payouts=(paid,)) if paid.status is not ProviderStatus.PAID:
            say(
                f"the provider has {one.reference}: {paid.provider_id} is {paid.raw_status}, which is not its end"
            )
        case Found(payouts=(paid,)):
            with here.database().begin() as tx:
                state = proving.adopt(tx, one.payout, paid, actor=here.actor)
            say(
                f"the provider has {one.reference}: {paid.provider_id} is {paid.raw_status}, so it is {state}"
            )
        case Found(payouts=several):
            ids = ", ".join(paid.provider_id for paid in several)
            say(f"the provider has {len(several)} of {one.reference}: {ids}")


def _proven(here: Context, one: Unproven, paid: ProviderPayout | None) -> None:
    with here.database().begin() as tx:
        proving.was_not_paid(tx, one, paid)
