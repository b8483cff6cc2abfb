"""Events as a provider sends them, received as the ingress does, for whoever proves what comes of them."""

import json
from collections.abc import Iterable
from itertools import count
from typing import Any, Final
from uuid import UUID

from db import installation, receiving
from db.engine import Database
from db.tx import Row
from domain.answers import ProviderPayout
from domain.inbox import VerifiedEvent, event_row_id
from domain.payout_ids import reference
from tests.builders import rows
from tests.fakes.bank import FakeBank

_NUMBERS: Final = count(1)

TYPES: Final = {"processing": "initiated"}
"""What an event is called, where that is not the status it carries."""


def about(bank: FakeBank, payout: UUID, generation: int = 1) -> ProviderPayout:
    """What the bank has under a payout's reference."""
    name = reference(payout, generation)
    [found] = [t.payout for t in bank.transfers if t.payout.reference == name]
    return found


def event(paid: ProviderPayout, word: str, **changed: Any) -> VerifiedEvent:  # noqa: ANN401 - by name
    """A RazorpayX event that says `word` of a payout; `changed` are fields of its entity that differ."""
    kind = f"payout.{TYPES.get(word, word)}"
    entity = {
        "id": paid.provider_id,
        "entity": "payout",
        "fund_account_id": paid.fund_account_id,
        "amount": paid.amount_minor,
        "currency": paid.currency,
        "status": word,
        "utr": None,
        "reference_id": paid.reference,
        "status_details": {"description": None, "source": None, "reason": None},
        "created_at": int(paid.created_at.timestamp()),
    }
    document = {
        "entity": "event",
        "event": kind,
        "payload": {"payout": {"entity": entity | changed}},
    }
    return raw(json.dumps(document).encode(), kind, entity=paid.provider_id)


def raw(
    body: bytes, kind: str, *, provider: str = "razorpayx", entity: str | None = None
) -> VerifiedEvent:
    """An event of any bytes."""
    return VerifiedEvent(
        provider=provider,
        event_id=f"{kind}:{entity}:{next(_NUMBERS)}",
        type=kind,
        entity=entity,
        occurred_at=None,
        body=body,
    )


def receive(database: Database, events: Iterable[VerifiedEvent]) -> list[UUID]:
    """Write events down as they come, one after the other, each with the work that waits on it; their ids."""
    ids = []
    with database.begin() as tx:
        here = installation.get(tx).id
        for one in events:
            if not receiving.keep(tx, here, [one]):
                receiving.again(tx, here, [one])
            ids.append(event_row_id(here, one.provider, one.event_id))
    return ids


def came_of(database: Database, event_id: UUID) -> Row:
    """An event as it stands, with the work it waits for."""
    [found] = rows(
        database,
        """SELECT i.state, i.outcome, w.job AS waits_for, w.tries, w.parked_reason FROM inbox i
           LEFT JOIN work w ON w.subject = i.id WHERE i.id = :id""",
        id=event_id,
    )
    return found
