"""Everything a run left behind, gathered once its processes have ended: what it is judged by."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from db import audit
from db.audit import Result
from db.chaos import sometimes, verdict
from db.tx import Row
from workers.chaos.bank import Telling, Transfer
from workers.chaos.heard import Heard, listen
from workers.chaos.house import House
from workers.chaos.people import People
from workers.chaos.storm import Course


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Of the database, the bank's book, the processes' logs, the people, and the storm itself."""

    payouts: Sequence[Row]
    leases: Sequence[Row]
    runs: Sequence[Row]
    """Those that have not ended, or say not why they ended badly."""
    missing_ticks: Sequence[Row]
    ticks: int
    audit: Sequence[Result]
    counts: Mapping[str, int]
    inbox: Sequence[Row]
    """Every webhook that was kept."""
    told: Sequence[Telling]
    """Every webhook that was the bank's."""
    transfers: Sequence[Transfer]
    stuck_keys: set[str]
    facts: Mapping[str, int]
    heard: Heard
    accepted: Mapping[UUID, str]
    met: Counter[str]
    course: Course
    commits_cut: int


def gather(house: House, people: People, course: Course) -> Evidence:
    """Look everywhere. Processes have ended; servers run."""
    with house.observer.begin(60) as tx:
        payouts, leases = verdict.payouts(tx), verdict.leases(tx)
        runs, missing = verdict.unexplained_runs(tx), verdict.missing_ticks(tx)
        ticks, counts, inbox = verdict.tick_count(tx), sometimes.counts(tx), verdict.inbox(tx)
    return Evidence(
        payouts=payouts,
        leases=leases,
        runs=runs,
        missing_ticks=missing,
        ticks=ticks,
        audit=audit.run(house.observer),
        counts=counts,
        inbox=inbox,
        told=house.bank.told(),
        transfers=house.bank.transfers(),
        stuck_keys=house.bank.stuck_keys(),
        facts=house.bank.facts(),
        heard=listen(house.log),
        accepted=dict(people.accepted),
        met=people.met,
        course=course,
        commits_cut=house.database_link.commits_cut,
    )
