"""The database as the rest of Bursar sees it: short transactions on connections with every limit stated.

READ COMMITTED everywhere. A connection is taken for one transaction and given back. The search path
is pinned to the one schema, the role to what the process needs; behind a pooler in transaction mode
both are set inside each transaction instead, and nothing is prepared.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import sqlalchemy as sa
import tenacity
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError

from db.deadline import Watchdog
from db.errors import ConnectionLostError, ContendedError, is_stale, say_no_values, translate
from db.links import look_before_use
from db.tx import Tx
from domain.errors import ExpectedError

T = TypeVar("T")

LOCK_SECONDS: Final = 2.0
IDLE_SECONDS: Final = 5.0
STATEMENT_SECONDS: Final = 8.0
TRANSACTION_SECONDS: Final = 10.0
POOL_WAIT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseOptions:
    """Where the database is and how this process uses it."""

    url: str
    """A SQLAlchemy URL, `postgresql+psycopg://…`; `postgresql://` is read as the same."""
    schema: str = "bursar"
    role: str | None = "bursar_worker"
    pool_max: int = 6
    pooler: Literal["none", "transaction"] = "none"
    application: str = "bursar"


class Database:
    """A pool of bounded connections; `begin` is the only way to a transaction."""

    def __init__(self, options: DatabaseOptions) -> None:
        self.options = options
        self.engine = _engine(options)
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._watchdog = Watchdog()

    @contextmanager
    def begin(self, seconds: float = TRANSACTION_SECONDS) -> Iterator[Tx]:
        """One transaction of at most `seconds`, committed when the block ends without an exception.

        Raises `ConnectionLostError` (nothing committed), `CommitUnknownError` (lost on the commit
        itself), `ContendedError`, `LockedError`, `OverdueError`, `RuleBrokenError`,
        `DatabaseRefusedError`, or `UnreachableError` when no connection can be had. What the block
        asked to be written should it be undone (`Tx.if_undone`) is, in a transaction of its own.
        """
        if_undone: list[Callable[[Tx], object]] = []
        try:
            with self._transaction(seconds, if_undone) as tx:
                yield tx
        except Exception as error:
            if if_undone:
                self._write_down(if_undone, error)
            raise

    @contextmanager
    def _transaction(self, seconds: float, if_undone: list[Callable[[Tx], object]]) -> Iterator[Tx]:
        committing = False
        try:
            with self.engine.connect() as connection, self._guard(connection, seconds):
                begun = connection.begin()
                try:
                    self._prepare(connection, seconds)
                    yield Tx(connection, if_undone)
                except BaseException as error:
                    if is_stale(error):
                        connection.invalidate()
                    elif not connection.invalidated:
                        begun.rollback()
                    raise
                committing = True
                begun.commit()
        except (DBAPIError, PoolTimeoutError) as error:
            raise translate(error, committing=committing) from error

    def _write_down(self, if_undone: list[Callable[[Tx], object]], error: Exception) -> None:
        """Best effort: `error` is what the caller must hear of."""
        try:
            with self.begin() as tx:
                for write in if_undone:
                    write(tx)
        except ExpectedError as lost:
            error.add_note(f"nor could it be written down: {lost}")

    @contextmanager
    def single(self, seconds: float = TRANSACTION_SECONDS) -> Iterator[Tx]:
        """One statement that is a transaction by itself: one round trip, where `begin` takes three.

        A second statement in the block would be a second transaction. Raises as `begin` does, but a
        connection that is lost once it was had is `CommitUnknownError` at any moment.
        """
        if self.options.pooler == "transaction":  # its settings go first, in the same transaction
            with self.begin(seconds) as tx:
                yield tx
            return
        had = False
        try:
            with self._autocommit.connect() as connection, self._guard(connection, seconds):
                had = True
                try:
                    yield Tx(connection)
                except BaseException as error:
                    if is_stale(error):
                        connection.invalidate()
                    raise
        except (DBAPIError, PoolTimeoutError) as error:
            raise translate(error, committing=had) from error

    def transact(
        self,
        work: Callable[[Tx], T],
        *,
        seconds: float = TRANSACTION_SECONDS,
        attempts_max: int = 10,
    ) -> T:
        """Return `work(tx)`, committed; all of it is run again after a deadlock or serialization failure.

        With jitter, at most `attempts_max` times within 2 s; then `ContendedError`.
        """
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ContendedError),
            stop=tenacity.stop_after_attempt(attempts_max) | tenacity.stop_after_delay(2.0),
            wait=tenacity.wait_random(0.005, 0.1),
            reraise=True,
        ):
            with attempt, self.begin(seconds) as tx:
                return work(tx)
        raise AssertionError("tenacity returns or raises")

    def warm_up(self, attempts_max: int = 3) -> None:
        """Open one connection, trying again only where the server cannot be reached (2 s, then 4 s)."""
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(ConnectionLostError),
            stop=tenacity.stop_after_attempt(attempts_max),
            wait=tenacity.wait_exponential(multiplier=2, max=4) + tenacity.wait_random(0, 0.5),
            reraise=True,
        ):
            with attempt, self.begin() as tx:
                tx.scalar(sa.text("SELECT 1"))

    def dispose(self) -> None:
        """Close every connection, and end the thread that watches over them."""
        self.engine.dispose()
        self._watchdog.rest()

    @contextmanager
    def _guard(self, connection: sa.Connection, seconds: float) -> Iterator[None]:
        driver = connection.connection.driver_connection
        if driver is None:
            raise AssertionError("a checked-out connection has a driver connection")
        with self._watchdog.guard(driver.fileno(), seconds + 1.0):
            yield

    def _prepare(self, connection: sa.Connection, seconds: float) -> None:
        names = _session(self.options) if self.options.pooler == "transaction" else {}
        if seconds > TRANSACTION_SECONDS:  # a long transaction reads whole tables
            names |= {"statement_timeout": f"{seconds * 1000:.0f}", "enable_seqscan": "on"}
        if names:
            connection.execute(_SET_LOCAL, {"names": list(names), "settings": list(names.values())})


_SET_LOCAL: Final = sa.text("""
    SELECT set_config(s.name, s.setting, true)
    FROM unnest(CAST(:names AS text[]), CAST(:settings AS text[])) AS s(name, setting)""")


_PLANS: Final = {
    "enable_seqscan": "off",
    "random_page_cost": "1.1",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Hot statements go by index whatever the statistics say: they are stale whenever a queue fills or drains."""


def _session(options: DatabaseOptions) -> dict[str, str]:
    settings = {
        "search_path": f'"{options.schema}", pg_temp',
        "lock_timeout": f"{LOCK_SECONDS * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS * 1000:.0f}",
        "statement_timeout": f"{STATEMENT_SECONDS * 1000:.0f}",
        "timezone": "UTC",
    } | _PLANS
    return settings if options.role is None else settings | {"role": options.role}


def _engine(options: DatabaseOptions) -> sa.Engine:
    url = sa.make_url(options.url)
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    arguments: dict[str, object] = {
        "connect_timeout": 3,
        "tcp_user_timeout": 5000,
        "keepalives": 1,
        "keepalives_idle": 2,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "application_name": options.application,
    }
    if options.pooler == "transaction":
        arguments["prepare_threshold"] = None
    else:
        settings = (
            f"-c {name}={setting}".replace(" ", "\\ ")
            for name, setting in _session(options).items()
        )
        arguments["options"] = " ".join(s.replace("-c\\ ", "-c ", 1) for s in settings)
    engine = sa.create_engine(
        url,
        connect_args=arguments,
        pool_size=options.pool_max,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_use_lifo=True,  # the last one used has its statements prepared and its pages at hand
        isolation_level="READ COMMITTED",
        hide_parameters=True,  # they are bodies and names, and an exception's text is logged
    )
    sa.event.listen(engine, "handle_error", say_no_values)
    look_before_use(engine)
    return engine
