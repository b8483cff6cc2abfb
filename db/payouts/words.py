"""Whose payout each word of a provider is about: by the payment's name, else by the reference it is filed under."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from db.tx import Tx
from domain.answers import ProviderPayout
from domain.payout_ids import of_reference
from domain.payout_words import FINAL


class Word(NamedTuple):
    """What one event of a provider says of one of its payments."""

    event: UUID
    provider: str
    paid: ProviderPayout


class Said(NamedTuple):
    """A word, and the payout it is about; `payout` None: nobody knows it."""

    word: Word
    payout: UUID | None
    generation: int
    """Of the payout, that the payment belongs to."""
    newest: int
    """The generation that the payout is in."""
    state: str
    waits: bool
    """Whether a job will come to it by itself."""

    @property
    def is_final(self) -> bool:
        """Whether it ends the payment."""
        return self.word.paid.status in FINAL


_FIND: Final = sa.text("""
    SELECT w.n, p.id AS payout, coalesce(e.generation, f.generation, w.generation) AS generation, p.generation AS newest, p.state,
           k.subject IS NOT NULL AND k.parked_reason IS NULL AS waits
    FROM unnest(CAST(:providers AS text[]), CAST(:names AS text[]), CAST(:references AS text[]),
                CAST(:payouts AS uuid[]), CAST(:generations AS int[]))
      WITH ORDINALITY AS w (provider, name, reference, payout, generation, n)
    LEFT JOIN effect_payments m ON m.provider_id = w.name COLLATE "C" AND m.provider = w.provider COLLATE "C"
    LEFT JOIN effects e ON e.key = m.key
    -- What another system sent goes by the reference it chose; the account is the one there is.
    LEFT JOIN effects f ON e.key IS NULL AND f.reference = w.reference COLLATE "C" AND f.provider = w.provider
    LEFT JOIN payouts p ON p.id = coalesce(e.subject, f.subject, w.payout)
    LEFT JOIN work k ON k.subject = p.id
    ORDER BY w.n""")


def find(tx: Tx, words: Sequence[Word]) -> list[Said]:
    """Return each word with its payout, in their order; what is read of the payout may change until it is held."""
    meant = [of_reference(word.paid.reference) or (None, 0) for word in words]
    rows = tx.rows(
        _FIND,
        providers=[word.provider for word in words],
        names=[word.paid.provider_id for word in words],
        references=[word.paid.reference for word in words],
        payouts=[payout for payout, _ in meant],
        generations=[generation for _, generation in meant],
    )
    return [
        Said(words[n - 1], payout, generation, newest or 0, state or "", waits)
        for n, payout, generation, newest, state, waits in map(tuple, rows)
    ]
