"""Record what one claim and one settle of the product execute: statements, parameters, and what they speak of."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from db.engine import Database
from db.payouts import details
from db.payouts.details import Details
from db.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement as it went to the driver; lists are array literals already."""

    text: str
    parameters: Mapping[str, object]


@dataclass(slots=True, kw_only=True)
class Recording:
    """One set: the statements of its two transactions in their order, and its payouts."""

    run: int
    transactions: list[list[Statement]] = field(default_factory=list)
    payouts: dict[UUID, Details] = field(default_factory=dict)
    tokens: list[int] = field(default_factory=list)


@contextmanager
def recorded(database: Database, into: Recording) -> Iterator[None]:
    """Keep every transaction that this process makes in `database` while the block runs."""

    def begin(_connection: sa.Connection) -> None:
        into.transactions.append([])

    def note(*told: object) -> None:
        _connection, _cursor, text, parameters, *_ = told
        given = dict(parameters) if isinstance(parameters, Mapping) else {}
        into.transactions[-1].append(Statement(text=str(text), parameters=given))

    heard: list[tuple[str, Callable[..., None]]] = [
        ("begin", begin),
        ("before_cursor_execute", note),
    ]
    for event, listener in heard:
        sa.event.listen(database.engine, event, listener)
    try:
        yield
    finally:
        for event, listener in heard:
            sa.event.remove(database.engine, event, listener)


def describe(tx: Tx, into: Recording, ids: list[UUID]) -> None:
    """Write down what is known of the payouts of a recorded set."""
    into.payouts = {row.id: row for row in details.read(tx, ids)}


def connection_options(database: Database) -> dict[str, str]:
    """How the product connects, as libpq names it: host, user, dbname, options."""
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is None:
            raise AssertionError("an open connection has a driver connection")
        known: dict[str, str] = driver.info.get_parameters()
        return known
