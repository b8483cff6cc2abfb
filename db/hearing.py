"""Whether the bound provider still tells us of payouts, or only ever answers: a few index probes, whatever the history."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from db.tx import Tx
from domain.payouts import FOLLOW

SILENT_AFTER: Final = timedelta(hours=6)
"""How long no event may come while payouts are paid; providers try one again for a day."""
PAID_MIN: Final = 10
"""Payouts that must have been paid meanwhile, so that a quiet night is no finding."""
EXPECTED_FOR: Final = timedelta(days=7)
"""How long one who was heard is expected to go on, by processes that were given no secret."""
LOOKED_AT_MAX: Final = 500
LOOKED_AFTER: Final = timedelta(days=1)
"""When a payout that was just paid is looked at next: that is how it is found here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the bound provider told of late. `paid` counts up to `LOOKED_AT_MAX` payouts since, heard of or not."""

    provider: str
    at: datetime | None
    """When its last valid event came; None where none ever did."""
    is_late: bool
    """It is `SILENT_AFTER` ago, or longer."""
    is_expected: bool
    """It is less than `EXPECTED_FOR` ago."""
    paid: int

    @property
    def is_silent(self) -> bool:
        """Whether payouts go on being paid without a word of it."""
        return self.is_late and self.paid >= PAID_MIN


_HEARD: Final = sa.text("""
    SELECT i.provider, h.created_at AS at,
           coalesce(h.created_at < clock_timestamp() - CAST(:silent AS interval), true) AS is_late,
           coalesce(h.created_at > clock_timestamp() - CAST(:expected AS interval), false) AS is_expected
    FROM installation i
    LEFT JOIN LATERAL (
      SELECT e.created_at FROM inbox e WHERE e.provider = i.provider ORDER BY e.created_at DESC LIMIT 1) h ON true
    WHERE i.provider IS NOT NULL""")

_PAID: Final = sa.text("""
    -- What was just paid is looked at a day later: it is found at the far end of what waits for that.
    WITH latest AS MATERIALIZED (
      SELECT w.subject FROM work w
      WHERE w.job = :job
        AND coalesce(w.leased_until, w.due_at) > clock_timestamp() + CAST(:looked AS interval) - CAST(:silent AS interval)
        AND coalesce(w.leased_until, w.due_at) < 'infinity'
      ORDER BY coalesce(w.leased_until, w.due_at) DESC LIMIT :limit)
    SELECT count(*) AS paid FROM latest l
    JOIN payouts p ON p.id = l.subject
    WHERE p.state = 'COMPLETED' AND p.completed_at > clock_timestamp() - CAST(:silent AS interval)""")


def heard(tx: Tx) -> Heard | None:
    """What the bound provider told of late; None where no provider is bound."""
    row = tx.row(_HEARD, silent=SILENT_AFTER, expected=EXPECTED_FOR)
    if row is None:
        return None
    return Heard(**row._asdict(), paid=paid_of_late(tx) if row.is_late else 0)


def paid_of_late(tx: Tx) -> int:
    """How many payouts were paid within `SILENT_AFTER`, among the `LOOKED_AT_MAX` that are looked at last."""
    asked = {"job": FOLLOW, "silent": SILENT_AFTER, "looked": LOOKED_AFTER, "limit": LOOKED_AT_MAX}
    return int(tx.scalar(_PAID, **asked))
