"""One function settles refunds: whatever a gateway says, and whoever heard it.

Submit, recover and webhooks each make verdicts; `apply` writes them for the whole set, in lock order:
effects and their evidence, what the gateway calls each, states by compare-and-swap, the work rows.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db import effects, findings
from db.effects import Outcome
from db.transitions import LeasedTx, move
from db.work import Next
from domain.findings import Finding, FindingKind, key_of
from domain.refunds import REFUNDS, RefundState


class Verdict(NamedTuple):
    """What becomes of one held refund: its effect, where it moves (None: it stays), its work row."""

    subject: UUID
    next: Next
    outcome: Outcome | None = None
    source: RefundState = RefundState.PROCESSING
    target: RefundState | None = None
    given_as: str | None = None
    """What the gateway calls it, where it is known now."""
    reason: str | None = None
    finding: Finding | None = None


_BIND: Final = sa.text("""
    UPDATE refunds r SET given_as = coalesce(r.given_as, b.name), error = b.error, updated_at = clock_timestamp(),
           -- Whoever captured it gives it back.
           given_by = CASE WHEN coalesce(r.given_as, b.name) IS NOT NULL
                           THEN coalesce(r.given_by, (SELECT o.provider FROM orders o WHERE o.payment = r.payment)) END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[]), CAST(:errors AS text[])) AS b (id, name, error)
    WHERE r.id = b.id""")


def apply(tx: LeasedTx, verdicts: Sequence[Verdict]) -> set[UUID]:
    """Write the verdicts; returns the subjects whose swap was lost (parked, for a person to see)."""
    effects.answered(tx, [(v.subject, v.outcome) for v in verdicts if v.outcome is not None])
    lost = _move(tx, [v for v in verdicts if v.target is not None])
    bound = sorted((v for v in verdicts if v.given_as or v.target), key=lambda v: v.subject)
    if bound:
        tx.run(
            _BIND,
            ids=[v.subject for v in bound],
            names=[v.given_as for v in bound],
            errors=[v.reason if v.target is RefundState.FAILED else None for v in bound],
        )
    tx.settle([_lost(tx, v) if v.subject in lost else v.next for v in verdicts])
    findings.cease(tx, [key for v in verdicts if v.target in _ENDED for key in _doubts(v.subject)])
    findings.report(tx, [v.finding for v in verdicts if v.finding is not None])
    return lost


_ENDED: Final = frozenset({RefundState.SUCCEEDED, RefundState.FAILED})


def _doubts(refund: UUID) -> list[str]:
    """What nobody wonders about any more once a refund has ended."""
    kinds = (FindingKind.REFUND_UNKNOWN_TOO_LONG, FindingKind.REFUND_FAILED)
    return [key_of(kind, f"refund {refund}") for kind in kinds]


def _move(tx: LeasedTx, verdicts: Sequence[Verdict]) -> set[UUID]:
    lost: set[UUID] = set()
    for (source, target, reason), group in groupby(sorted(verdicts, key=_step), key=_step):
        subjects = [v.subject for v in group]
        moved = move(tx, REFUNDS, subjects, source=source, target=target, reason=reason or None)
        lost |= set(subjects) - set(moved)
    return lost


def _step(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.source, verdict.target or "", verdict.reason or ""


def _lost(tx: LeasedTx, verdict: Verdict) -> Next:
    reason = f"its state was changed under the lease, from outside: expected {verdict.source}"
    return Next(subject=verdict.subject, job=tx.job(verdict.subject), parked=reason, error=reason)
