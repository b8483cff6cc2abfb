"""What is read out of a signed body: words fit to be kept as ids, and times."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from domain.webhooks.refusals import EventUnreadableError

WORD_MAX: Final = 120
SECONDS_MAX: Final = 2**33
"""Unix seconds beyond which a time is nonsense (the year 2242)."""

Document = Mapping[str, object]


def read(raw: bytes) -> Document:
    """Return the JSON object in `raw`. Raises `EventUnreadableError`."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise EventUnreadableError("the body is no JSON object")
    return found


def part(document: object, *names: str) -> Document:
    """Return the object at the end of `names`, or an empty one where the way breaks off."""
    found = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def word(found: object) -> str | None:
    """Return what may stand in an id: 1 to 120 printable ASCII characters without blanks, else None."""
    if not isinstance(found, str) or not 0 < len(found) <= WORD_MAX:
        return None
    return found if found.isascii() and found.isprintable() and " " not in found else None


def needed(document: Document, name: str) -> str:
    """Return the word under `name`. Raises `EventUnreadableError` where there is none."""
    found = word(document.get(name))
    if found is None:
        raise EventUnreadableError(f"the body has no {name}")
    return found


def at_seconds(found: object) -> datetime | None:
    """Return the time of unix seconds, where they are that."""
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < SECONDS_MAX:
        return None
    return datetime.fromtimestamp(found, UTC)


def at_text(found: object) -> datetime | None:
    """Return the time of an ISO 8601 text that names its zone."""
    try:
        instant = datetime.fromisoformat(found) if isinstance(found, str) else None
        return instant.astimezone(UTC) if instant and instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def digest(raw: bytes) -> str:
    """Return the SHA-256 of a body: what tells events apart that have no id of their own."""
    return hashlib.sha256(raw).hexdigest()
