"""Every promise of the audit, for who asks them after each death and each schedule."""

from typing import Any

from db.audit import INVARIANTS, Offence, look
from db.engine import DatabaseOptions
from tests.links import LINKS


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
        looks = [
            (one.name, look(tx, one, after=None, page=10_000, most=3, deep=True))
            for one in INVARIANTS
        ]
    return [(name, seen.offences) for name, seen in looks if seen.found]
