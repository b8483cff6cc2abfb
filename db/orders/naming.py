"""What a gateway calls an order of ours: by that name its events are about it."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.effects import Outcome
from db.transitions import LeasedTx
from domain.checkout_answers import ProviderOrder
from domain.effects import EffectState

_NAME: Final = sa.text("""
    UPDATE orders o SET provider = :provider, gateway_id = g.name
    FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS g (id, name) WHERE o.id = g.id""")


def name(tx: LeasedTx, provider: str, names: Mapping[UUID, str]) -> None:
    """Keep what `provider` calls held orders."""
    if names:
        tx.run(_NAME, provider=provider, ids=list(names), names=list(names.values()))


def made(key: UUID, order: ProviderOrder, detail: str | None = None) -> Outcome:
    """What the effect that asked for an order learns: the gateway has it."""
    return Outcome(
        key=key,
        answer="accepted",
        state=EffectState.ACCEPTED,
        detail=detail,
        provider_id=order.provider_id,
        status=order.raw_status,
        accepted_at=order.created_at,
    )
