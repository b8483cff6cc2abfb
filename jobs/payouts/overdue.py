"""What the jobs that look for overdue payouts share: a place in the walk, findings up to a bound, an end that heals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from db import findings
from db.audit import outcome
from db.clock import now
from db.payouts.overdue import Overdue, pull_forward
from db.tx import Row, Tx
from domain.findings import Finding, FindingKind
from domain.tally import Count, Tally
from jobs.shapes import Page

PAGE: Final = 1000
NAMED_MAX: Final = 100
"""Payouts of one sweep that become findings of their own; the rest are counted in one more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a walk through what waits has come."""

    since: str
    after: str | None = None
    found: int = 0

    @property
    def after_id(self) -> UUID | None:
        """The last payout looked at."""
        return None if self.after is None else UUID(self.after)


def begin(tx: Tx, cursor: Mapping[str, Any]) -> Place:
    """Where the walk goes on; a new one notes when it began."""
    return Place(**cursor) if cursor else Place(since=now(tx).isoformat())


def conclude(
    tx: Tx,
    place: Place,
    seen: Overdue,
    told: Sequence[Finding],
    kinds: Sequence[FindingKind],
) -> Page:
    """Report `told`, let `seen` be asked about now; at the end of the walk heal what it did not see."""
    found = place.found + len(told)
    named = list(told[: max(0, NAMED_MAX - place.found)])
    if found > NAMED_MAX:
        detail = f"{found} so far; the first {NAMED_MAX} have findings of their own"
        named.append(Finding(kind=kinds[0], subject="payouts", detail=detail))
    findings.report(tx, named)
    pulled = len(pull_forward(tx, [row.subject for row in seen.rows]))
    tally = Tally(
        {
            Count.PROCESSED: seen.looked_at,
            Count.WAITING: len(seen.rows),
            Count.SUCCEEDED: pulled,
        }
    )
    if seen.after is None:
        outcome.heal_unseen(tx, kinds, datetime.fromisoformat(place.since))
        return Page(cursor=None, tally=tally)
    follows = Place(since=place.since, after=str(seen.after), found=found)
    return Page(cursor=asdict(follows), tally=tally)


def about(row: Row) -> str:
    """Where one payout stands, in words."""
    named = (
        f"the provider's {row.provider_id}" if row.provider_id else "the provider has not named it"
    )
    said = f", after: {row.last_error}" if row.last_error else ""
    parked = f"; parked: {row.parked_reason}" if row.parked_reason else ""
    return f"{row.state} since {row.first_sent_at:%Y-%m-%d %H:%M} UTC, {named}, waits for {row.job}{said}{parked}"
