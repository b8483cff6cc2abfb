"""Every promise of the audit, for who asks them after each test, each death and each schedule."""

from typing import Any, Final

from db.audit import INVARIANTS, Invariant, Offence, look
from db.engine import DatabaseOptions
from db.tx import Tx
from tests.links import LINKS

PAGE: Final = 10_000


def broken(url: str) -> list[tuple[str, tuple[Offence, ...]]]:
    """The promises that the small database at `url` does not keep, each with what breaks it.

    They are planned once, on a connection that is kept: to plan them takes five times as long as to look.
    """
    with (
        LINKS.opened(DatabaseOptions(url=url, application="judge", pool_max=1)) as database,
        database.begin() as tx,
    ):
        driver: Any = tx.connection.connection.driver_connection
        driver.prepare_threshold, driver.prepared_max = 0, None
        return [(one.name, found) for one in INVARIANTS if (found := _offences(tx, one))]


def _offences(tx: Tx, invariant: Invariant) -> tuple[Offence, ...]:
    """The first that break `invariant` on the first page on which any does."""
    after: str | None = None
    while True:
        seen = look(tx, invariant, after=after, page=PAGE, most=3, deep=True)
        if seen.found or seen.after is None:
            return seen.offences
        after = seen.after
