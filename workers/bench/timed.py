"""A database that knows how long its longest transaction was: for no longer was any lock of it held."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from db.engine import TRANSACTION_SECONDS, Database
from db.tx import Tx


class Timed(Database):
    """Times each transaction by this process's clock, from before its first statement until its commit is answered."""

    longest_seconds = 0.0

    @contextmanager
    def begin(self, seconds: float = TRANSACTION_SECONDS) -> Iterator[Tx]:
        """As any database does."""
        began = time.monotonic()
        try:
            with super().begin(seconds) as tx:
                yield tx
        finally:
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)
