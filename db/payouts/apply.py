"""One completion function: whatever a provider says, and whoever heard it, settles through `apply`.

Follow, recover, the submit itself and webhooks each make verdicts; `apply` writes them for the whole
set, in lock order: effects and their evidence, the state by CAS, earnings, the work row, the books.
Everything after the CAS is fed from what the CAS returned.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import effects, findings, ledger
from db.effects import Outcome
from db.payouts.claim import entry
from db.payouts.details import Details, read
from db.transitions import LeasedTx, move
from db.work import Next
from domain.findings import Finding
from domain.ledger import Entry, EntryType
from domain.payouts import PAYOUTS, PayoutState


class Verdict(NamedTuple):
    """What becomes of one held payout: its effect, its state (None: stays), its work row."""

    subject: UUID
    next: Next
    outcome: Outcome | None = None
    source: PayoutState | None = None
    target: PayoutState | None = None
    reason: str | None = None
    finding: Finding | None = None


def apply(tx: LeasedTx, verdicts: Sequence[Verdict]) -> set[UUID]:
    """Write the verdicts; returns the subjects whose CAS was lost (parked, for a person to see)."""
    effects.answered(tx, [(v.subject, v.outcome) for v in verdicts if v.outcome is not None])
    moving: defaultdict[tuple[PayoutState, PayoutState], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.source is not None and verdict.target is not None:
            moving[verdict.source, verdict.target].append(verdict)
    entries: list[Entry] = []
    lost: set[UUID] = set()
    for (source, target), group in sorted(moving.items()):
        moved = _move(tx, group, source, target)
        entries += _entries(tx, moved, source, target)
        lost |= {v.subject for v in group} - set(moved)
    tx.settle([_lost(tx, v) if v.subject in lost else v.next for v in verdicts])
    findings.report(tx, [v.finding for v in verdicts if v.finding is not None])
    ledger.post(tx, entries, run=tx.holder, actor=tx.actor)
    return lost


_TOUCH: Final = sa.text("""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:reasons AS text[])) AS g (id, reason)),
    touched AS (
      UPDATE payouts p SET error = g.reason, completed_at = CASE WHEN :completed THEN clock_timestamp() ELSE p.completed_at END
      FROM given g WHERE p.id = g.id),
    unlinked AS (
      UPDATE payout_earnings l SET live = false FROM given g WHERE :releases AND l.payout = g.id AND l.live RETURNING l.earning),
    paid AS (
      SELECT l.earning FROM payout_earnings l JOIN given g ON l.payout = g.id WHERE :completed AND l.live)
    UPDATE earnings e SET state = CASE WHEN :completed THEN 'PAID' ELSE 'READY' END
    FROM (SELECT earning FROM unlinked UNION ALL SELECT earning FROM paid) x WHERE e.id = x.earning AND e.state IN ('BATCHED', 'PAID')""")


def _move(
    tx: LeasedTx, group: Sequence[Verdict], source: PayoutState, target: PayoutState
) -> list[UUID]:
    reasons = {v.subject: v.reason for v in group}
    moved = move(tx, PAYOUTS, list(reasons), source=source, target=target)
    tx.run(
        _TOUCH,
        ids=moved,
        # What was put back is not in error: its work row says what it waits for.
        reasons=[None if target is PayoutState.APPROVED else reasons[s] for s in moved],
        completed=target is PayoutState.COMPLETED,
        releases=target in {PayoutState.FAILED, PayoutState.CANCELLED, PayoutState.REVERSED},
    )
    return moved


def _entries(
    tx: LeasedTx, moved: Sequence[UUID], source: PayoutState, target: PayoutState
) -> list[Entry]:
    if not moved:
        return []
    day = ledger.today(tx)
    return [_entry(row, source, target, day) for row in read(tx, moved)]


def _entry(row: Details, source: PayoutState, target: PayoutState, day: date) -> Entry:
    match source, target:
        case PayoutState.PROCESSING, PayoutState.COMPLETED:
            return entry(row, EntryType.PAYOUT_COMPLETED, row.in_transit, row.cash, day)
        case PayoutState.PROCESSING, PayoutState.APPROVED:
            return entry(
                row, EntryType.PAYOUT_PUT_BACK, row.in_transit, row.payable, day, row.put_backs or 0
            )
        case PayoutState.PROCESSING, PayoutState.FAILED | PayoutState.CANCELLED:
            return entry(row, EntryType.PAYOUT_FAILED, row.in_transit, row.payable, day)
        case PayoutState.COMPLETED, PayoutState.REVERSED:
            return entry(row, EntryType.PAYOUT_REVERSED, row.cash, row.payable, day)
        case _:
            raise AssertionError(f"{source} to {target} has no entry")


def _lost(tx: LeasedTx, verdict: Verdict) -> Next:
    reason = f"its state was changed under the lease, from outside: expected {verdict.source}"
    return Next(subject=verdict.subject, job=tx.job(verdict.subject), parked=reason, error=reason)
