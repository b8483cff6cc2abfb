"""What a provider would tell of the payouts it has accepted, and whether each event was applied once."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from db.tx import Row, Tx
from domain.errors import BrokenError

_ACCEPTED: Final = sa.text("""
    SELECT provider_id, request, accepted_at FROM effects WHERE state = 'accepted' ORDER BY key""")


def accepted(tx: Tx) -> Sequence[Row]:
    """Each accepted payment: the provider's name of it, the request as it was sent, and when."""
    return tx.rows(_ACCEPTED)


_COUNTS: Final = sa.text("""
    SELECT
      (SELECT count(*) FROM inbox WHERE state = 'APPLIED' AND outcome = 'PROCESSING -> COMPLETED') AS "events applied",
      (SELECT count(*) FROM payouts WHERE state = 'COMPLETED') AS "payouts in COMPLETED",
      (SELECT count(*) FROM moves WHERE kind = 'payout' AND target = 'COMPLETED') AS "moves of payouts",
      (SELECT count(*) FROM moves WHERE kind = 'event' AND target = 'APPLIED') AS "moves of events",
      (SELECT count(*) FROM entries e JOIN postings p ON p.entry = e.id WHERE e.type = 'payout.completed')
        AS "postings of payout.completed",
      (SELECT count(*) FROM work) AS "work rows" """)


def prove(tx: Tx, items: int) -> None:
    """Raise `BrokenError` unless each of `items` payouts was completed once, by its event."""
    counts = tx.row(_COUNTS)
    if counts is None:
        raise AssertionError("an aggregate has one row")
    wrong = {name: n for name, n in counts._mapping.items() if n != items}  # noqa: SLF001 - a row's public mapping
    if wrong:
        raise BrokenError(f"of {items} events, after the run: {wrong}")
