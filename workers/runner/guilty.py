"""The one item of a set that breaks a rule: put off with its error; after the last step parked, or asked about."""

from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from db import transitions, work
from db.engine import Database
from db.errors import ContendedError, LockedError, OverdueError, named
from db.rejections import attempt
from db.transitions import LeasedTx
from db.work import ClaimOrder, Held, Next
from domain.backoff import SETTLE_ERROR_SECONDS, delay
from domain.errors import UnreachableError
from domain.tally import Count, Tally
from jobs.shapes import Chore, Job

log = structlog.get_logger(__name__)

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
    left = [(one, _left(leased, job, one)) for one in nexts]
    leased.settle([rest for _, rest in left if rest is not None])
    tally = Tally(_count(job, rest or one) for one, rest in left)
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


def _left(leased: LeasedTx, job: Job, what: Next) -> Next | None:
    """What is left to settle of an item: nothing where a Chore concluded it itself instead of parking it."""
    if what.parked is None or not isinstance(job, Chore):
        return what
    done = _concluded(leased, job, what.subject, what.parked)
    if isinstance(done, bool):
        return None if done else what
    reason = f"{what.parked}; nor could it be given up: {done}"
    return what._replace(error=reason, parked=None if isinstance(done, NOBODYS) else reason)


def _concluded(leased: LeasedTx, job: Chore, subject: UUID, reason: str) -> bool | Exception:
    """Whether a Chore concluded an item by itself; or what kept it from that, with nothing of it left behind."""
    try:
        return attempt(leased, partial(job.give_up, leased, subject, reason))
    except Exception as error:  # whatever it was, the run and the others must not suffer for it
        told = named(error)
        if isinstance(told, UnreachableError):
            raise
        log.exception("chore.not_given_up", job=job.name, subject=str(subject))
        return told


def _count(job: Job, what: Next) -> Count:
    if what.job != job.name:
        return Count.UNKNOWN
    return Count.PARKED if what.parked else Count.FAILED
