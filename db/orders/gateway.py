"""What a claim needs of a payment gateway, and what it may do about an order that was asked for before."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from db.work import CLAIMS_MAX, Held
from domain.ports import OrderAsk


class Gateway(NamedTuple):
    """Whose effects they are, how an order's request is made, and how long what holds."""

    name: str
    account: str
    freeze: Callable[[OrderAsk], str]
    key_seconds: float
    """How long a key is trusted to make one order; 0 where orders have none."""
    grace: timedelta
    """How long finding nothing says nothing."""
    forgets: bool
    """Whether it can be told to forget an order."""


def why_parked(
    gateway: Gateway, held: Held, provider: str | None, *, may_be_there: bool
) -> str | None:
    """Why a person must look at a claimed order instead of the gateway; None: it may be asked."""
    if provider not in {None, gateway.name}:
        return f"it is an order of {provider}, and {gateway.name} is what customers pay by here"
    # One that is worn is only looked for, which changes nothing; if that too kills its worker, it ends here.
    if held.claims > (2 * CLAIMS_MAX if may_be_there else CLAIMS_MAX):
        return f"claimed {held.claims - 1} times without a settle"
    return None
