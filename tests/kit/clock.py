"""Time as a test wants it: the database's clock goes on unseen, and everything that waits is moved instead.

Nothing waits for less than a second here, so between two moves time stands still for the product.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from db.engine import Database
from tests.builders import change

WAITS: Final = {
    "work": ("due_at", "leased_until", "waiting_since"),
    "leases": ("leased_until",),
    "runs": ("due_at",),
    "effects": ("first_sent_at", "updated_at"),
    "inbox": ("created_at",),
    "rate_limits": ("full_at", "cut_until", "stopped_until"),
    "payouts": ("approved_at", "completed_at"),
    "bookings": ("updated_at",),
    "payments": ("expires_at", "paid_at"),
    "seats": ("updated_at",),
    "appointments": ("starts_at", "ends_at"),
    "waitlist": ("joined_at", "expires_at"),
    "mails": ("good_until",),
    "obligations": ("updated_at",),
    "schedule_progress": ("accounted_until", "next_tick_at"),
    "workers": ("beat_at",),
}
"""Every time that something is compared with; what history holds stays."""
DECADE: Final = timedelta(days=3652)


@dataclass(frozen=True)
class FrozenClock:
    """Stands still until it is told to go on."""

    owner: Database

    def forward(self, by: timedelta) -> None:
        """Let so much time pass for everything that waits, is leased or may be too old."""
        for table, columns in WAITS.items():
            moved = ", ".join(f"{column} = {column} - :by" for column in columns)
            change(self.owner, f"UPDATE {table} SET {moved}", by=by)  # noqa: S608  names of this list
        # By way of another decade: a slot must not lie where one that is moved later still is.
        for step in (by + DECADE, -DECADE):
            statement = "UPDATE slots SET starts_at = starts_at - :by, ends_at = ends_at - :by"
            change(self.owner, statement, by=step)
