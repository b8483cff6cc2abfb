"""Events as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.family import Family
from domain.inbox import EVENTS

INBOX: Final = Family(
    machine=EVENTS,
    promises=aggregates.promises(EVENTS),
    columns=("provider", "type", "entity", "state", "outcome", "created_at", "id"),
)
