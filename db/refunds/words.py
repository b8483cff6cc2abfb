"""Whose refund each word of a gateway is about: by the refund's name, else by our reference, else by its capture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.inbox.heard import Word
from db.refunds.taken import Taken
from db.tx import Tx
from domain.checkout_answers import ProviderRefund, RefundStatus
from domain.payout_ids import of_reference
from domain.refunds import EFFECT, Origin, RefundState

GIVEN: Final = frozenset({RefundState.SUCCEEDED, RefundState.CASCADED})
"""Where a refund is given, as far as anybody here knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A word, and the refund and payment it is about; None: nobody knows them."""

    word: Word[ProviderRefund]
    refund: UUID | None
    generation: int
    """Of the refund, that the word is about."""
    newest: int
    state: str
    effect_state: str | None
    payment: UUID | None
    is_awaited: bool
    """Whether a refund of this capture is being given whose name is not known yet."""

    @property
    def status(self) -> RefundStatus:
        """Where the gateway says it is."""
        return self.word.told.status

    @property
    def said(self) -> str:
        """The word, for people."""
        given = self.word.told
        return f"{given.provider_id} is {given.raw_status}"

    @property
    def is_taken_back(self) -> bool:
        """Whether it is that what was given has failed since."""
        is_over = self.generation < self.newest
        return self.status is RefundStatus.FAILED and self.state in GIVEN and not is_over

    @property
    def taken_back(self) -> str:
        """The same, for people."""
        return f"{self.said}; here it is {self.state}: its customer may not have it"

    def taken(self, *, why: str) -> Taken:
        """Itself as what somebody gave at the gateway, of a payment that is known."""
        assert self.payment is not None, "nobody takes over what is of no payment of ours"
        told = self.word.told
        return Taken(
            payment=self.payment,
            provider=self.word.provider,
            name=told.provider_id,
            origin=Origin.GATEWAY,
            amount_minor=told.amount_minor,
            currency=told.currency,
            why=why,
        )


_FIND: Final = sa.text("""
    SELECT w.n, r.id AS refund, coalesce(e.generation, CASE WHEN g.id IS NULL THEN w.generation END, r.generation) AS generation,
           r.generation AS newest, r.state, f.state AS effect_state, coalesce(r.payment, o.payment) AS payment,
           EXISTS (SELECT FROM refunds u WHERE u.payment = o.payment AND u.state = 'PROCESSING' AND u.given_as IS NULL) AS is_awaited
    FROM unnest(CAST(:providers AS text[]), CAST(:names AS text[]), CAST(:refunds AS uuid[]), CAST(:generations AS int[]),
                CAST(:captures AS text[]))
      WITH ORDINALITY AS w (provider, name, refund, generation, capture, n)
    LEFT JOIN effect_payments m ON m.provider_id = w.name COLLATE "C" AND m.provider = w.provider COLLATE "C"
    LEFT JOIN effects e ON e.key = m.key AND e.kind = :kind
    LEFT JOIN refunds g ON e.key IS NULL AND g.given_as = w.name COLLATE "C" AND g.given_by = w.provider COLLATE "C"
    LEFT JOIN refunds r ON r.id = coalesce(e.subject, g.id, w.refund)
    LEFT JOIN effects f ON f.key = r.effect_key
    LEFT JOIN orders o ON o.captured_as = w.capture COLLATE "C" AND o.provider = w.provider COLLATE "C"
    ORDER BY w.n""")


def find(tx: Tx, words: Sequence[Word[ProviderRefund]]) -> list[Said]:
    """Each word with its refund, in their order; what is read of it may change until it is held."""
    if not words:
        return []
    meant = [of_reference(word.told.reference) or (None, 0) for word in words]
    rows = tx.rows(
        _FIND,
        kind=EFFECT,
        providers=[word.provider for word in words],
        names=[word.told.provider_id for word in words],
        refunds=[refund for refund, _ in meant],
        generations=[generation for _, generation in meant],
        captures=[word.told.payment_id for word in words],
    )
    return [
        Said(
            word=words[row.n - 1],
            refund=row.refund,
            generation=row.generation or 0,
            newest=row.newest or 0,
            state=row.state or "",
            effect_state=row.effect_state,
            payment=row.payment,
            is_awaited=row.is_awaited,
        )
        for row in rows
    ]
