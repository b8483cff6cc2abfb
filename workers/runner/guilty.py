"""The one item of a set that breaks a rule: put off with its error, parked after the last step."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from db.engine import Database
from db.errors import ContendedError, LockedError, OverdueError
from db.transitions import LeasedTx, claim
from db.tx import Tx
from db.work import ClaimOrder, Held, Next
from domain.backoff import SETTLE_ERROR_SECONDS, delay

NOBODYS: Final = (ContendedError, LockedError, OverdueError)
"""What somebody else's lock or load does to an item: it is put off, never parked for it."""


def later(held: Held, reason: str, error: Exception) -> Next:
    """Date a row whose rows break a rule later; park it after the last step of the ladder."""
    worn = held.tries >= len(SETTLE_ERROR_SECONDS) and not isinstance(error, NOBODYS)
    wait = delay(SETTLE_ERROR_SECONDS, held.tries)
    return Next(
        subject=held.subject,
        job=held.job,
        delay=wait,
        tries=held.tries + 1,
        error=reason,
        parked=reason if worn else None,
    )


GiveUp = Callable[[LeasedTx, UUID, str], bool]
"""Concludes an item after its last try instead of parking it, or says False."""


def postpone_first(
    database: Database,
    job: str,
    order: ClaimOrder,
    reason: str,
    error: Exception,
    *,
    give_up: GiveUp = lambda _tx, _subject, _reason: False,
) -> int:
    """Lease the row that a claim of one would take, without acting on it, and put it off; returns how many."""

    def postpone(tx: Tx) -> int:
        leased = claim(tx, job, order)
        nexts = [later(held, reason, error) for held in leased.held.values()]
        leased.settle([n for n in nexts if not (n.parked and give_up(leased, n.subject, n.parked))])
        return len(nexts)

    return database.transact(postpone)
