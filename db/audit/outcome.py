"""What an audit by pages needs beside its statements: its size, and what it no longer sees."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db import findings
from db.tx import Tx
from domain.findings import FindingKind

DEEP_ENTRIES_MAX: Final = 2_000_000
"""Entries up to which an audit between other work recomputes what needs all of history."""


def is_small(tx: Tx) -> bool:
    """Say whether the books are small enough to be summed up in one short statement."""
    entries: int = tx.scalar(
        sa.text("SELECT CAST(coalesce(sum(entries), 0) AS bigint) FROM ledger_totals")
    )
    return entries <= DEEP_ENTRIES_MAX


_SEEN: Final = sa.text("""
    SELECT key FROM findings WHERE kind = :kind AND resolved_at IS NULL AND seen_at >= :since""")


def heal_unseen(tx: Tx, kinds: Sequence[FindingKind], since: datetime) -> list[str]:
    """Resolve open findings of `kinds` that nothing has reported since `since`; returns their keys."""
    healed = list[str]()
    for kind in kinds:
        seen = [row.key for row in tx.rows(_SEEN, kind=kind.value, since=since)]
        healed += findings.heal(tx, kind, seen)
    return healed
