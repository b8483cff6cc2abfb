"""After a restore: hold a gateway's own list of refunds against ours, so that none is given a second time.

Every refund of the list that an effect here names, or that was taken over, is known. What is filed under a refund
of ours that was not sent yet was sent in the time that was lost: its effect is written, and `refunds.recover`
asks what became of it. What was asked for in that time is not here at all: it is taken over, as what somebody
made at the gateway is. What nothing explains is a finding. Doing it twice changes nothing.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import findings
from db.inbox.heard import Word
from db.reconcile import FINDER, Match, Matches
from db.refunds import again
from db.refunds.claim import Gateway, commit_to
from db.refunds.facts import refundable
from db.refunds.lost import Sorted, named, place
from db.refunds.taken import take_over
from db.refunds.words import Said, find
from db.transitions import seize, unleased_move
from db.tx import Tx
from domain.checkout_answers import ProviderRefund, RefundStatus
from domain.findings import FindingKind
from domain.payments import LegKind
from domain.payout_ids import of_reference
from domain.refunds import REFUNDS, RefundState

_K: Final = FindingKind
_S: Final = RefundState
WHY: Final = "its gateway has it: sent in the time that the restored database has lost"
LEGS_UNKNOWN: Final = (
    "taken over: a refund of ours that this database has lost, and what a wallet or a credit got of it is "
    "not known: ask whoever asked for it"
)
_NOBODY: Final = UUID(int=0)
"""No event tells of these words: a list does."""


_NAMED: Final = sa.text("""
    SELECT provider_id AS name FROM effect_payments
    WHERE provider = :provider AND account = :account AND provider_id = ANY(CAST(:names AS text[]))
    UNION
    SELECT given_as FROM refunds WHERE given_by = :provider AND given_as = ANY(CAST(:names AS text[]))""")


def compare(tx: Tx, gateway: Gateway, refunds: Sequence[ProviderRefund], *, actor: str) -> Matches:
    """Hold one page of the gateway's list against our refunds, and adopt what was lost."""
    names = [refund.provider_id for refund in refunds]
    rows = tx.rows(_NAMED, provider=gateway.name, account=gateway.account, names=names)
    known = {row.name for row in rows}
    new = [refund for refund in refunds if refund.provider_id not in known]
    done = Sorted(matches=Matches({Match.KNOWN: len(refunds) - len(new)}))
    for said in find(tx, _words(gateway, new)):
        place(done, said)
    failed = [
        refund
        for refund in refunds
        if refund.provider_id in known and refund.status is RefundStatus.FAILED
    ]
    _adopt(tx, gateway, done, actor)
    _take_over(tx, done, actor)
    _take_back(tx, find(tx, _words(gateway, failed)), done)
    findings.report(tx, done.findings)
    return +done.matches


def _words(gateway: Gateway, refunds: Sequence[ProviderRefund]) -> list[Word[ProviderRefund]]:
    return [
        Word(event=_NOBODY, provider=gateway.name, is_fresh=False, told=refund)
        for refund in refunds
    ]


def _take_back(tx: Tx, failed: Sequence[Said], done: Sorted) -> None:
    """Hear of what was given, by what the backup knows, and taken back since: no event tells of it again."""
    lost = {s.refund: s for s in failed if s.refund is not None and s.is_taken_back}
    for id_ in sorted(again.mark(tx, set(lost))):
        done.matches[Match.KNOWN] -= 1
        done.flag(Match.SURPLUS, _K.REFUND_CONTRADICTED, f"refund {id_}", lost[id_].taken_back)


def _adopt(tx: Tx, gateway: Gateway, done: Sorted, actor: str) -> None:
    """Write down that what the list has was sent; whatever became of it, `refunds.recover` asks."""
    why = f"{WHY}; compared by {actor}"
    moved = unleased_move(
        tx, REFUNDS, sorted(done.approve), target=_S.RESERVED, actor=FINDER, why=why
    )
    for refused in (one for one in moved if one.outcome != "moved"):
        done.sent.discard(refused.subject)
        detail = f"its gateway has it; here it is {refused.source}, not adopted: {refused.outcome}; do not have it given again"
        done.flag(Match.SURPLUS, _K.REFUND_CONTRADICTED, f"refund {refused.subject}", detail)
    leased = seize(tx, sorted(done.sent), run=None, actor=actor, leased_too=True)
    parked = commit_to(leased, gateway, why=WHY)
    for id_, why in parked.items():
        done.flag(Match.PARKED, _K.REFUND_ANSWER_MISMATCH, f"refund {id_}", why)
    done.matches[Match.ADOPTED] += len(done.sent) - len(parked)


def _take_over(tx: Tx, done: Sorted, actor: str) -> None:
    """Take over what was asked for in the time that was lost."""
    taken = [said.taken(why=WHY) for said in done.unasked]
    wrong = take_over(tx, taken, by=actor)
    ours = {
        said.payment
        for said in done.unasked
        if said.payment is not None and of_reference(said.word.told.reference)
    }
    mixed = {
        one.id
        for one in (refundable(tx, sorted(ours)) if ours else ())
        if any(left for kind, left in one.left.items() if kind is not LegKind.GATEWAY)
    }
    for said, given in zip(done.unasked, taken, strict=True):
        why = wrong.get(given.called)
        if why is None and said.payment in mixed:
            why = LEGS_UNKNOWN
        if why is None:
            done.matches[Match.ADOPTED] += 1
        else:
            done.flag(Match.FOREIGN, _K.REFUND_UNASKED, named(said), f"{said.said}: {why}")
