"""Hear what a provider says by itself: each payout is taken from whoever holds it, and settled as if we had asked.

Order does not matter: several words about one payout are taken by their rank, and what comes late
changes nothing. What would free its money for another payment is not believed, but asked about at once.
A final word fences a holder, whose own answer is then evidence; any other waits until the holder is done.
A word that contradicts our payout moves nothing: a person looks.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from db import clock, findings, transitions
from db.errors import ContendedError
from db.inbox.heard import Heard
from db.payouts import keep_back, verdicts
from db.payouts.apply import Verdict, apply
from db.payouts.details import Details, read
from db.payouts.known import Known, known, mismatch
from db.payouts.words import Said, Word, find
from db.transitions import LeasedTx
from db.tx import Tx
from db.work import Held
from domain.answers import ProviderStatus
from domain.effects import EffectState
from domain.findings import Finding, FindingKind
from domain.payouts import FOLLOW, PAYOUTS, PayoutState

_K: Final = FindingKind
UNSENT: Final = frozenset({None, EffectState.NOT_SENT.value})


@dataclass(frozen=True, slots=True)
class Hearing:
    """What is being concluded about a set of words. An event that is missing from `heard` is to come again."""

    heard: dict[UUID, Heard] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def conclude(self, said: Said, outcome: str, *, applied: bool = True) -> None:
        """Say what came of one word."""
        self.heard[said.word.event] = Heard(applied, outcome)

    def tell(self, kind: FindingKind, subject: str, detail: str) -> None:
        """Let a person look."""
        self.findings.append(Finding(kind=kind, subject=subject, detail=detail))

    def contradicts(self, said: Said, kind: FindingKind, why: str) -> None:
        """Apply nothing of a word, and let a person look."""
        self.tell(kind, f"payout {said.payout}", why)
        self.conclude(said, why, applied=False)


def hear(tx: Tx, words: Sequence[Word], *, run: int) -> dict[UUID, Heard]:
    """Settle what `words` are about; returns what came of each event. One that is missing is to come again soon."""
    hearing = Hearing()
    found = find(tx, words)
    open_ = [said for said in found if not _is_concluded(said, hearing)]
    leased = _take(tx, open_, run) if open_ else None
    # Whatever becomes of the newer generation, no batch may pay again what the older one paid.
    before = {said.payout for said in found if said.payout is not None and _was_paid_before(said)}
    keep_back.hold(tx, before, actor=f"run:{run}")
    if leased is not None:
        _settle(leased, open_, hearing)
    findings.report(tx, hearing.findings)
    return hearing.heard


def _is_concluded(said: Said, hearing: Hearing) -> bool:
    """Conclude what needs no payout to be held."""
    paid = said.word.paid
    told = f"{paid.provider_id} is {paid.raw_status}"
    if said.payout is None or said.generation > said.newest:
        if said.is_final:
            detail = f"{told}: {paid.amount_minor} {paid.currency} under {paid.reference!r}"
            hearing.tell(_K.TRANSFER_WITHOUT_PAYOUT, f"transfer {paid.provider_id}", detail)
        hearing.conclude(said, "orphan: no payout is meant")
    elif paid.status is ProviderStatus.UNRECOGNISED:
        subject = f"payout {said.payout}"
        hearing.tell(_K.PAYOUT_PROVIDER_STATUS_UNRECOGNISED, subject, paid.raw_status)
        hearing.conclude(said, f"nothing to do: nobody knows the status {paid.raw_status}")
    elif said.generation < said.newest:
        return _is_over(said, hearing)
    elif not said.is_final and not said.waits:
        hearing.conclude(said, f"nothing to do: it is {said.state}")
    return said.word.event in hearing.heard


def _is_over(said: Said, hearing: Hearing) -> bool:
    """Conclude a word about an earlier generation, unless what is about to be sent instead must be kept back."""
    if said.word.paid.status is not ProviderStatus.PAID:
        hearing.conclude(said, f"nothing to do: generation {said.generation} is over")
    elif said.state != PayoutState.APPROVED:
        hearing.contradicts(said, _K.PAYOUT_PAID_AFTER_FAILED, _paid_before(said))
    return said.word.event in hearing.heard


def _was_paid_before(said: Said) -> bool:
    return said.generation < said.newest and said.word.paid.status is ProviderStatus.PAID


def _paid_before(said: Said) -> str:
    told = f"{said.word.paid.provider_id} is {said.word.paid.raw_status}"
    return f"{told} in generation {said.generation}; here it is {said.state} in {said.newest}"


def _take(tx: Tx, open_: Sequence[Said], run: int) -> LeasedTx:
    """Hold what the words are about: a final one whoever holds it, and also what waits for nothing.

    Also what should wait and does not: its row was lost, so nobody would come to it before the word does again.
    """
    wanted = {
        said.payout: said.is_final and said.generation == said.newest
        for said in sorted(open_, key=lambda said: said.is_final)
        if said.payout is not None
    }
    final = [payout for payout, is_final in wanted.items() if is_final]
    leased = transitions.hold(
        tx, wanted, run=run, actor=f"run:{run}", spared=wanted.keys() - set(final)
    )
    ends = {said.payout for said in open_ if said.is_final}
    idle = [payout for payout in wanted if payout in ends and payout not in leased.held]
    leased = transitions.recall(leased, PAYOUTS, FOLLOW, idle)
    if not leased.held.keys() >= set(final):
        raise ContendedError("a payout was decided about since it was found")
    return leased


def _settle(leased: LeasedTx, open_: Sequence[Said], hearing: Hearing) -> None:
    said: defaultdict[UUID | None, list[Said]] = defaultdict(list)
    for one in open_:
        said[one.payout].append(one)
    moment = clock.now(leased)
    rows = {row.id: row for row in read(leased, leased.held)}
    decided = [
        _judge(leased.held[id_], row, said[id_], hearing, moment) for id_, row in rows.items()
    ]
    for payout in apply(leased, decided, rows):
        for one in said[payout]:
            hearing.conclude(one, "its state was changed from outside", applied=False)


def _judge(
    held: Held, row: Details, said: Sequence[Said], hearing: Hearing, moment: datetime
) -> Verdict:
    """What becomes of one payout after all that was said of it."""
    ours = known(held, row)
    name = row.provider_id or said[0].word.paid.provider_id
    fitting, wrong = list[Said](), list[tuple[FindingKind, str]]()
    for one in said:
        found = _contradiction(one, row, ours, name)
        if found is None:
            fitting.append(one)
        else:
            wrong.append(found)
            hearing.contradicts(one, *found)
    if not fitting:
        kind, why = wrong[0]
        return verdicts.contradicted(ours, why, kind)._replace(finding=None)  # told already
    verdict, _ = verdicts.of_events(ours, [one.word.paid for one in fitting], moment)
    outcome = " -> ".join(verdict.path) or f"it is {row.state}"
    if verdict.next.job == FOLLOW and not verdict.next.delay and not verdict.next.no_later:
        outcome += "; the provider is asked"
    elif not verdict.path:
        outcome = f"nothing to do: {outcome}"
    for one in fitting:
        hearing.conclude(one, outcome)
    return verdict


def _contradiction(
    said: Said, row: Details, ours: Known, name: str
) -> tuple[FindingKind, str] | None:
    """How a word does not fit the payout, now that it is held."""
    paid, is_old = said.word.paid, said.generation < said.newest
    if row.generation != said.newest or (is_old and row.state != said.state):
        raise ContendedError("a payout was decided about since it was found")
    if is_old:
        return _K.PAYOUT_PAID_AFTER_FAILED, _paid_before(said)
    if row.effect_state in UNSENT:
        why = f"{paid.provider_id} is {paid.raw_status}, and nothing was ever sent for it here"
        return _K.PAYOUT_ANSWER_MISMATCH, why
    if paid.provider_id != name:
        return _K.PAYOUT_FOUND_TWICE, f"{paid.provider_id} is {paid.raw_status}, beside {name}"
    wrong = mismatch(ours, paid)
    return None if wrong is None else (_K.PAYOUT_ANSWER_MISMATCH, wrong)
