"""Events as they come in: each is a row once, and the same statement makes the work that waits on it.

One that comes again after it FAILED is tried again, as often as a new one: its provider delivers it since we never applied it.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.inbox.replay import replay
from db.tx import Tx
from domain.inbox import APPLY, VerifiedEvent, event_row_id

AGAIN: Final = "delivered again"
"""Who brings back what had failed, as its history says it."""

_KEEP: Final = sa.text("""
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:providers AS text[]), CAST(:event_ids AS text[]), CAST(:types AS text[]),
                           CAST(:entities AS text[]), CAST(:bodies AS text[]), CAST(:occurred AS timestamptz[]))
        AS g (id, provider, event_id, type, entity, body, occurred_at)),
    -- What is there already is left alone here. In the order of the key, so that two who keep the same events never wait in a circle.
    kept AS (
      INSERT INTO inbox (id, provider, event_id, type, entity, body, occurred_at)
      SELECT id, provider, event_id, type, entity, decode(body, 'hex'), occurred_at FROM given ORDER BY provider, event_id
      ON CONFLICT DO NOTHING
      RETURNING id),
    awaited AS (INSERT INTO work (job, subject) SELECT :job, id FROM kept)
    SELECT id FROM kept""")


def keep(tx: Tx, installation: UUID, events: Sequence[VerifiedEvent]) -> set[tuple[str, str]]:
    """Write events down, due now, by one statement; returns (provider, event id) of those that were not there yet."""
    ids = [event_row_id(installation, e.provider, e.event_id) for e in events]
    kept = {row.id for row in tx.rows(_KEEP, job=APPLY, ids=ids, **_columns(events))}
    return {(e.provider, e.event_id) for e, one in zip(events, ids, strict=True) if one in kept}


_FAILED: Final = sa.text("""
    SELECT id FROM inbox WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'FAILED' ORDER BY id""")


def again(tx: Tx, installation: UUID, events: Sequence[VerifiedEvent]) -> None:
    """Let those of `events` be tried again that FAILED: they were there already, and their provider delivered them again."""
    ids = [event_row_id(installation, e.provider, e.event_id) for e in events]
    failed = [row.id for row in tx.rows(_FAILED, ids=ids)]
    if failed:
        replay(tx, failed, actor=AGAIN, why="its provider delivered it again")


def _columns(events: Sequence[VerifiedEvent]) -> dict[str, object]:
    return {
        "providers": [e.provider for e in events],
        "event_ids": [e.event_id for e in events],
        "types": [e.type for e in events],
        "entities": [e.entity for e in events],
        "bodies": [e.body.hex() for e in events],
        "occurred": [e.occurred_at for e in events],
    }
