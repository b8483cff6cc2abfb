"""The audit: every promise about the data, each with the statement that finds what breaks it.

`run` checks everything, for `bursar audit` and the demo; the sweep `upkeep.audit` takes the same
list a page at a time. Nothing here repairs anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from db.audit import books, outside, seals, waiting
from db.cash.controls import CONTROLS_FIT
from db.engine import Database
from db.families import FAMILIES
from db.invariant import Invariant, Look, Offence, look

__all__ = ["INVARIANTS", "Invariant", "Look", "Offence", "Result", "look", "run"]

INVARIANTS: Final[tuple[Invariant, ...]] = (
    books.ENTRIES_HAVE_POSTINGS,
    books.POSTINGS_KEEP_THE_RULES,
    books.BALANCES_ARE_THEIR_POSTINGS,
    books.BOUNDED_ARE_NOT_BELOW_ZERO,
    books.CURRENCIES_BALANCE,
    books.TOTALS_ARE_THEIR_ENTRIES,
    CONTROLS_FIT,
    seals.SEALS_FIT_THEIR_ENTRIES,
    *(promise for family in FAMILIES for promise in family.promises),
    outside.KEYS_ARE_MADE_BY_RULE,
    outside.PAYMENTS_ARE_NAMED_ONCE,
    waiting.WORK_HAS_A_SUBJECT,
    waiting.RUNNING_IS_LEASED,
    waiting.TICKS_HAVE_THEIR_RUN,
)

OFFENCES_MAX: Final = 100
"""Offences of one invariant that are named; the rest are counted."""
STATEMENT_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One invariant: how many things were looked at, how many broke it, and the first of them."""

    name: str
    promise: str
    looked_at: int
    found: int
    offences: tuple[Offence, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        return self.found == 0


Told = Callable[[Invariant], None]
"""Told which invariant is next."""


def run(
    database: Database,
    page: int = 5000,
    invariants: Sequence[Invariant] = INVARIANTS,
    told: Told = lambda _: None,
) -> list[Result]:
    """Check everything, in short transactions of one page each; recomputes sums from all postings."""
    results = []
    for invariant in invariants:
        told(invariant)
        results.append(_check(database, invariant, page))
    return results


def _check(database: Database, invariant: Invariant, page: int) -> Result:
    looked_at, found, offences = 0, 0, list[Offence]()
    after: str | None = None
    while True:
        most = max(1, OFFENCES_MAX - len(offences))
        with database.begin(STATEMENT_SECONDS) as tx:
            seen = look(tx, invariant, after=after, page=page, most=most, deep=True)
        looked_at, found = looked_at + seen.looked_at, found + seen.found
        offences += seen.offences
        if seen.after is None:
            break
        after = seen.after
    return Result(
        name=invariant.name,
        promise=invariant.promise,
        looked_at=looked_at,
        found=found,
        offences=tuple(offences[:OFFENCES_MAX]),
    )
