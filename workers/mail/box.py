"""The mails that the local sink took: a Maildir of the home, read for people who try things out."""

import mailbox
import re
from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = "mail"
"""Of the home."""


class Kept(NamedTuple):
    """One mail as it arrived."""

    id: str
    at: str
    to: str
    subject: str


def kept(home: Path, limit: int) -> Sequence[Kept]:
    """The newest `limit` mails of a home, newest first."""
    folder = home / FOLDER
    if not folder.is_dir():
        return []
    box = mailbox.Maildir(folder, create=False)
    newest = sorted(box.keys(), key=_arrived, reverse=True)[:limit]
    return [_told(key, _message(box, key)) for key in newest]


def one(home: Path, id_: str) -> tuple[Kept, str, str] | None:
    """One mail with its text and its HTML; None where there is none of that id."""
    folder = home / FOLDER
    if not folder.is_dir():
        return None
    box = mailbox.Maildir(folder, create=False)
    if id_ not in box:
        return None
    message = _message(box, id_)
    return _told(id_, message), _part(message, "plain"), _part(message, "html")


_NAME: Final = re.compile(r"(\d+)\.M(\d+)P\d+Q(\d+)\.")
"""How `mailbox` names a message: second, microsecond, process, and the number it was in that process."""


def _arrived(key: str) -> tuple[int, ...]:
    """When a message was taken; what another program put there has come first."""
    found = _NAME.match(key)
    return tuple(map(int, found.groups())) if found else ()


def _message(box: mailbox.Maildir, key: str) -> EmailMessage:
    return message_from_bytes(box.get_bytes(key), policy=default)


def _told(key: str, message: EmailMessage) -> Kept:
    at = parsedate_to_datetime(message["Date"]).isoformat() if message["Date"] else ""
    # One too long for its line begins on the next.
    subject = str(message["Subject"]).strip()
    return Kept(id=key, at=at, to=str(message["To"]), subject=subject)


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return "" if body is None else str(body.get_content())
