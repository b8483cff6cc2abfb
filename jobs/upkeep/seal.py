"""Seal the books: chain what is committed, hash by hash."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

from db import seals
from db.tx import Tx
from domain.tally import Count, Tally
from jobs.shapes import Page, Queue, Sweep

LOOKS_MAX: Final = 100
"""How often one run looks whether those who were posting are done; the next run looks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Up to which id this run seals, once `holders` are gone; how often it looked."""

    last: int
    holders: tuple[str, ...]
    looks: int = 0


class SealBooks(Sweep):
    """Seal entries that nobody can add to any more: each seal holds the hash of the one before."""

    name: ClassVar[str] = "upkeep.seal"
    queue: ClassVar[Queue] = Queue.REST
    triggerable: ClassVar[bool] = True

    def page(self, tx: Tx, cursor: Mapping[str, Any], run: int) -> Page:
        """Find out how far it is safe, then seal, one seal a page."""
        if not cursor:
            seen = seals.horizon(tx)
            return Page(
                cursor=asdict(Place(last=seen.last, holders=tuple(seen.holders))), tally=Tally()
            )
        place = Place(**cursor)
        left = (
            tuple(one for one in seals.holders(tx) if one in place.holders) if place.holders else ()
        )
        if left:
            again = Place(last=place.last, holders=left, looks=place.looks + 1)
            waiting = Tally({Count.WAITING: len(left)})
            return Page(cursor=asdict(again) if again.looks < LOOKS_MAX else None, tally=waiting)
        sealed = seals.seal(tx, place.last)
        tally = Tally({Count.PROCESSED: sealed, Count.SUCCEEDED: sealed})
        done = Place(last=place.last, holders=())
        return Page(cursor=asdict(done) if sealed == seals.SEAL_MAX else None, tally=tally)
