"""The books, sealed as far as they may be."""

from typing import Any

from db.engine import Database
from domain.tally import Count
from jobs.upkeep.seal import SealBooks


def sealed(database: Database) -> int:
    """Run the job that seals, page by page; returns how many entries it sealed."""
    cursor: Any = {}
    done = 0
    while cursor is not None:
        with database.begin() as tx:
            page = SealBooks().page(tx, cursor, run=1)
        done += page.tally[Count.SUCCEEDED]
        cursor = page.cursor
    return done
