"""Write down what is to be told, in the transaction of the move it tells of."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.notices import TOLD

_WRITE: Final = sa.text("SELECT write_notices(CAST(:payouts AS uuid[]), CAST(:states AS text[]))")


def write(tx: Tx, moved: Sequence[tuple[UUID, str]]) -> None:
    """Tell of payouts that this transaction moved: (payout, its new state) each; what nobody is told of is left out."""
    told = [(payout, state) for payout, state in moved if state in TOLD]
    if told:
        tx.rows(_WRITE, payouts=[p for p, _ in told], states=[str(s) for _, s in told])
