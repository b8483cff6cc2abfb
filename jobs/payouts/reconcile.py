"""Hold what waits against what its provider said last: long under way, or paid here and not there."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from db.payouts.overdue import to_reconcile
from db.tx import Tx
from domain.findings import Finding, FindingKind
from domain.payouts import PayoutState
from domain.provider_words import PAID_WORDS
from jobs.payouts import overdue
from jobs.shapes import Page, Queue, Sweep

OLDER: Final = timedelta(hours=48)
YOUNGER: Final = timedelta(days=30)
"""What is older than this is no matter of asking again; it stays a finding of `payouts.check_stuck`."""


class ReconcilePayouts(Sweep):
    """Have the provider asked again about payouts under way for two days, and report those it does not call paid.

    It only reports and pulls forward; `payouts.follow` hears the answer and concludes.
    """

    name: ClassVar[str] = "payouts.reconcile"
    queue: ClassVar[Queue] = Queue.REST
    triggerable: ClassVar[bool] = True

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Look at one page of what waits to be asked about; the last one heals what is over."""
        place = overdue.begin(tx, cursor)
        seen = to_reconcile(
            tx,
            place.after_id,
            overdue.PAGE,
            older=OLDER,
            younger=YOUNGER,
            paid=PAID_WORDS,
        )
        kind = FindingKind.PAYOUT_STATUS_DIFFERS
        told = [
            Finding(
                kind=kind,
                subject=f"payout {row.subject}",
                detail=f"its provider last said {row.status!r}; {overdue.about(row)}",
            )
            for row in seen.rows
            if row.state == PayoutState.COMPLETED
        ]
        return overdue.conclude(tx, place, seen, told, (kind,))
