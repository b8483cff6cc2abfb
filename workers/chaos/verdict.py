"""What must hold after a storm, judged by id: our database against the bank's own book."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from db.tx import Row
from domain.inbox import EventState
from domain.payout_ids import of_reference, reference
from domain.payouts import SETTLED, PayoutState
from workers.chaos.bank import GIVEN_BACK, PAID, Transfer
from workers.chaos.evidence import Evidence
from workers.chaos.release import UNKNOWN_TO_THE_ELDER
from workers.sandbox.faults import Fault

NAMED_MAX: Final = 5
EXITS: Final = frozenset({0, 1, 3, -9, -15})
"""How a process may end in a storm: in order, by an error it names, without its servers, or by a signal."""
FORGED: Final = f"fault:{Fault.EVENT_FORGED}"
FINAL: Final = SETTLED | {PayoutState.COMPLETED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One promise: whether it was kept, the figures, and the payouts that concern it."""

    name: str
    holds: bool
    detail: str
    payouts: tuple[UUID, ...] = ()


@dataclass(slots=True)
class _Book:
    """The bank's transfers by payout and by reference."""

    by_reference: dict[str, list[Transfer]] = field(default_factory=lambda: defaultdict(list))

    def of(self, payout: Row) -> list[Transfer]:
        """Every transfer for any generation of a payout."""
        names = [reference(payout.id, g) for g in range(1, payout.generation + 1)]
        return [t for name in names for t in self.by_reference.get(name, ())]


def judge(found: Evidence) -> list[Check]:
    """Return every promise, kept or broken."""
    book = _Book()
    for transfer in found.transfers:
        book.by_reference[transfer.reference].append(transfer)
    return [
        *_money(found, book),
        *_nothing_lost(found),
        *_webhooks(found),
        _audited(found),
        _sums(found, book),
        *_ended(found),
        *_processes(found),
    ]


def doubled(found: Evidence) -> list[str]:
    """References that the bank paid more than once."""
    times = Counter(t.reference for t in found.transfers)
    return [name for name, count in times.items() if count > 1]


def lost(found: Evidence) -> list[UUID]:
    """Payouts whose import was acknowledged and that are not there, or have no end and no reason."""
    there = {p.id for p in found.payouts}
    missing = [id_ for id_ in found.accepted if id_ not in there]
    stuck = {UUID(key) for key in found.stuck_keys}
    return missing + [p.id for p in found.payouts if _is_open(p, stuck)]


def _is_open(payout: Row, stuck: set[UUID]) -> bool:
    if payout.state in FINAL or payout.parked_reason or payout.state == PayoutState.PENDING:
        return False
    return not (payout.effect == "unknown" and payout.key in stuck and payout.job is not None)


def _money(found: Evidence, book: _Book) -> Iterator[Check]:
    twice = doubled(found)
    named = [of[0] for name in twice if (of := of_reference(name)) is not None]
    yield _check("no reference was paid twice", named or twice, f"{len(found.transfers)} transfers")
    completed = [p for p in found.payouts if p.state == PayoutState.COMPLETED]
    unpaid = [p.id for p in completed if [t.status for t in book.of(p)].count(PAID) != 1]
    yield _check("each completed payout was paid once", unpaid, f"{len(completed)} completed")
    given = [p for p in found.payouts if p.state == PayoutState.REVERSED]
    kept = [p.id for p in given if GIVEN_BACK not in {t.status for t in book.of(p)}]
    yield _check("each reversed payout was given back", kept, f"{len(given)} reversed")
    ended = [p for p in found.payouts if p.state in {PayoutState.FAILED, PayoutState.CANCELLED}]
    paid = [p.id for p in ended if PAID in {t.status for t in book.of(p)}]
    yield _check("no failed or cancelled payout was paid", paid, f"{len(ended)} such")
    known = {reference(p.id, g) for p in found.payouts for g in range(1, p.generation + 1)}
    strange = [name for name in book.by_reference if name not in known]
    yield _check(
        "the bank paid nothing that we did not ask for", strange, f"{len(known)} references"
    )
    wrong = [p.id for p in found.payouts if any(t.amount_minor != p.amount for t in book.of(p))]
    yield _check("each was paid its own amount", wrong, f"{len(found.payouts)} payouts")


def _nothing_lost(found: Evidence) -> Iterator[Check]:
    gone = lost(found)
    yield _check(
        "no accepted payout was lost or left open", gone, f"{len(found.accepted)} accepted"
    )
    stuck = {UUID(key) for key in found.stuck_keys}
    unknown = [p for p in found.payouts if p.effect == "unknown" and p.state not in FINAL]
    unaccounted = [p.id for p in unknown if p.key not in stuck and not p.parked_reason]
    yield _check(
        "every unknown payment is accounted for",
        unaccounted,
        f"{len(unknown)} unknown: the bank answers them with errors for ever, or a person is asked",
    )
    silent = [p.id for p in found.payouts if p.job is None and p.state not in FINAL]
    yield _check("nothing open waits for nobody", silent, f"{len(found.payouts)} payouts")


def _webhooks(found: Evidence) -> Iterator[Check]:
    tried, believed = found.facts.get(FORGED, 0), found.facts.get("forgeries_believed", 0)
    told, kept = {one.digest for one in found.told}, {event.digest for event in found.inbox}
    forged = [f"event {e.event_id}, {e.type}" for e in found.inbox if e.digest not in told]
    answered = [f"{believed} were answered 2xx"] if believed else []
    yield _check("no forged webhook was believed", answered + forged, f"{tried} forged")
    gone = [one.digest for one in found.told if one.heard and one.digest not in kept]
    heard = sum(1 for one in found.told if one.heard)
    yield _check("no webhook that was acknowledged was lost", gone, f"{heard} acknowledged")
    open_ = [
        f"event {e.event_id}, {e.type}: {e.state} {e.outcome or ''}"
        for e in found.inbox
        if e.waits or e.state == EventState.FAILED
    ]
    yield _check("every webhook that was kept was applied", open_, f"{len(found.inbox)} kept")


def _audited(found: Evidence) -> Check:
    broken = [f"{r.name}: {r.offences[0].detail}" for r in found.audit if not r.holds]
    return _check("the audit finds nothing", broken, f"{len(found.audit)} promises")


def _sums(found: Evidence, book: _Book) -> Check:
    ours = sum(p.amount for p in found.payouts if p.state == PayoutState.COMPLETED)
    open_ = {p.id for p in found.payouts if p.state not in FINAL}
    theirs = sum(
        t.amount_minor
        for name, transfers in book.by_reference.items()
        for t in transfers
        if t.status == PAID and not ((of := of_reference(name)) and of[0] in open_)
    )
    apart = [] if ours == theirs else [f"{ours} here, {theirs} there"]
    return _check("our sum is the bank's, to the paisa", apart, f"{ours} minor units")


def _ended(found: Evidence) -> Iterator[Check]:
    leases = [f"{row.what} of {row.who}" for row in found.leases]
    yield _check("no lease is left", leases, "after every process ended")
    runs = [f"run {r.id} of {r.job} is {r.state}: {r.reason}" for r in found.runs]
    yield _check("no run is unexplained", runs, "queued, running, or ended without a reason")
    ticks = [f"{row.schedule} at {row.at:%H:%M:%S}" for row in found.missing_ticks]
    yield _check("every tick is a run or a recorded reason", ticks, f"{found.ticks} ticks")
    recovery = found.course.recovery
    if recovery is not None:
        late = [f"after {recovery.freed_seconds} s"] if recovery.is_late else []
        detail = (
            f"free after {recovery.freed_seconds} s, bound {recovery.bound_seconds:g} s; in line with"
            f" others, the first was claimed after {recovery.claimed_seconds} s and the last of"
            f" {len(recovery.held)} after {recovery.settled_seconds} s"
        )
        yield _check("a killed worker's work was free for others in time", late, detail)
    ended = [] if found.course.drained else [f"still open after {found.course.quiet_seconds:g} s"]
    yield _check("everything ended", ended, f"{found.course.quiet_seconds:g} s after the storm")


def _processes(found: Evidence) -> Iterator[Check]:
    bad = [
        f"{name} ended with {code}, {times} times"
        for (name, code), times in found.heard.exits.items()
        if code not in EXITS
    ]
    yield _check("no process fell over", bad + found.heard.tracebacks, "exit codes and tracebacks")
    late = [f"{found.heard.late_stops} times"] if found.heard.late_stops else []
    yield _check(
        "whoever was asked to stop did so in time", late, "with what was under way settled"
    )
    beyond = [
        f"elder ran {job}"
        for name, job in found.heard.ran
        if name == "elder" and job in UNKNOWN_TO_THE_ELDER
    ]
    yield _check("no release did what it does not know", beyond, "an older one beside a newer")


def _check(name: str, offences: Sequence[object], detail: str) -> Check:
    shown = ", ".join(str(o) for o in offences[:NAMED_MAX])
    more = f" and {len(offences) - NAMED_MAX} more" if len(offences) > NAMED_MAX else ""
    return Check(
        name=name,
        holds=not offences,
        detail=f"{detail}; {len(offences)}: {shown}{more}" if offences else detail,
        payouts=tuple(o for o in offences if isinstance(o, UUID))[:NAMED_MAX],
    )
