"""Mortgages: made when they are first named."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.payout_ids import numbers

_OPEN: Final = sa.text("""
    INSERT INTO mortgages (id, external_id)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS g (id, name) ORDER BY id
    ON CONFLICT DO NOTHING""")


def open_mortgages(tx: Tx, installation: UUID, external_ids: Sequence[str]) -> dict[str, UUID]:
    """Return the mortgage of each name, making those that are missing."""
    names = sorted(set(external_ids))
    ids = [UUID(int=number) for number in numbers(installation, "mortgage", names)]
    tx.run(_OPEN, ids=ids, names=names)
    return dict(zip(names, ids, strict=True))
