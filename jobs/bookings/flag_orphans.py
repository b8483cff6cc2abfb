"""Payments that were captured when their seat was gone: a refund of each is proposed, and said until it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from db import findings
from db.audit import outcome
from db.bookings.orphans import orphans
from db.clock import now
from db.refunds.reserve import propose_orphans
from db.tx import Row, Tx
from domain.findings import Finding, FindingKind
from domain.money import Minor, Money
from domain.tally import Count, Tally
from jobs.shapes import Page, Queue, Sweep

PAGE: Final = 1000
NAMED_MAX: Final = 100
"""Orphans of one sweep that become findings of their own; the rest are counted in one more."""
KIND: Final = FindingKind.PAYMENT_ORPHANED


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far the walk has come."""

    since: str
    after: str | None = None
    found: int = 0


class FlagOrphans(Sweep):
    """Propose to give back what was captured when its seat was gone, and report it until that is done."""

    name: ClassVar[str] = "bookings.flag_orphans"
    queue: ClassVar[Queue] = Queue.REST
    triggerable: ClassVar[bool] = True

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Propose the refunds of one page of orphans, and report them; the last one heals what is given back."""
        place = Place(**cursor) if cursor else Place(since=now(tx).isoformat())
        rows = orphans(tx, None if place.after is None else UUID(place.after), PAGE)
        propose_orphans(tx, [row.id for row in rows], by=self.name)
        findings.report(tx, _told(rows, place.found))
        tally = Tally({Count.PROCESSED: len(rows), Count.WAITING: len(rows)})
        if len(rows) < PAGE:
            outcome.heal_unseen(tx, (KIND,), datetime.fromisoformat(place.since))
            return Page(cursor=None, tally=tally)
        found = place.found + len(rows)
        follows = Place(since=place.since, after=str(rows[-1].id), found=found)
        return Page(cursor=asdict(follows), tally=tally)


def _told(rows: Sequence[Row], before: int) -> list[Finding]:
    named = [
        Finding(kind=KIND, subject=f"payment {row.id}", detail=_about(row))
        for row in rows[: max(0, NAMED_MAX - before)]
    ]
    if before + len(rows) > NAMED_MAX:
        detail = f"{before + len(rows)} so far; the first {NAMED_MAX} have findings of their own"
        named.append(Finding(kind=KIND, subject="payments", detail=detail))
    return named


def _about(row: Row) -> str:
    amount = Money(minor=Minor(row.amount), currency=row.currency)
    return (
        f"{amount} captured {row.paid_at:%Y-%m-%d %H:%M} UTC for booking {row.booking}, "
        f"which is {row.booking_state}: to be given back"
    )
