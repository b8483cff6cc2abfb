"""Every job there is, a line each; a process builds those it has the ports for."""

from collections.abc import Sequence
from typing import Final

from jobs.bookings.ask_orders import AskOrders
from jobs.bookings.close_orders import CloseOrders
from jobs.bookings.complete import CompleteBookings
from jobs.bookings.expire_checkouts import ExpireCheckouts
from jobs.bookings.expire_wishes import ExpireWishes
from jobs.bookings.flag_orphans import FlagOrphans
from jobs.bookings.open_orders import OpenOrders
from jobs.bookings.release_tentative import ReleaseTentative
from jobs.cash.reconcile import ReconcileCash
from jobs.dispersals.create import CreateDispersals
from jobs.dispersals.disburse import DisburseDispersals
from jobs.dispersals.heal import HealDispersals
from jobs.mails.send import SendMails
from jobs.notices.deliver import DeliverNotices
from jobs.payouts.batch import BatchPayouts
from jobs.payouts.check_stuck import CheckStuck
from jobs.payouts.follow import FollowPayouts
from jobs.payouts.org_batch import BatchOrganisations
from jobs.payouts.org_process import ProcessOrganisations
from jobs.payouts.process import ProcessPayouts
from jobs.payouts.reconcile import ReconcilePayouts
from jobs.payouts.recover import RecoverPayouts
from jobs.ports import Ports
from jobs.refunds.cascade import CascadeRefunds
from jobs.refunds.recover import RecoverRefunds
from jobs.refunds.submit import SubmitRefunds
from jobs.shapes import Job
from jobs.upkeep.audit import AuditBooks
from jobs.upkeep.prune import Prune
from jobs.upkeep.seal import SealBooks
from jobs.upkeep.watch import Watch
from jobs.waitlist.expire import ExpireOffers
from jobs.waitlist.offer import OfferPlaces
from jobs.waitlist.remind import RemindOffered
from jobs.webhooks.apply import ApplyEvents

__all__ = ["ALL", "Ports", "build", "queue_of", "rows"]

ALL: Final[tuple[type[Job], ...]] = (
    BatchPayouts,
    BatchOrganisations,
    ProcessPayouts,
    ProcessOrganisations,
    RecoverPayouts,
    FollowPayouts,
    CheckStuck,
    ReconcilePayouts,
    DeliverNotices,
    OfferPlaces,
    RemindOffered,
    ExpireOffers,
    SendMails,
    ApplyEvents,
    OpenOrders,
    AskOrders,
    CloseOrders,
    ExpireCheckouts,
    ExpireWishes,
    ReleaseTentative,
    CompleteBookings,
    FlagOrphans,
    CreateDispersals,
    HealDispersals,
    DisburseDispersals,
    ReconcileCash,
    SubmitRefunds,
    RecoverRefunds,
    CascadeRefunds,
    Watch,
    AuditBooks,
    SealBooks,
    Prune,
)


def build(ports: Ports) -> dict[str, Job]:
    """The jobs a process with these ports can run, by name."""
    made = (job.made(ports) for job in ALL)
    return {job.name: job for job in made if job is not None}


def rows() -> Sequence[tuple[str, str, str, int, str]]:
    """(job, queue, shape, version, summary) of every job, for the database's copy of this page."""
    return [(job.name, job.queue.value, job.shape, job.version, job.summary()) for job in ALL]


def queue_of(job: str) -> str:
    """The queue of a job by name. Raises `KeyError` for a job that is not on this page."""
    return {j.name: j.queue.value for j in ALL}[job]
