"""What each refund of a gateway's list is to a database that was restored, and what is to be done about it."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from db.reconcile import Match, Matches
from db.refunds.words import Said
from domain.checkout_answers import RefundStatus
from domain.findings import Finding, FindingKind
from domain.refunds import RefundState

_K: Final = FindingKind
_S: Final = RefundState


@dataclass(slots=True, kw_only=True)
class Sorted:
    """A page of refunds by what is to be done about each."""

    matches: Matches = field(default_factory=Matches)
    sent: set[UUID] = field(default_factory=set)
    approve: set[UUID] = field(default_factory=set)
    """Of these, those that are to be approved, or retried, first: somebody had done so."""
    unasked: list[Said] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def flag(self, match: Match, kind: FindingKind, subject: str, detail: str) -> None:
        """Let a person look at one of them."""
        self.matches[match] += 1
        self.findings.append(Finding(kind=kind, subject=subject, detail=detail))


def place(done: Sorted, said: Said) -> None:
    """Sort one refund of the list, by where ours is."""
    if said.refund is None:
        _place_unasked(done, said)
        return
    is_newest = said.generation == said.newest
    is_retried = said.generation == said.newest + 1 and said.state == _S.FAILED
    if is_retried or (is_newest and said.state == _S.PROPOSED):
        done.approve.add(said.refund)
        done.sent.add(said.refund)
    elif is_newest and said.state == _S.RESERVED:
        done.sent.add(said.refund)
    elif is_newest and said.state == _S.PROCESSING:
        done.matches[Match.KNOWN] += 1  # its job sends it again under its key, or asks
    elif said.status is RefundStatus.FAILED:
        done.matches[Match.ENDED] += 1
    else:
        here = f"here it is {said.state} in generation {said.newest}"
        detail = f"{said.said} in generation {said.generation}; {here}"
        if said.generation == said.newest + 1:
            detail += f". Compare again once generation {said.newest} has FAILED, and have it tried by nobody before"
        done.flag(Match.SURPLUS, _K.REFUND_CONTRADICTED, f"refund {said.refund}", detail)


def _place_unasked(done: Sorted, said: Said) -> None:
    told = said.word.told
    if said.status is RefundStatus.FAILED:
        done.matches[Match.ENDED] += 1
    elif said.payment is None:
        detail = f"{said.said}, of a capture that nobody here knows: {told.payment_id}"
        done.flag(Match.FOREIGN, _K.REFUND_UNASKED, named(said), detail)
    elif said.status is RefundStatus.SUCCEEDED and not (said.is_awaited and not told.reference):
        done.unasked.append(said)
    else:
        detail = f"{said.said}, and not taken over yet: compare again once it is given, and ours are settled"
        done.flag(Match.FOREIGN, _K.REFUND_UNASKED, named(said), detail)


def named(said: Said) -> str:
    """Whom a finding is about, where it is no refund of ours."""
    return f"gateway refund {said.word.told.provider_id}"
