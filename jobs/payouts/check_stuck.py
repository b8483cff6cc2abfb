"""Look for payouts that are under way for more than a day: say so, and have their provider asked now."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from db.payouts.overdue import stuck
from db.tx import Tx
from domain.findings import Finding, FindingKind
from domain.payouts import NOT_AT_PROVIDER
from jobs.payouts import overdue
from jobs.shapes import Page, Queue, Sweep

OLDER: Final = timedelta(hours=24)
"""IMPS and UPI may take T+3 working days (RazorpayX, payout life cycle): worth a look, no failure."""


class CheckStuck(Sweep):
    """Report payouts that are PROCESSING for more than 24 hours, and have their provider asked now.

    It moves no payout: whatever its age, only the provider's own answer does, through the job that asks.
    """

    name: ClassVar[str] = "payouts.check_stuck"
    queue: ClassVar[Queue] = Queue.REST
    triggerable: ClassVar[bool] = True

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Look at one page of what waits to be asked about; the last one heals what is over."""
        place = overdue.begin(tx, cursor)
        seen = stuck(tx, place.after_id, overdue.PAGE, older=OLDER, unknown=NOT_AT_PROVIDER)
        told = [
            Finding(
                kind=FindingKind.PAYOUT_NOT_AT_PROVIDER
                if row.last_error == NOT_AT_PROVIDER
                else FindingKind.PAYOUT_STUCK,
                subject=f"payout {row.subject}",
                detail=overdue.about(row),
            )
            for row in seen.rows
        ]
        kinds = (FindingKind.PAYOUT_STUCK, FindingKind.PAYOUT_NOT_AT_PROVIDER)
        return overdue.conclude(tx, place, seen, told, kinds)
