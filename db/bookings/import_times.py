"""The times that a file takes of consultants: none of them twice, and none that is taken already."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Final

import sqlalchemy as sa

from db.importing.order import SET_MAX
from db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """One confirmed time that the line at index `at` of a file takes of a consultant, by their number."""

    at: int
    consultant: int
    starts: datetime
    ends: datetime


_TAKEN: Final = sa.text("""
    SELECT DISTINCT ON (g.place) g.place, s.starts_at
    FROM unnest(CAST(:places AS int[]), CAST(:consultants AS bigint[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
      AS g (place, consultant, starts, ends)
    JOIN slots s ON s.consultant = g.consultant AND s.confirmed AND s.ends_at > g.starts AND s.starts_at < g.ends
      -- No slot lasts longer than a day: the index is read in this stretch alone.
      AND s.starts_at > g.starts - interval '24 hours'
    ORDER BY g.place, s.starts_at""")


def clashes(tx: Tx, times: Sequence[Time]) -> dict[int, datetime]:
    """Which lines take a time that is taken, and since when it is; consultants are locked, so it stays so."""
    found = dict(_among(times))
    for start in range(0, len(times), SET_MAX):
        part = times[start : start + SET_MAX]
        rows = tx.rows(
            _TAKEN,
            places=[one.at for one in part],
            consultants=[one.consultant for one in part],
            starts=[one.starts for one in part],
            ends=[one.ends for one in part],
        )
        found |= {row.place: row.starts_at for row in rows}
    return found


def _among(times: Sequence[Time]) -> Iterator[tuple[int, datetime]]:
    """Times of the file that overlap: the later line of two is named."""
    ordered = sorted(times, key=attrgetter("consultant", "starts"))
    for _, own in groupby(ordered, key=attrgetter("consultant")):
        for first, second in pairwise(own):
            if second.starts < first.ends:
                later, other = sorted((first, second), key=attrgetter("at"))[::-1]
                yield later.at, other.starts
