"""What operators decide about refunds that no worker holds, each through the one SQL door."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.transitions import Moved, unleased_move
from db.tx import Tx
from domain.refunds import REFUNDS, RefundState


class Decision(StrEnum):
    """The word an operator uses."""

    APPROVE = "approve"
    """PROPOSED is given."""
    REJECT = "reject"
    """PROPOSED is never given."""
    RETRY = "retry"
    """FAILED is asked of the gateway again, under its next generation's key."""


SOURCES: Final = {
    Decision.APPROVE: RefundState.PROPOSED,
    Decision.REJECT: RefundState.PROPOSED,
    Decision.RETRY: RefundState.FAILED,
}
"""The state a decision is about: `approve` never retries a failure."""
TARGETS: Final = {
    Decision.APPROVE: RefundState.RESERVED,
    Decision.REJECT: RefundState.REJECTED,
    Decision.RETRY: RefundState.RESERVED,
}

_ELSEWHERE: Final = sa.text("""
    SELECT r.id, r.state FROM refunds r WHERE r.id = ANY(CAST(:ids AS uuid[])) AND r.state <> :source""")


def decide(
    tx: Tx, decision: Decision, refunds: Sequence[UUID], *, actor: str, why: str
) -> list[Moved]:
    """Decide about each; one outcome each, in key order.

    moved | busy | illegal (elsewhere) | missing | own (asked for by who approves it, while `policy:maker-checker`
    is on) | short (less of its payment is left) | exhausted (refused three times: ask for another refund)
    | disputed (its bank decides).
    """
    rows = tx.rows(_ELSEWHERE, ids=list(refunds), source=SOURCES[decision])
    elsewhere = {row.id: Moved(subject=row.id, outcome="illegal", source=row.state) for row in rows}
    asked = [id_ for id_ in refunds if id_ not in elsewhere]
    moved = unleased_move(tx, REFUNDS, asked, target=TARGETS[decision], actor=actor, why=why)
    return sorted([*moved, *elsewhere.values()], key=lambda one: one.subject)
