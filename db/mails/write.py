"""Write mails down in the transaction of what they tell of."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.mails import POLICIES, SEND, MailKind, is_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A mail about to be written. `facts` has exactly the fields of its kind."""

    kind: MailKind
    subject: UUID
    recipient: str | None
    facts: dict[str, object]
    occasion: int = 1
    good_until: datetime | None = None
    """After it the mail is dropped; None: it is always worth telling."""


_WRITE: Final = sa.text("""
    WITH drafts AS MATERIALIZED (
      SELECT effect_key('mail.' || d.kind, d.subject, d.occasion) AS id, d.*
      FROM ROWS FROM (unnest(CAST(:kinds AS text[])), unnest(CAST(:subjects AS uuid[])), unnest(CAST(:occasions AS int[])),
                      unnest(CAST(:recipients AS text[])), unnest(CAST(:goods AS timestamptz[])),
                      json_array_elements(CAST(:facts AS json)))
        AS d (kind, subject, occasion, recipient, good_until, facts)
      -- Where nobody set mail up, nothing is written that nobody would send.
      WHERE EXISTS (SELECT FROM switches s WHERE s.name = 'mails' AND s.is_on)),
    written AS (
      INSERT INTO mails (id, kind, subject, occasion, recipient, facts, good_until, effect_key)
      SELECT d.id, d.kind, d.subject, d.occasion, d.recipient, d.facts, d.good_until,
             effect_key('mail.send', d.id, 1)
      FROM drafts d
      -- It was told before.
      ON CONFLICT DO NOTHING
      RETURNING id)
    INSERT INTO work (job, subject) SELECT :job, id FROM written""")


def write(tx: Tx, drafts: Sequence[Draft]) -> int:
    """Write mails, to be sent at once, each (subject, kind, occasion) for ever once; returns how many are new.

    Nothing is written to whom no mail can be addressed, and nothing at all while the switch `mails` is off.
    Raises `AssertionError` for facts that are not those of the kind.
    """
    for draft in drafts:
        if draft.facts.keys() != POLICIES[draft.kind].fields:
            raise AssertionError(
                f"{draft.kind}: its facts are {sorted(POLICIES[draft.kind].fields)}"
            )
    told = [(d, d.recipient) for d in drafts if d.recipient is not None and is_address(d.recipient)]
    if not told:
        return 0
    return tx.run(
        _WRITE,
        job=SEND,
        kinds=[str(d.kind) for d, _ in told],
        subjects=[d.subject for d, _ in told],
        occasions=[d.occasion for d, _ in told],
        recipients=[recipient for _, recipient in told],
        goods=[d.good_until for d, _ in told],
        facts=json.dumps([d.facts for d, _ in told], ensure_ascii=False),
    )
