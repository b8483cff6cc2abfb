"""Every job there is, on one page; a process builds those it has the ports for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.ports import Alerts, Bank
from jobs.payouts.follow import FollowPayouts
from jobs.payouts.process import ProcessPayouts
from jobs.payouts.recover import RecoverPayouts
from jobs.shapes import Job
from jobs.upkeep.audit import AuditBooks
from jobs.upkeep.prune import Prune
from jobs.upkeep.watch import Watch

ALL: Final[tuple[type[Job], ...]] = (
    ProcessPayouts,
    RecoverPayouts,
    FollowPayouts,
    Watch,
    AuditBooks,
    Prune,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The outside world as this process reaches it; a job whose port is None is not known here."""

    bank: Bank | None = None
    alerts: Alerts | None = None
    call_seconds_max: float = 8.0
    """The total time-out of one call to the bank."""
    recover_seconds: tuple[float, ...] = (30.0, 60.0, 120.0, 300.0, 600.0)


def build(ports: Ports) -> dict[str, Job]:
    """The jobs a process with these ports can run, by name."""
    jobs: list[Job] = [Watch(ports.alerts), AuditBooks(), Prune()]
    if ports.bank is not None:
        jobs += [
            ProcessPayouts(
                ports.bank,
                call_seconds_max=ports.call_seconds_max,
                recover_seconds=ports.recover_seconds,
            ),
            RecoverPayouts(
                ports.bank,
                call_seconds_max=ports.call_seconds_max,
                recover_seconds=ports.recover_seconds,
            ),
            FollowPayouts(ports.bank, call_seconds_max=ports.call_seconds_max),
        ]
    return {job.name: job for job in jobs}


def rows() -> Sequence[tuple[str, str, str, int, str]]:
    """(job, queue, shape, version, summary) of every job, for the database's copy of this page."""
    return [(job.name, job.queue.value, job.shape, job.version, job.summary()) for job in ALL]


def queue_of(job: str) -> str:
    """The queue of a job by name. Raises `KeyError` for a job that is not on this page."""
    return {j.name: j.queue.value for j in ALL}[job]
