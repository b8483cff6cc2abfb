"""Check every promise about the data in the background, a page at a time; what breaks one is a finding."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Final

from db import audit, findings
from db.audit import INVARIANTS, Look, outcome
from db.clock import now
from db.tx import Tx
from domain.findings import FindingKind
from domain.tally import Count, Tally
from jobs.shapes import Page, Queue, Sweep

PAGE: Final = 2000
NAMED_MAX: Final = 100
"""Offences of one promise that become findings of their own; the rest are counted in one more."""
KINDS: Final = tuple(sorted({invariant.finding for invariant in INVARIANTS}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far an audit has come: which promise, after which key, and what it has found of it."""

    since: str
    deep: bool
    at: int = 0
    after: str | None = None
    found: int = 0


class AuditBooks(Sweep):
    """Check the books and the work against every promise, and report what breaks one.

    It repairs nothing. What it no longer sees at the end of a whole audit heals. Sums over all of
    history are recomputed only while the books are small; `bursar audit` always does.
    """

    name: ClassVar[str] = "upkeep.audit"
    queue: ClassVar[Queue] = Queue.REST
    triggerable: ClassVar[bool] = True

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Check one page of one promise; the last one heals."""
        place = Place(**cursor) if cursor else _begin(tx)
        invariant = INVARIANTS[place.at]
        named = max(1, NAMED_MAX - place.found)
        seen = audit.look(tx, invariant, after=place.after, page=PAGE, most=named, deep=place.deep)
        told = outcome.told(invariant, seen, place.found + seen.found, NAMED_MAX)
        findings.report(tx, told)
        tally = Tally({Count.PROCESSED: seen.looked_at, Count.FAILED: seen.found})
        follows = _next(place, seen)
        if follows is None:
            outcome.heal_unseen(tx, _healable(place), datetime.fromisoformat(place.since))
        return Page(cursor=None if follows is None else asdict(follows), tally=tally)


def _begin(tx: Tx) -> Place:
    return Place(since=now(tx).isoformat(), deep=outcome.is_small(tx))


def _next(place: Place, seen: Look) -> Place | None:
    if seen.after is not None:
        return replace(place, after=seen.after, found=place.found + seen.found)
    if place.at + 1 == len(INVARIANTS):
        return None
    return replace(place, at=place.at + 1, after=None, found=0)


def _healable(place: Place) -> list[FindingKind]:
    """Drift that only a deep audit sees is not healed by another."""
    return [kind for kind in KINDS if place.deep or kind is not FindingKind.BOOKS_DRIFT]
