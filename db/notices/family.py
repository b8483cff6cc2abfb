"""Notices as the audit and the listings know them."""

from typing import Final

from db import aggregates
from db.family import Family
from domain import notices

NOTICES: Final = Family(
    machine=notices.NOTICES,
    promises=aggregates.promises(notices.NOTICES),
    details=("payload",),
    columns=("kind", "subject", "sequence", "state", "created_at", "updated_at", "id"),
)
