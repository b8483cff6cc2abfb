"""A transaction as row modules see it: statements in, rows out."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

Row = sa.Row[Any]
"""One row of a result; its columns are attributes."""


class Tx:
    """An open transaction. Row modules run statements on it; only `Database.begin` makes one."""

    __slots__ = ("connection",)

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def rows(self, statement: sa.TextClause, /, **parameters: object) -> Sequence[Row]:
        """Run one statement and return all its rows."""
        return self.connection.execute(statement, parameters).all()

    def row(self, statement: sa.TextClause, /, **parameters: object) -> Row | None:
        """Run one statement and return its only row, or None."""
        return self.connection.execute(statement, parameters).one_or_none()

    def scalar(self, statement: sa.TextClause, /, **parameters: object) -> Any:  # noqa: ANN401 - a column of any type
        """Run one statement and return the first column of its only row, or None."""
        return self.connection.execute(statement, parameters).scalar_one_or_none()

    def run(self, statement: sa.TextClause, /, **parameters: object) -> int:
        """Run one statement without rows and return how many rows it changed."""
        return self.connection.execute(statement, parameters).rowcount
