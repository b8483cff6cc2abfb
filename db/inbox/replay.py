"""Let failed events be tried again, once their cause is gone."""

from collections.abc import Sequence
from uuid import UUID

from db import findings
from db.transitions import Moved, unleased_move
from db.tx import Tx
from domain.findings import FindingKind, key_of
from domain.inbox import EVENTS, EventState


def replay(tx: Tx, events: Sequence[UUID], *, actor: str, why: str) -> list[Moved]:
    """Bring FAILED events back to RECEIVED, due at once; one outcome each, in key order.

    Outcomes: moved | illegal (it did not fail) | missing | busy. Their findings are resolved: should
    they fail again, these open anew.
    """
    moved = unleased_move(tx, EVENTS, events, target=EventState.RECEIVED, actor=actor, why=why)
    keys = [
        key_of(FindingKind.EVENT_FAILED, f"{EVENTS.kind} {m.subject}")
        for m in moved
        if m.outcome == "moved"
    ]
    findings.resolve(tx, keys, by=actor, why=f"replayed: {why}")
    return moved
