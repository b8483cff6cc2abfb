"""What must hold at the end of the demo, decided from two lists: ours and the bank's own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.audit import Result
from domain.answers import ProviderPayout, ProviderStatus
from domain.payout_ids import reference
from domain.payouts import PayoutState
from workers.practice import Counted
from workers.sandbox.faults import Fault

FINAL: Final = frozenset({PayoutState.COMPLETED, PayoutState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """One payout as our database has it. Amount in minor units."""

    id: UUID
    state: PayoutState
    amount_minor: int
    generation: int
    is_share: bool = False
    """Whether it pays a lender's share: out of the cash of its mortgage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One thing that must hold, whether it does, and the figures that say so."""

    name: str
    holds: bool
    detail: str


def promises(
    ours: Sequence[Ours], theirs: Sequence[ProviderPayout], books: Mapping[str, tuple[int, int]]
) -> list[Promise]:
    """Return what was promised and whether it was kept.

    `theirs` is every transfer the bank made; `books` are (debits, credits) by kind of account.
    """
    paid = [t for t in theirs if t.status is ProviderStatus.PAID]
    return [_all_final(ours), *_paid_once(ours, theirs, paid), *_sums(ours, paid, books)]


def audited(results: Sequence[Result]) -> Promise:
    """Return the audit's result as one promise, naming what was broken."""
    broken = [result.name for result in results if not result.holds]
    looked_at = sum(result.looked_at for result in results)
    detail = f"{len(results)} promises checked on {looked_at} rows"
    return Promise(
        name="the audit finds nothing",
        holds=not broken and bool(results),
        detail=f"{detail}; broken: {', '.join(broken)}" if broken else detail,
    )


def unforged(counted: Counted) -> Promise:
    """Return whether every forged webhook was turned away."""
    tried, believed = counted.faults.get(Fault.EVENT_FORGED, 0), counted.forgeries_believed
    return Promise(
        name="no forged webhook was believed",
        holds=believed == 0,
        detail=f"{tried} forged, {believed} believed",
    )


def _all_final(ours: Sequence[Ours]) -> Promise:
    states = Counter(payout.state for payout in ours)
    open_now = sum(count for state, count in states.items() if state not in FINAL)
    return Promise(
        name="every payout is completed or failed",
        holds=open_now == 0 and bool(ours),
        detail=f"{len(ours)} payouts, {open_now} open",
    )


def _paid_once(
    ours: Sequence[Ours], theirs: Sequence[ProviderPayout], paid: Sequence[ProviderPayout]
) -> list[Promise]:
    times = Counter(transfer.reference for transfer in theirs)
    most = max(times.values(), default=0)
    successes = Counter(transfer.reference for transfer in paid)
    completed = [p for p in ours if p.state is PayoutState.COMPLETED]
    failed = [p for p in ours if p.state is PayoutState.FAILED]
    unpaid = [p for p in completed if successes[_reference(p)] != 1]
    lost = [
        p for p in failed if any(successes[reference(p.id, g)] for g in range(1, p.generation + 1))
    ]
    known = {reference(p.id, g) for p in ours for g in range(1, p.generation + 1)}
    strangers = [t for t in theirs if t.reference not in known]
    return [
        Promise(
            name="the bank made at most one transfer per reference",
            holds=most <= 1,
            detail=f"{len(theirs)} transfers for {len(times)} references, at most {most} each",
        ),
        Promise(
            name="each completed payout was paid once",
            holds=not unpaid,
            detail=f"{len(completed)} completed, {len(unpaid)} not paid exactly once",
        ),
        Promise(
            name="no failed payout was paid",
            holds=not lost,
            detail=f"{len(failed)} failed, {len(lost)} of them paid",
        ),
        Promise(
            name="the bank paid nothing we did not ask for",
            holds=not strangers,
            detail=f"{len(strangers)} transfers without a payout",
        ),
    ]


def _sums(
    ours: Sequence[Ours], paid: Sequence[ProviderPayout], books: Mapping[str, tuple[int, int]]
) -> list[Promise]:
    done = [p for p in ours if p.state is PayoutState.COMPLETED]
    completed = sum(p.amount_minor for p in done)
    of_mortgages = sum(p.amount_minor for p in done if p.is_share)
    at_bank = sum(t.amount_minor for t in paid)
    debited = sum(debit for debit, _ in books.values())
    credited = sum(credit for _, credit in books.values())
    cash = books.get("cash", (0, 0))
    transit = books.get("payouts_in_transit", (0, 0))
    return [
        Promise(
            name="our sum of completed payouts is the bank's sum of paid transfers",
            holds=completed == at_bank,
            detail=f"{completed} and {at_bank} minor units",
        ),
        Promise(
            name="the books balance, nothing is in transit, and cash paid what was completed",
            holds=debited == credited
            and transit[0] == transit[1]
            and cash[1] - cash[0] == completed - of_mortgages,
            detail=f"debits {debited}, credits {credited}, in transit {transit[1] - transit[0]}, "
            f"cash {cash[1] - cash[0]}, cash of mortgages {of_mortgages}",
        ),
    ]


def _reference(payout: Ours) -> str:
    return reference(payout.id, payout.generation)
