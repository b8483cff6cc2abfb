"""Hear what a gateway says of refunds by itself: each is taken from whoever holds it, and settled as if we had asked.

Order does not matter. A success is taken at its word; a failure would free the money for another refund, so
the gateway is asked. What nobody here asked for is taken over. A word that contradicts our refund moves
nothing: a person looks.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import findings, transitions
from db.bookings.facts import lock
from db.errors import ContendedError
from db.inbox.heard import Heard, Hearing, Word
from db.refunds import again, settle, verdicts
from db.refunds.facts import Refund, read
from db.refunds.settle import Verdict
from db.refunds.taken import take_over
from db.refunds.words import GIVEN, Said, find
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import Next
from domain.checkout_answers import ProviderRefund, RefundStatus
from domain.effects import EffectState
from domain.findings import FindingKind
from domain.refunds import RECOVER, REFUNDS, RefundState

_K: Final = FindingKind


def hear(tx: Tx, words: Sequence[Word[ProviderRefund]], *, run: int) -> dict[UUID, Heard]:
    """Settle what `words` are about; returns what came of each event. One that is missing is to come again soon."""
    hearing = Hearing()
    found = find(tx, words)
    open_ = [said for said in found if not _is_concluded(said, hearing)]
    unasked = [said for said in open_ if said.refund is None]
    ours = [said for said in open_ if said.refund is not None]
    # Held before anything of a payment is: work rows come first in the order of locks, then payments, all at once.
    leased = _hold(tx, ours, unasked, run) if ours else None
    _take_over(tx, unasked, hearing, by=f"run:{run}")
    if leased is not None:
        _settle(leased, ours, hearing)
    again.mark(tx, {s.refund for s in found if s.refund is not None and s.is_taken_back})
    findings.report(tx, hearing.findings)
    return hearing.heard


def _is_concluded(said: Said, hearing: Hearing) -> bool:
    """Conclude what needs no refund to be held."""
    if said.status is RefundStatus.PENDING:
        hearing.conclude(said.word.event, f"nothing to do: {said.said}")
    elif said.status is RefundStatus.UNRECOGNISED:
        kind = _K.REFUND_STATUS_UNRECOGNISED
        hearing.tell(kind, _subject(said), said.said)
        hearing.conclude(said.word.event, f"nothing to do: nobody knows the status of {said.said}")
    elif said.refund is None:
        return _is_nobodys(said, hearing)
    elif said.generation < said.newest:
        _of_the_past(said, hearing)
    elif said.state in GIVEN:
        _again(said, hearing)
    elif said.status is RefundStatus.FAILED and said.state != RefundState.PROCESSING:
        hearing.conclude(said.word.event, f"nothing to do: it is {said.state}")
    elif said.effect_state in {None, EffectState.NOT_SENT}:
        why = f"{said.said}, and nothing was ever sent for it here"
        hearing.contradicts(said.word.event, _K.REFUND_ANSWER_MISMATCH, _subject(said), why)
    return said.word.event in hearing.heard


def _is_nobodys(said: Said, hearing: Hearing) -> bool:
    """Conclude a word about what nobody here asked for, unless there is something to take over.

    Of a capture that is not known yet it comes again for a while: what tells of that may be on its way. Later it
    has failed, and may be replayed once the capture is known.
    """
    if said.status is RefundStatus.FAILED:
        hearing.conclude(
            said.word.event, f"nothing to do: {said.said}, and nobody here asked for it"
        )
    elif said.payment is None and not said.word.is_fresh:
        detail = f"{said.said}, of a capture that nobody here knows: {said.word.told.payment_id}"
        hearing.contradicts(said.word.event, _K.REFUND_UNASKED, _subject(said), detail)
    return said.word.event in hearing.heard


def _of_the_past(said: Said, hearing: Hearing) -> None:
    """A word about an earlier generation: over, unless that was given after all."""
    if said.status is RefundStatus.FAILED:
        hearing.conclude(said.word.event, f"nothing to do: generation {said.generation} is over")
        return
    why = f"{said.said} in generation {said.generation}; here it is {said.state} in {said.newest}"
    hearing.contradicts(said.word.event, _K.REFUND_CONTRADICTED, _subject(said), why)


def _again(said: Said, hearing: Hearing) -> None:
    """A word about what was given: nothing new, unless the gateway takes it back."""
    if said.status is RefundStatus.SUCCEEDED:
        hearing.conclude(said.word.event, f"nothing to do: it is {said.state}")
        return
    hearing.contradicts(said.word.event, _K.REFUND_CONTRADICTED, _subject(said), said.taken_back)


def _take_over(tx: Tx, unasked: Sequence[Said], hearing: Hearing, *, by: str) -> None:
    """Take over what was made at the gateway; a word that one of ours may turn out to mean comes again."""
    meant = [said for said in unasked if said.payment is not None and not said.is_awaited]
    taken = [said.taken(why="made at the gateway") for said in meant]
    wrong = take_over(tx, taken, by=by)
    for said, given in zip(meant, taken, strict=True):
        why = wrong.get(given.called)
        if why is None:
            hearing.conclude(said.word.event, "taken over: made at the gateway")
        else:
            hearing.contradicts(
                said.word.event, _K.REFUND_UNASKED, _subject(said), f"{said.said}: {why}"
            )


def _given(ours: Sequence[Said]) -> set[UUID]:
    return {s.refund for s in ours if s.refund is not None and s.status is RefundStatus.SUCCEEDED}


def _hold(tx: Tx, ours: Sequence[Said], unasked: Sequence[Said], run: int) -> LeasedTx:
    """Hold what the words are about, with the payments of what waits for nothing and of what is to be taken over."""
    given = _given(ours)
    all_ = {s.refund for s in ours if s.refund is not None}
    leased = transitions.hold(tx, all_, run=run, actor=f"run:{run}", spared=all_ - given)
    paid = {s.refund: s.payment for s in ours if s.refund is not None and s.refund in given}
    idle = [refund for refund in sorted(paid) if refund not in leased.held]
    theirs = [*(paid[refund] for refund in idle), *(said.payment for said in unasked)]
    lock(leased, "payment", [payment for payment in theirs if payment is not None])
    leased = transitions.recall(leased, REFUNDS, RECOVER, idle)
    if not leased.held.keys() >= given:
        raise ContendedError("a refund was decided about since it was found")
    return leased


def _settle(leased: LeasedTx, ours: Sequence[Said], hearing: Hearing) -> None:
    """Settle what is held of what the words are about."""
    given = _given(ours)
    said = {s.refund: s for s in sorted(ours, key=lambda s: s.status is RefundStatus.SUCCEEDED)}
    rows = read(leased, leased.held)
    decided = [_judge(leased, row, said[row.id], hearing) for row in rows]
    lost = settle.apply(leased, decided)
    outcomes = {v.subject: _outcome(v) for v in decided}
    for one in ours:
        if one.word.event in hearing.heard or one.refund not in outcomes:
            continue
        if one.status is RefundStatus.FAILED and one.refund in given:
            continue  # beside a success it is heard after that
        if one.refund in lost:
            hearing.conclude(one.word.event, "its state was changed from outside", applied=False)
        else:
            hearing.conclude(one.word.event, outcomes[one.refund])


def _judge(leased: LeasedTx, row: Refund, said: Said, hearing: Hearing) -> Verdict:
    """What becomes of one refund after what was said of it."""
    held = leased.held[row.id]
    if row.generation != said.newest or row.state in GIVEN:
        raise ContendedError("a refund was decided about since it was found")
    wrong = verdicts.mismatch(row, said.word.told)
    if wrong is not None:
        hearing.contradicts(said.word.event, _K.REFUND_ANSWER_MISMATCH, _subject(said), wrong)
        if row.state == RefundState.PROCESSING:
            kind = _K.REFUND_ANSWER_MISMATCH
            return verdicts.parked(held, wrong, kind)._replace(finding=None)  # told already
        return Verdict(row.id, Next(subject=row.id, job=None))
    if said.status is RefundStatus.FAILED:
        return Verdict(row.id, Next(subject=row.id, job=RECOVER, tries=held.tries))
    if row.state == RefundState.FAILED and not _fits(leased, row):
        why = f"{said.said} after all, and less than that is left of its payment"
        hearing.contradicts(said.word.event, _K.REFUND_CONTRADICTED, _subject(said), why)
        return Verdict(row.id, Next(subject=row.id, job=None))
    verdict, _ = verdicts.of_report(held, row, said.word.told)
    return verdict


_ROOM: Final = sa.text("""
    SELECT NOT EXISTS (
      SELECT FROM refunds r JOIN payment_legs l ON l.payment = r.payment
      WHERE r.id = :id AND r.origin <> 'again' AND l.given_back
        + CASE l.kind WHEN 'gateway' THEN r.gateway WHEN 'wallet' THEN r.wallet ELSE r.referral_credit END > l.amount)""")


def _fits(tx: LeasedTx, row: Refund) -> bool:
    """Whether what FAILED, and was given after all, is still left of its payment, which is locked."""
    return bool(tx.scalar(_ROOM, id=row.id))


def _outcome(verdict: Verdict) -> str:
    if verdict.target is not None:
        return f"{verdict.source} -> {verdict.target}"
    return "the gateway is asked" if verdict.next.job == RECOVER else "nothing to do"


def _subject(said: Said) -> str:
    if said.refund is None:
        return f"gateway refund {said.word.told.provider_id}"
    return f"refund {said.refund}"
