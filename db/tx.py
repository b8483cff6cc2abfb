"""A transaction as row modules see it: statements in, rows out; a list parameter becomes an array literal."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from db.arrays import literal

Row = sa.Row[Any]
"""One row of a result; its columns are attributes."""


class Rows(list[Row]):
    """A page of a listing. `fields` are the names of its columns, known without rows too."""

    __slots__ = ("fields",)

    def __init__(self, rows: Iterable[Row], fields: Iterable[str]) -> None:
        super().__init__(rows)
        self.fields = tuple(fields)


class Tx:
    """An open transaction. Row modules run statements on it; only `Database.begin` makes one."""

    __slots__ = ("connection", "if_undone")

    def __init__(
        self, connection: sa.Connection, if_undone: list[Callable[["Tx"], object]] | None = None
    ) -> None:
        self.connection = connection
        self.if_undone = [] if if_undone is None else if_undone
        """What is written in a transaction of its own, should this one be rolled back."""

    def rows(self, statement: sa.TextClause, /, **parameters: object) -> Sequence[Row]:
        """Run one statement and return all its rows."""
        return self.connection.execute(statement, _bound(parameters)).all()

    def page(self, statement: sa.TextClause, /, **parameters: object) -> Rows:
        """Run one statement of a listing and return its rows with the names of their columns."""
        result = self.connection.execute(statement, _bound(parameters))
        return Rows(result.all(), result.keys())

    def row(self, statement: sa.TextClause, /, **parameters: object) -> Row | None:
        """Run one statement and return its only row, or None."""
        return self.connection.execute(statement, _bound(parameters)).one_or_none()

    def scalar(self, statement: sa.TextClause, /, **parameters: object) -> Any:  # noqa: ANN401 - a column of any type
        """Run one statement and return the first column of its only row, or None."""
        return self.connection.execute(statement, _bound(parameters)).scalar_one_or_none()

    def run(self, statement: sa.TextClause, /, **parameters: object) -> int:
        """Run one statement without rows and return how many rows it changed."""
        return self.connection.execute(statement, _bound(parameters)).rowcount

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that may fail by itself: an exception undoes it and leaves the transaction usable."""
        with self.connection.begin_nested():
            yield


def _bound(parameters: Mapping[str, object]) -> dict[str, object]:
    return {
        name: literal(value) if isinstance(value, list) else value
        for name, value in parameters.items()
    }
