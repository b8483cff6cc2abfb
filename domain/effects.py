"""Effects: the write-ahead intent of one outside call, its key, and what an answer proves."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from domain.answers import NotSent, Rejected, Unknown

AnswerT = TypeVar("AnswerT")


class EffectState(StrEnum):
    """What is known of one intended call."""

    INTENDED = "intended"
    """Committed before the call; a send may have begun under each of its `sends` claims."""
    ACCEPTED = "accepted"
    """The provider has it, under `provider_id`."""
    REJECTED = "rejected"
    """The provider definitely refused it."""
    NOT_SENT = "not_sent"
    """Nothing ever left: the same row is sent again."""
    UNKNOWN = "unknown"
    """Nobody here can know; only the provider's answer or two people may move it."""


def effect_key(installation: UUID, kind: str, subject: UUID, generation: int) -> UUID:
    """Return the idempotency key of an effect: 32 hex digits, here as the UUID of those digits.

    The first 32 hex digits of SHA-256(`installation:kind:subject:generation`). Never from the
    attempt, the clock or chance: a database restored to an hour ago makes the same key again.
    """
    return UUID(effect_key_digits(str(installation), kind, str(subject), generation))


def effect_key_digits(installation: str, kind: str, subject: str, generation: int) -> str:
    """Return the digits of `effect_key`, of ids as texts with hyphens, in lower case."""
    text = f"{installation}:{kind}:{subject}:{generation}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def as_evidence(answer: AnswerT, sends: int) -> AnswerT | Unknown:
    """Return what `answer` proves about the *payment*, or the mail, when `sends` claims may have sent it.

    A refusal, or "nothing left", speaks of this attempt alone: from the second on it says nothing
    about the earlier one and is `Unknown`.
    """
    if sends <= 1:
        return answer
    if isinstance(answer, Rejected):
        return Unknown(
            reason=f"refused on send {sends}, which says nothing of the earlier one: {answer.code}",
            brake=answer.brake,
        )
    if isinstance(answer, NotSent):
        return Unknown(
            reason=f"not sent on try {sends}, an earlier send may have begun: {answer.reason}",
            brake=answer.brake,
        )
    return answer


def key_is_alive(first_sent_at: datetime, now: datetime, window: timedelta) -> bool:
    """Say whether the provider is still known to answer the key with the same payment.

    A day short of the published window: the clock that matters is the provider's.
    """
    margin = min(timedelta(days=1), window / 6)
    return now - first_sent_at < window - margin
