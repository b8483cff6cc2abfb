"""Compare every payout the bank made lately with ours, page by page; then let workers go on.

Not a job of the catalog: after a restore no run is started until this is through.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from db import reconcile
from db.engine import Database
from db.reconcile import Matches
from domain.batching import BatchPolicy
from domain.errors import BadInputError
from domain.ports import Bank
from domain.tax import Withholding
from jobs.payouts import provider

PAGE: Final = 500
WINDOW_SECONDS: Final = 600.0
"""The oldest open send is looked for among everything that waits: once, before anything is claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The window that was compared, and what its transfers are to us."""

    start: datetime
    end: datetime
    matches: Matches


Told = Callable[[int], None]
"""Told how many more transfers are compared."""


def reconcile_effects(
    database: Database,
    bank: Bank,
    *,
    actor: str,
    withholding: Withholding | None = None,
    batch: BatchPolicy | None = None,
    since: datetime | None = None,
    told: Told = lambda _: None,
) -> Compared:
    """Compare from `since` (None: from the oldest send that may be lost) until now.

    Raises `BadInputError` where `since` is later than a send that may be lost: what was not
    compared must not let workers go on. Raises `UnreachableError` where the bank's list cannot be
    read to its end: what was compared stays, and workers stay held back until a whole comparison
    was made.
    """
    with database.begin(WINDOW_SECONDS) as tx:
        start, end = reconcile.window(tx)
    if since is not None and since > start:
        rule = f"must not be later than {start:%Y-%m-%dT%H:%M:%SZ}: sends since then may be lost"
        raise BadInputError("--since", since.isoformat(), rule)
    start = start if since is None else since
    matches = Matches()
    transfers = iter(bank.payouts_between(start, end))
    while page := list(islice(transfers, PAGE)):
        known = provider.of(bank, withholding, batch)
        compare = partial(reconcile.compare, provider=known, transfers=page, actor=actor)
        matches += database.transact(compare)
        told(len(page))
    database.transact(partial(reconcile.finish, who=actor))
    return Compared(start=start, end=end, matches=matches)
