"""Hold the cash of obligations against the books: one check after another, each by itself, by one moment."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from db import findings
from db.audit import outcome
from db.cash import looking
from db.cash.checks import CHECKS, Check
from db.clock import now
from db.invariant import Look
from db.tx import Tx
from domain.findings import Finding, FindingKind, key_of
from domain.tally import Count, Tally
from jobs.shapes import Page, Queue, Sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a reconciliation has come: the moment it judges by, which check, after which key, what it found of it."""

    since: str
    deep: bool
    at: int = 0
    after: str | None = None
    found: int = 0


class ReconcileCash(Sweep):
    """Report what of borrowers' money is not where it should be: it moves nothing, and posts nothing.

    What a check sees no longer is resolved at its end. A check that cannot be made is reported, and stops no other.
    """

    name: ClassVar[str] = "cash.reconcile"
    queue: ClassVar[Queue] = Queue.REST
    triggerable: ClassVar[bool] = True

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Look at one page of one check; its last one heals."""
        place = Place(**cursor) if cursor else _begin(tx)
        check = CHECKS[place.at]
        seen = looking.attempt(
            tx,
            check,
            after=place.after,
            most=max(1, check.named_max - place.found),
            deep=place.deep,
            now=datetime.fromisoformat(place.since),
        )
        if isinstance(seen, str):
            findings.report(tx, [_failed(check, seen)])
            return Page(cursor=_next(place), tally=Tally({Count.FAILED: 1}))
        told = outcome.told(check.promise, seen, place.found + seen.found, check.named_max)
        findings.report(tx, told)
        if seen.after is None:
            _conclude(tx, check, place, place.found + seen.found)
        tally = Tally({Count.PROCESSED: seen.looked_at, Count.FAILED: seen.found})
        return Page(cursor=_next(place, seen), tally=tally)


def _begin(tx: Tx) -> Place:
    return Place(since=now(tx).isoformat(), deep=looking.is_small(tx))


def _next(place: Place, seen: Look | None = None) -> dict[str, Any] | None:
    """The place after this page; of a check that is over, or could not be made, the next check."""
    if seen is not None and seen.after is not None:
        return asdict(replace(place, after=seen.after, found=place.found + seen.found))
    if place.at + 1 == len(CHECKS):
        return None
    return asdict(replace(place, at=place.at + 1, after=None, found=0))


def _conclude(tx: Tx, check: Check, place: Place, found: int) -> None:
    """Resolve what this check saw no longer; sums that were not made see nothing.

    Beyond those that have findings of their own it names none, so that what has one may be true still.
    """
    findings.cease(tx, [key_of(FindingKind.CASH_CHECK_FAILED, check.promise.name)])
    kind = check.promise.finding
    if found > check.named_max:
        return
    if place.deep or kind is not FindingKind.CONTROLS_DRIFT:
        outcome.heal_unseen(tx, [kind], datetime.fromisoformat(place.since))


def _failed(check: Check, why: str) -> Finding:
    return Finding(
        kind=FindingKind.CASH_CHECK_FAILED,
        subject=check.promise.name,
        detail=f"{why}. {check.promise.promise}",
    )
