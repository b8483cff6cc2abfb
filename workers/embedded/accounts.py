"""Which user runs the servers: ourselves, or a harmless one where we are root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from domain.errors import UnreachableError

STAND_INS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user with a row in the password database; without one `initdb` refuses to run."""

    name: str
    user_id: int
    group_id: int

    @property
    def is_ours(self) -> bool:
        """Whether this process already runs as this user."""
        return self.user_id == os.geteuid()


def choose(data: Path) -> Account:
    """Return ourselves, or as root: the owner of existing data, else `postgres`, else `nobody`.

    Raises:
        UnreachableError: no such user has a row in the password database.
    """
    if os.geteuid() != 0:
        return _by_id(os.geteuid())
    if data.exists() and data.stat().st_uid != 0:
        return _by_id(data.stat().st_uid)
    for name in STAND_INS:
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    message = f"Postgres refuses to run as root, and no user {' or '.join(STAND_INS)} exists"
    raise UnreachableError(message)


def _by_id(user_id: int) -> Account:
    try:
        return _account(pwd.getpwuid(user_id))
    except KeyError:
        message = f"user {user_id} has no row in the password database, and Postgres needs one"
        raise UnreachableError(message) from None


def _account(row: pwd.struct_passwd) -> Account:
    return Account(name=row.pw_name, user_id=row.pw_uid, group_id=row.pw_gid)
