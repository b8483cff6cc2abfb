"""The private folder of the two sockets: its rights are the access control, so it is 0700 and new.

A socket's path may have 107 bytes. Postgres says so and ends; Redis cuts the name silently, so the
length is checked here for both.
"""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from domain.errors import BadInputError
from workers.embedded import postgres
from workers.embedded.accounts import Account

PATH_BYTES_MAX = 107
PREFIX = "bursar-"
SEPARATORS = ",:"  # clients read a list of hosts, or a port, into these


def name_in(parent: Path | None = None) -> Path:
    """Return the path of a folder that does not exist yet, under the temporary folder by default.

    Raises:
        BadInputError: the parent's path is too long for a socket, or clients would misread it.
    """
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    folder = parent / (PREFIX + secrets.token_hex(4))
    size = len(os.fsencode(folder / postgres.SOCKET_NAME))
    if size > PATH_BYTES_MAX:
        rule = (
            f"too long for sockets ({size} bytes, {PATH_BYTES_MAX} at most); set a shorter TMPDIR"
        )
        raise BadInputError("temporary folder", str(parent), rule)
    if any(sign in str(folder) for sign in SEPARATORS):
        rule = "has a comma or a colon, which database clients misread; set another TMPDIR"
        raise BadInputError("temporary folder", str(parent), rule)
    return folder


def make(folder: Path, account: Account) -> None:
    """Make the folder for `account` alone."""
    folder.mkdir(mode=0o700)
    os.chown(folder, account.user_id, account.group_id)


def remove(folder: Path) -> None:
    """Remove the folder with whatever dead servers left in it; nothing else by mistake."""
    if folder.name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
