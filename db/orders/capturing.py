"""What a gateway captured: taken in under the names that the gateway gave it, whoever heard of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.bookings.capture import capture
from db.transitions import LeasedTx
from db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One capture: of which payment and order, what the gateway calls it, and when (aware UTC)."""

    payment: UUID
    order: UUID
    provider: str
    gateway_id: str
    captured_as: str
    at: datetime


_NAME: Final = sa.text("""
    UPDATE orders o SET provider = g.provider, gateway_id = g.gateway_id, captured_as = g.captured_as
    FROM unnest(CAST(:ids AS uuid[]), CAST(:providers AS text[]), CAST(:gateway_ids AS text[]), CAST(:captures AS text[]))
      AS g (id, provider, gateway_id, captured_as)
    WHERE o.id = g.id AND o.captured_as IS NULL""")


def take_in(
    tx: LeasedTx | Tx, captures: Sequence[Capture], *, run: int | None, actor: str
) -> dict[UUID, str]:
    """Capture the payments, and keep what their captures are called; what came of each payment, as `capture` says.

    Of several about one payment the first counts.
    """
    first = {one.payment: one for one in reversed(captures)}
    if not first:
        return {}
    done = capture(tx, {id_: one.at for id_, one in first.items()}, run=run, actor=actor)
    # Its order is locked since then, and CLOSED.
    named = list(first.values())
    tx.run(
        _NAME,
        ids=[one.order for one in named],
        providers=[one.provider for one in named],
        gateway_ids=[one.gateway_id for one in named],
        captures=[one.captured_as for one in named],
    )
    return {one.payment: one.outcome for one in done}
