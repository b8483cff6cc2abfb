"""What a database can do to us, by name: decided by SQLSTATE, never by message text."""

import re
from typing import Final

import psycopg
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError

from domain.errors import ExpectedError, RefusedError, UnreachableError


class ConnectionLostError(UnreachableError):
    """The connection is gone, and nothing of its transaction was committed."""


class CommitUnknownError(ExpectedError):
    """The connection was lost on a commit: it may have happened. Look for evidence, never repeat blindly."""


class ContendedError(ExpectedError):
    """A deadlock or a serialization failure: the whole transaction may be tried again."""


class LockedError(ExpectedError):
    """A row is locked by somebody for longer than we wait."""


class OverdueError(ExpectedError):
    """A statement took longer than its limit."""


class RuleBrokenError(ExpectedError):
    """A constraint of the schema refused the rows; `constraint` names the promise."""

    def __init__(self, constraint: str, message: str) -> None:
        self.constraint = constraint
        super().__init__(message)


class EntryRefusedError(RefusedError):
    """A rule of the books refuses entry `entry`, by its key."""

    def __init__(self, entry: str, message: str) -> None:
        self.entry = entry
        super().__init__(message)


class KeyTakenError(EntryRefusedError):
    """The books hold other content under the key of entry `entry`."""


class DatabaseRefusedError(ExpectedError):
    """The server refuses this role or statement (no such table, no such right), or failed inside."""


_LOST: Final = re.compile(r"08...|57P0[1235]|25P0[34]")
_KINDS: Final[dict[str, type[ExpectedError]]] = {
    "40001": ContendedError,
    "40P01": ContendedError,
    "55P03": LockedError,
    "57014": OverdueError,
}
_STALE: Final = frozenset({"0A000", "26000", "42P05"})
"""A prepared statement of this session no longer fits: a migration changed what it returns, or a
pooler gave us another session. Every other session may be good."""
_ILL: Final = re.compile(r"53...|58...|25006")
"""Out of room, its files unreadable, or a primary that became a standby: nobody's rows are to blame."""


def translate(error: DBAPIError | PoolTimeoutError, *, committing: bool) -> Exception:
    """Return the named error for what SQLAlchemy raised; `committing` tells whether COMMIT was under way."""
    if isinstance(error, PoolTimeoutError):
        return UnreachableError(
            "no free connection in time: raise BURSAR_DATABASE_POOL_MAX or run fewer threads"
        )
    origin = error.orig
    if not isinstance(origin, psycopg.Error):
        return error
    message = (origin.diag.message_primary or str(origin)).strip()
    if origin.sqlstate is not None and not _LOST.fullmatch(origin.sqlstate):
        return _named(origin.sqlstate, message, origin.diag.constraint_name)
    if origin.sqlstate is not None or isinstance(origin, psycopg.OperationalError):
        return CommitUnknownError(message) if committing else ConnectionLostError(message)
    if isinstance(origin, psycopg.DataError):  # the driver's own: such as NUL in a text
        return RuleBrokenError("untranslatable_character", message)
    return error


def named(error: Exception) -> Exception:
    """What a statement raised inside a transaction, by its name; any other exception is itself."""
    return translate(error, committing=False) if isinstance(error, DBAPIError) else error


def _named(state: str, message: str, constraint: str | None) -> ExpectedError:
    if state in _STALE:
        return ConnectionLostError(f"its session is dropped: {message}")
    if _ILL.fullmatch(state):
        return UnreachableError(f"the database cannot work: {message}")
    if state[:2] in {"22", "23"} or state == "P0001":
        return RuleBrokenError(constraint or state, message)
    kind = _KINDS.get(state)
    return kind(message) if kind else DatabaseRefusedError(f"{message} ({state})")


def say_no_values(context: ExceptionContext) -> None:
    """Leave of an exception's text what went wrong, without the row the server shows beside it.

    The server's DETAIL holds names and bodies, and a traceback ends in a log; `diag` keeps it for us.
    """
    origin, outer = context.original_exception, context.sqlalchemy_exception
    primary = origin.diag.message_primary if isinstance(origin, psycopg.Error) else None
    if primary is None:
        return
    origin.args = (primary,)
    if outer is not None:
        outer.args = (f"({type(origin).__name__}) {primary}",)


def is_stale(error: BaseException) -> bool:
    """Whether the session that raised `error` is to be dropped: what it prepared fits no longer."""
    origin = error.orig if isinstance(error, DBAPIError) else None
    return isinstance(origin, psycopg.Error) and origin.sqlstate in _STALE


def constraint_of(error: DBAPIError) -> str | None:
    """The name of the constraint that refused the rows, if that is what happened."""
    return error.orig.diag.constraint_name if isinstance(error.orig, psycopg.Error) else None


def detail_of(error: DBAPIError) -> str | None:
    """What a refusal says besides: a rule of ours names what it refused."""
    return error.orig.diag.message_detail if isinstance(error.orig, psycopg.Error) else None
