"""What payees are told by mail of their payouts, in the transaction of the move it tells of."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.mails.write import Draft, write
from db.tx import Row, Tx
from domain.mails import POLICIES, MailKind
from domain.payouts import PayoutState

KINDS: Final[Mapping[str, MailKind]] = MappingProxyType({
    PayoutState.COMPLETED: MailKind.PAYOUT_COMPLETED,
    PayoutState.FAILED: MailKind.PAYOUT_FAILED,
    PayoutState.REVERSED: MailKind.PAYOUT_REVERSED,
})  # fmt: skip
"""What is told of each state, once per generation; of the others nothing is."""

_FACTS: Final = sa.text("""
    SELECT m.state, p.id, p.generation, y.name, y.email, coalesce(nullif(p.narration, ''), p.external_id) AS title, p.currency,
           p.amount, coalesce(p.net_amount, p.amount) AS net, p.tds_deducted, p.recovered, coalesce(e.utr, '') AS utr
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[])) WITH ORDINALITY AS m (id, state, place)
    JOIN payouts p ON p.id = m.id
    JOIN payees y ON y.id = p.payee AND y.email IS NOT NULL
    LEFT JOIN effects e ON e.key = p.effect_key
    ORDER BY m.place""")


def tell(tx: Tx, moved: Sequence[tuple[UUID, str]]) -> None:
    """Tell payees of payouts that this transaction moved: (payout, its new state) each; whoever has no address is left out."""
    told = [(payout, state) for payout, state in moved if state in KINDS]
    if told:
        rows = tx.rows(_FACTS, ids=[p for p, _ in told], states=[str(s) for _, s in told])
        write(tx, [_draft(row) for row in rows])


def _draft(row: Row) -> Draft:
    kind = KINDS[row.state]
    known = {
        "name": row.name,
        "title": row.title,
        "payout": str(row.id),
        "currency": row.currency,
        "amount_minor": row.net,
        "gross_minor": row.amount,
        "tax_minor": row.tds_deducted,
        "recovered_minor": row.recovered,
        "utr": row.utr,
    }
    facts: dict[str, object] = {field: known[field] for field in POLICIES[kind].fields}
    return Draft(
        kind=kind, subject=row.id, recipient=row.email, facts=facts, occasion=row.generation
    )
