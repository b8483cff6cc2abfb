"""Write mails for tests: one to each of a few readers, of any kind."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from db import switches
from db.engine import Database
from db.mails.write import Draft, write
from domain.mails import MailKind
from domain.switches import MAILS

PLAN: Final = UUID("11111111-2222-4333-8444-555555555555")
ENTRY: Final = UUID("66666666-7777-4888-9999-000000000000")
PAYOUT: Final = UUID("99999999-8888-4777-8666-555555555555")
_PLACE: Final = {
    "name": "Mira <b>",
    "title": "Tea & talk",
    "plan": str(PLAN),
    "starts_at": datetime(2027, 1, 5, 10, tzinfo=UTC).isoformat(),
    "expires_at": datetime(2027, 1, 3, 10, tzinfo=UTC).isoformat(),
}
_PAYOUT: Final = {
    "name": "Mira <b>",
    "title": "Tea & talk",
    "payout": str(PAYOUT),
    "amount_minor": 125_050,
    "currency": "INR",
}
FACTS: Final[dict[MailKind, dict[str, object]]] = {
    MailKind.WAITLIST_OFFERED: {**_PLACE, "entry": str(ENTRY)},
    MailKind.WAITLIST_REMINDER: {**_PLACE, "entry": str(ENTRY)},
    MailKind.WAITLIST_EXPIRED: dict(_PLACE),
    MailKind.REFUND_GIVEN: {
        "name": "Mira <b>",
        "title": "Tea & talk",
        "plan": str(PLAN),
        "amount_minor": 125_050,
        "currency": "INR",
    },
    MailKind.PAYOUT_COMPLETED: {
        **_PAYOUT,
        "gross_minor": 200_000,
        "tax_minor": 200,
        "recovered_minor": 74_750,
        "utr": "000123456789",
    },
    MailKind.PAYOUT_FAILED: dict(_PAYOUT),
    MailKind.PAYOUT_REVERSED: dict(_PAYOUT),
}
"""Facts of each kind."""


def draft(
    kind: MailKind,
    subject: int,
    recipient: str | None = "mira@example.org",
    good_until: datetime | None = None,
) -> Draft:
    """A mail about the subject of that number."""
    return Draft(
        kind=kind,
        subject=UUID(int=subject),
        recipient=recipient,
        facts=FACTS[kind],
        good_until=good_until,
    )


def turn_on(database: Database) -> None:
    """Let mails be written."""
    with database.begin() as tx:
        switches.turn(tx, MAILS, on=True, who="asha", why="x")


def written(database: Database, drafts: Sequence[Draft]) -> int:
    """Write `drafts`, in a transaction of their own."""
    turn_on(database)
    with database.begin() as tx:
        return write(tx, drafts)


def mailed(database: Database, kind: MailKind, count: int = 1) -> None:
    """Write `count` mails of one kind."""
    assert written(database, [draft(kind, n + 1) for n in range(count)]) == count
