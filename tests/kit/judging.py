"""Every promise of the audit, for who asks them after each test, each death and each schedule."""

import re
from typing import Any, Final

import sqlalchemy as sa

from db.audit import INVARIANTS, Invariant, Offence, look
from db.engine import DatabaseOptions
from db.invariant import statement
from db.tx import Tx
from tests.links import LINKS

PAGE: Final = 10_000
_GIVEN: Final = {
    "after": "CAST(NULL AS text)",
    "page": str(PAGE),
    "most": "3",
    "deep": "true",
    "now": "CAST(NULL AS text)",
}


def _as_given(invariant: Invariant) -> str:
    """The statement of one promise, what is asked of it written out: its types differ from one to the next."""
    return re.sub(r"(?<!:):([a-z]+)\b", lambda found: _GIVEN[found[1]], statement(invariant).text)


_ALL: Final = sa.text(
    " UNION ALL ".join(
        f"SELECT {n} AS number, looked_at, found FROM ({_as_given(one)}) look{n}"  # noqa: S608  our own
        for n, one in enumerate(INVARIANTS)
    )
)


def broken(url: str) -> list[tuple[str, tuple[Offence, ...]]]:
    """The promises that the small database at `url` does not keep, each with what breaks it.

    One statement for all of them, planned once, on a connection that is kept: to plan it takes far
    longer than to look. What is broken, or has more than a page, is looked at by itself.
    """
    with (
        LINKS.opened(DatabaseOptions(url=url, application="judge", pool_max=1)) as database,
        database.begin() as tx,
    ):
        driver: Any = tx.connection.connection.driver_connection
        driver.prepare_threshold, driver.prepared_max = 0, None
        closer = {seen.number for seen in tx.rows(_ALL) if seen.found or seen.looked_at >= PAGE}
        looks = [(INVARIANTS[n].name, _offences(tx, INVARIANTS[n])) for n in sorted(closer)]
    return [(name, offences) for name, offences in looks if offences]


def _offences(tx: Tx, invariant: Invariant) -> tuple[Offence, ...]:
    """The first that break `invariant` on the first page on which any does."""
    after: str | None = None
    while True:
        seen = look(tx, invariant, after=after, page=PAGE, most=3, deep=True)
        if seen.found or seen.after is None:
            return seen.offences
        after = seen.after
