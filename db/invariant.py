"""One promise about the data, and the one statement that finds what breaks it, a page at a time.

Every statement is one snapshot: what a transaction changed together is seen together, so an audit
needs no quiet moment. The page is materialized before anything is joined to it, so that a page costs
the same whatever the size of the tables beside it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

import sqlalchemy as sa

from db.tx import Tx
from domain.findings import FindingKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How a table is gone through.

    `page` yields a column `at`, its key, and whatever the check reads, in key order, at most `:page` rows
    after `:after` (text, null at first). A walk that is not `paged` yields everything at once.
    """

    page: str
    paged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """What must hold. `offences` reads the walk's rows as `page` and yields (subject, detail)."""

    name: str
    promise: str
    walk: Walk
    offences: str
    finding: FindingKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """One thing that breaks a promise, and how."""

    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one page showed: `found` offences, the first of which are given; `after` None ends it."""

    looked_at: int
    after: str | None
    found: int
    offences: tuple[Offence, ...]


_LOOK: Final = """
    WITH page AS MATERIALIZED (
      SELECT x.*, row_number() OVER () AS place FROM ({page}) x),
    offence AS MATERIALIZED (
      {offences})
    SELECT seen.looked_at, seen.last, o.subject, o.detail, coalesce(o.found, 0) AS found
    FROM (SELECT count(*) AS looked_at,
                 (SELECT CAST(l.at AS text) FROM page l ORDER BY l.place DESC LIMIT 1) AS last FROM page) seen
    LEFT JOIN LATERAL (
      SELECT x.subject, x.detail, count(*) OVER () AS found FROM offence x ORDER BY x.subject LIMIT :most) o ON true"""


@cache
def statement(invariant: Invariant) -> sa.TextClause:
    """What `look` runs: one row for each offence that is named, one with nulls where there is none."""
    return sa.text(_LOOK.format(page=invariant.walk.page, offences=invariant.offences))


def look(
    tx: Tx,
    invariant: Invariant,
    *,
    after: str | None,
    page: int,
    most: int,
    deep: bool,
    now: datetime | None = None,
) -> Look:
    """Check the page that begins after `after`; at most `most` offences are named, all are counted.

    Where `deep` is false, what can only be recomputed from the whole of history is left out. `now` is for
    promises that ask how long something has been.
    """
    given = {"after": after, "page": page, "most": most, "deep": deep, "now": now}
    asked = statement(invariant)
    rows = tx.rows(asked, **{name: given[name] for name in asked.compile().params})
    first = rows[0]
    ended = not invariant.walk.paged or first.looked_at < page
    return Look(
        looked_at=first.looked_at,
        after=None if ended else first.last,
        found=first.found,
        offences=tuple(
            Offence(subject=r.subject, detail=r.detail) for r in rows if r.subject is not None
        ),
    )
