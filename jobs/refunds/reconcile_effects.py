"""Compare every refund that the gateway made lately with ours, page by page, before workers go on after a restore."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from db import reconcile
from db.engine import Database
from db.reconcile import Matches
from db.refunds import restored
from domain.ports import Payments
from jobs.refunds import gateway

PAGE: Final = 500
WINDOW_SECONDS: Final = 600.0
"""The oldest open send is looked for among everything that waits: once, before anything is claimed."""


def reconcile_refunds(
    database: Database,
    payments: Payments | None,
    *,
    actor: str,
    since: datetime | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> Matches:
    """Compare from the oldest send that may be lost, or from `since` where that is earlier, until now.

    Where customers pay by no gateway there is nothing to compare. Lets nobody go on: that is for whoever compares
    the payouts after this. Raises `UnreachableError` where the list cannot be read to its end: what was compared stays.
    """
    if payments is None:
        return Matches()
    with database.begin(WINDOW_SECONDS) as tx:
        start, end = reconcile.window(tx)
    first = start if since is None else min(since, start)
    matches, known = Matches(), gateway.of(payments)
    refunds = iter(payments.refunds_between(first, end))
    while page := list(islice(refunds, PAGE)):
        compare = partial(restored.compare, gateway=known, refunds=page, actor=actor)
        matches += database.transact(compare)
        told(len(page))
    return matches
