"""Settle a refund in doubt on the word of two people, where its gateway cannot say any more.

The one settling function writes it, under a seized work row; a row that a worker holds is never taken.
"""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import clock, effects
from db.effects import Outcome
from db.payouts.resolve import Word
from db.refunds import settle
from db.refunds.facts import Refund, read
from db.refunds.settle import Verdict
from db.transitions import seize
from db.tx import Tx
from db.work import Next
from domain.effects import EffectState
from domain.errors import BusyError, NotFoundError, RefusedError
from domain.refunds import CASCADE, RefundState

_IS_PARKED: Final = sa.text(
    "SELECT EXISTS (SELECT FROM work WHERE subject = :refund AND parked_reason IS NOT NULL)"
)


def doubt(tx: Tx, refund: UUID) -> Refund:
    """Return what is in doubt. Raises `NotFoundError`, or `RefusedError` where nothing is."""
    found = read(tx, [refund])
    if not found:
        raise NotFoundError(f"there is no refund {refund}")
    if found[0].state != RefundState.PROCESSING:
        message = f"refund {refund} is {found[0].state}: only what is PROCESSING can be resolved"
        raise RefusedError(message)
    return found[0]


def declare(tx: Tx, refund: UUID, word: Word, *, given_as: str | None) -> RefundState:
    """Settle `refund` on the word of two people: given under that name, or (None) never given.

    Raises `BusyError` under a live lease, `RefusedError` where nothing is in doubt: also where the gateway has
    taken it since (unless it was parked), and where a send may have begun since the two knew that it was not.
    """
    leased = seize(tx, [refund], run=None, actor=word.by, leased_too=False)
    row = doubt(tx, refund)
    if refund not in leased.held:
        raise BusyError(f"a worker holds refund {refund}: try again")
    _still_so(tx, row, word, is_given=given_as is not None)
    target = RefundState.FAILED if given_as is None else RefundState.SUCCEEDED
    named = None if row.given_as == given_as else given_as
    outcome = Outcome(
        key=row.effect_key,
        answer="declared not given" if given_as is None else "declared given",
        state=EffectState.REJECTED if given_as is None else EffectState.ACCEPTED,
        detail=f"{word.by}: {word.why}",
        provider_id=named,
        status=None if given_as is None else "declared",
        accepted_at=None if given_as is None else clock.now(tx),
    )
    verdict = Verdict(
        subject=refund,
        next=Next(subject=refund, job=None if given_as is None else CASCADE),
        outcome=outcome,
        target=target,
        given_as=named,
        reason=word.why,
    )
    if settle.apply(leased, [verdict]):
        raise AssertionError("a seized refund that was PROCESSING is PROCESSING")
    return target


def _still_so(tx: Tx, row: Refund, word: Word, *, is_given: bool) -> None:
    """Raise `RefusedError` where something was learned or sent after the two knew what they say."""
    if row.effect_state == EffectState.ACCEPTED and not tx.scalar(_IS_PARKED, refund=row.id):
        raise RefusedError(
            f"refund {row.id} was taken by its gateway as {row.given_as}: it is asked about to its end"
        )
    effect = effects.get(tx, row.effect_key)
    if not is_given and effect is not None and effect.updated_at > word.known_at:
        raise RefusedError(
            f"refund {row.id} may have been sent again at {effect.updated_at:%Y-%m-%dT%H:%M:%SZ}, after that was "
            "known: hold job:refunds.recover, ask the gateway anew, and propose anew"
        )
