"""What Stripe's events tell: the transfer they carry, and of anything else nothing."""

import json

import pytest

from domain.answers import ProviderPayout, ProviderStatus
from domain.events import read
from domain.stripe_events import read_event
from domain.telling import NothingToDo, Unreadable

TRANSFER: dict[str, object] = {
    "id": "tr_1",
    "object": "transfer",
    "amount": 100,
    "amount_reversed": 0,
    "created": 1_700_000_000,
    "currency": "usd",
    "destination": "acct_1",
    "reversed": False,
    "transfer_group": "r1",
}


def event(type_: str = "transfer.created", **changes: object) -> dict[str, object]:
    return {
        "id": "evt_1",
        "object": "event",
        "type": type_,
        "data": {"object": {**TRANSFER, **changes}},
    }


@pytest.mark.parametrize(
    ("type_", "back", "status"),
    [
        ("transfer.created", 0, ProviderStatus.PAID),
        ("transfer.updated", 0, ProviderStatus.PAID),
        ("transfer.reversed", 100, ProviderStatus.REVERSED),
        ("transfer.reversed", 1, ProviderStatus.UNRECOGNISED),
    ],
)
def test_an_event_tells_where_its_transfer_is_whatever_its_type(
    type_: str, back: int, status: ProviderStatus
) -> None:
    """Invariant 29: also of a part that came back."""
    body = json.dumps(event(type_, amount_reversed=back, reversed=back == 100)).encode()
    told = read("stripe", type_, body)
    assert isinstance(told, ProviderPayout)
    assert (told.status, told.reference, told.provider_id) == (status, "r1", "tr_1")


def test_what_a_connected_account_did_is_not_ours() -> None:
    assert isinstance(read_event("transfer.created", event() | {"account": "acct_9"}), NothingToDo)


@pytest.mark.parametrize(
    "type_", ["payout.paid", "charge.succeeded", "transfer", "account.updated"]
)
def test_from_an_event_of_another_type_nothing_follows(type_: str) -> None:
    assert isinstance(read_event(type_, event(type_)), NothingToDo)


@pytest.mark.parametrize(
    "document", [None, [], {}, {"data": 1}, {"data": {"object": []}}, event(id=None)]
)
def test_a_transfers_event_without_one_is_unreadable(document: object) -> None:
    assert isinstance(read_event("transfer.created", document), Unreadable)
