"""The one item of a set that breaks a rule: put off with its error; after the last step parked, or asked about."""

from dataclasses import replace
from typing import Final

from db import transitions, work
from db.engine import Database
from db.errors import ContendedError, LockedError, OverdueError
from db.transitions import LeasedTx
from db.work import ClaimOrder, Held, Next
from domain.backoff import SETTLE_ERROR_SECONDS, delay
from domain.tally import Count, Tally
from jobs.shapes import Chore, Job

NOBODYS: Final = (ContendedError, LockedError, OverdueError)
"""What somebody else's lock or load does to an item: it is put off, never given up for it."""


def narrower(database: Database, job: Job, order: ClaimOrder) -> ClaimOrder | None:
    """What to claim instead of a set that broke: half as many, then the one that is next, by its name.

    None where it was that one: by name, so that a row somebody else took meanwhile blames no other.
    """
    if order.limit > 1:
        return replace(order, limit=order.limit // 2)
    if order.only is not None and len(order.only) <= 1:
        return None
    return replace(order, only=database.transact(lambda tx: work.first(tx, job.name, order)))


def postpone(
    database: Database, job: Job, order: ClaimOrder, reason: str, error: Exception
) -> Tally:
    """Lease the row that `order` names, without acting on it, and put it off."""
    return database.transact(
        lambda tx: put_off(transitions.claim(tx, job.name, order), job, reason, error)
    )


def put_off(leased: LeasedTx, job: Job, reason: str, error: Exception) -> Tally:
    """Put off what this transaction holds; returns what became of it."""
    doubtful = job.in_doubt(leased, leased.held)
    nexts = [
        _next(held, reason, error, doubtful.get(held.subject)) for held in leased.held.values()
    ]
    leased.settle([one for one in nexts if not _given_up(leased, job, one)])
    tally = Tally(_count(job, one) for one in nexts)
    tally[Count.PROCESSED] = len(nexts)
    return tally


def _next(held: Held, reason: str, error: Exception, asks: str | None) -> Next:
    """A later date; past the ladder's end the job that `asks`, or else a person."""
    wait, tries = delay(SETTLE_ERROR_SECONDS, held.tries), held.tries + 1
    if held.tries < len(SETTLE_ERROR_SECONDS) or isinstance(error, NOBODYS):
        return Next(held.subject, held.job, wait, tries, reason)
    if asks is not None:
        return Next(held.subject, asks, error=reason)
    return Next(held.subject, held.job, wait, tries, reason, parked=reason)


def _given_up(leased: LeasedTx, job: Job, what: Next) -> bool:
    """Whether a Chore concluded the item itself instead of parking it."""
    if what.parked is None or not isinstance(job, Chore):
        return False
    return job.give_up(leased, what.subject, what.parked)


def _count(job: Job, what: Next) -> Count:
    if what.job != job.name:
        return Count.UNKNOWN
    return Count.PARKED if what.parked else Count.FAILED
