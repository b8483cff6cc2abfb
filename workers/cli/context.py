"""What a command stands on: settings, servers, a database, and who is acting. Opened when asked for."""

import getpass
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from domain.errors import RefusedError, UnreachableError

if TYPE_CHECKING:
    from db.engine import Database
    from db.installation import Installation
    from workers.broker import Bell
    from workers.servers import Addresses
    from workers.settings import Settings

OPERATOR = "bursar_operator"
POOL_MAX = 2


class Context:
    """The surroundings of one command. Whatever it opened is closed by `close`."""

    def __init__(
        self, environ: Mapping[str, str], *, home: Path | None = None, remark: str | None = None
    ) -> None:
        self.environ = environ
        self.home = home
        """What `--home` said."""
        self.remark = remark
        """What `--as` said: shown beside the actor, never trusted."""
        self._stack = ExitStack()
        self._databases: dict[str | None, Database] = {}

    def prefer(self, **defaults: str) -> None:
        """Let settings that nobody gave have these values; before anything was read."""
        self.environ = {**defaults, **self.environ}

    @cached_property
    def settings(self) -> "Settings":
        """The settings; raises `BadInputError` naming the one that breaks a rule."""
        from workers.servers import read_settings

        return read_settings(self.environ, self.home)

    @cached_property
    def addresses(self) -> "Addresses":
        """Where the servers are; joins embedded ones. Raises `UnreachableError` where none run."""
        from workers.servers import servers

        return self._stack.enter_context(servers(self.settings))

    def database(self, role: str | None = OPERATOR) -> "Database":
        """Return the database, acting as `role` (None: as who logs in), opened once.

        Raises `UnreachableError` where it does not answer, `RefusedError` where it is not migrated.
        """
        if role not in self._databases:
            self._databases[role] = self._open(role)
        return self._databases[role]

    @cached_property
    def bound(self) -> "Installation":
        """Who this database is, and whose account the payouts of it leave from."""
        from db import installation

        with self.database().begin() as tx:
            return installation.get(tx)

    @property
    def installation(self) -> UUID:
        """The id that every effect key of this database carries."""
        return self.bound.id

    @cached_property
    def bell(self) -> "Bell":
        """Rings for runs, best effort; use it after a commit."""
        from workers.broker import Bell

        bell = Bell(self.addresses.broker_url)
        self._stack.callback(bell.close)
        return bell

    @cached_property
    def actor(self) -> str:
        """Who is recorded for a change: a proven operator, else the user of this machine; and the remark."""
        proven = self._by_token()
        who = f"operator:{proven}" if proven else f"os:{getpass.getuser()}"
        return f"{who} (as {self.remark})" if self.remark else who

    @cached_property
    def operator(self) -> str:
        """Who is acting, proven by a token, or by the login to a configured database.

        Raises `RefusedError` without either: what moves or frees money needs a name that holds.
        """
        proven = self._by_token()
        if proven is None and not self.addresses.embedded:
            from db import server_facts

            with self.database().begin() as tx:
                proven = f"role:{server_facts.login(tx)}"
        if proven is None:
            raise RefusedError(
                "this needs an operator: set BURSAR_OPERATOR_TOKEN to the token that "
                "`bursar operators add NAME --why …` printed"
            )
        return proven

    def close(self) -> None:
        """Close every connection and give back the share in embedded servers."""
        for database in self._databases.values():
            database.dispose()
        self._databases.clear()
        self._stack.close()

    def _open(self, role: str | None) -> "Database":
        from db import installation
        from workers.databases import open_database

        database = open_database(
            self.settings,
            self.addresses,
            role=role,
            pool_max=POOL_MAX,
            application="bursar command",
        )
        try:
            with database.begin() as tx:
                ours = installation.is_here(tx)
        except UnreachableError as error:
            database.dispose()
            raise UnreachableError(f"the database (BURSAR_DATABASE_URL): {error}") from error
        except BaseException:
            database.dispose()
            raise
        if not ours:
            database.dispose()
            schema = self.settings.database_schema
            raise RefusedError(
                f"there is no schema {schema} in this database: run `bursar migrate`"
            )
        return database

    def _by_token(self) -> str | None:
        token = self.settings.operator_token
        if token is None:
            return None
        from db import operators

        with self.database().begin() as tx:
            name = operators.identify(tx, token.get_secret_value())
        if name is None:
            raise RefusedError("BURSAR_OPERATOR_TOKEN belongs to no operator of this database")
        return name


def context(ctx: typer.Context) -> Context:
    """Return what the command stands on."""
    found: Context = ctx.obj
    return found
