"""What an audit by pages needs beside its statements: its size, and what it no longer sees."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from db import findings
from db.invariant import Invariant, Look
from db.tx import Tx
from domain.findings import Finding, FindingKind

DEEP_ENTRIES_MAX: Final = 2_000_000
"""Entries up to which an audit between other work recomputes what needs all of history."""


def is_small(tx: Tx) -> bool:
    """Say whether the books are small enough to be summed up in one short statement."""
    entries: int = tx.scalar(
        sa.text("SELECT CAST(coalesce(sum(entries), 0) AS bigint) FROM ledger_totals")
    )
    return entries <= DEEP_ENTRIES_MAX


def told(invariant: Invariant, seen: Look, found: int, named_max: int) -> list[Finding]:
    """What a page showed, as findings; `found` offences of this promise there were so far, this page included.

    The first `named_max` have findings of their own; how many more there are is one more.
    """
    named = [
        Finding(kind=invariant.finding, subject=o.subject, detail=f"{invariant.name}: {o.detail}")
        for o in seen.offences
    ]
    if found <= named_max:
        return named
    detail = (
        f"{found} so far; the first {named_max} have findings of their own. {invariant.promise}"
    )
    return [*named, Finding(kind=invariant.finding, subject=invariant.name, detail=detail)]


_SEEN: Final = sa.text("""
    SELECT key FROM findings WHERE kind = :kind AND resolved_at IS NULL AND seen_at >= :since""")


def heal_unseen(tx: Tx, kinds: Sequence[FindingKind], since: datetime) -> list[str]:
    """Resolve open findings of `kinds` that nothing has reported since `since`; returns their keys."""
    healed = list[str]()
    for kind in kinds:
        seen = [row.key for row in tx.rows(_SEEN, kind=kind.value, since=since)]
        healed += findings.heal(tx, kind, seen)
    return healed
