"""A transfer is read whole or not at all; where its money is follows from what came back."""

import pytest
from hypothesis import given, strategies as st

from domain.answers import ProviderPayout, ProviderStatus
from domain.stripe_transfers import read_transfer

ENTITY: dict[str, object] = {
    "id": "tr_1",
    "object": "transfer",
    "amount": 100,
    "amount_reversed": 0,
    "created": 1_700_000_000,
    "currency": "inr",
    "destination": "acct_1",
    "metadata": {"reference": "r1"},
    "reversed": False,
    "transfer_group": "r1",
}


def transfer(**changes: object) -> ProviderPayout:
    found = read_transfer({**ENTITY, **changes})
    assert found
    return found


def test_a_transfer_that_exists_is_paid() -> None:
    paid = transfer()
    assert (paid.status, paid.raw_status) == (ProviderStatus.PAID, "paid")
    assert (paid.provider_id, paid.reference, paid.fund_account_id) == ("tr_1", "r1", "acct_1")
    assert (paid.amount_minor, paid.currency) == (100, "INR")


def test_the_object_that_stripe_publishes_as_its_example_is_read() -> None:
    """Source: the transfer object of the API reference."""
    published = {
        "id": "tr_1MiN3gLkdIwHu7ixNCZvFdgA",
        "object": "transfer",
        "amount": 400,
        "amount_reversed": 0,
        "balance_transaction": "txn_1MiN3gLkdIwHu7ixxapQrznl",
        "created": 1678043844,
        "currency": "usd",
        "description": None,
        "destination": "acct_1MTfjCQ9PRzxEwkZ",
        "destination_payment": "py_1MiN3gQ9PRzxEwkZWTPGNq9o",
        "livemode": False,
        "metadata": {},
        "reversals": {"object": "list", "data": [], "has_more": False, "total_count": 0},
        "reversed": False,
        "source_transaction": None,
        "source_type": "card",
        "transfer_group": "ORDER_95",
    }
    read = read_transfer(published)
    assert read
    assert (read.status, read.amount_minor, read.currency) == (ProviderStatus.PAID, 400, "USD")
    assert (read.fund_account_id, read.reference) == ("acct_1MTfjCQ9PRzxEwkZ", "ORDER_95")
    assert read.utr == "py_1MiN3gQ9PRzxEwkZWTPGNq9o"
    assert read.created_at.isoformat() == "2023-03-05T19:17:24+00:00"


def test_a_transfer_that_came_back_whole_is_reversed() -> None:
    back = transfer(amount_reversed=100, reversed=True)
    assert (back.status, back.raw_status) == (ProviderStatus.REVERSED, "reversed")


@pytest.mark.parametrize(
    ("back", "is_reversed"), [(1, False), (99, False), (100, False), (99, True), (0, True)]
)
def test_a_part_that_came_back_fits_no_state_and_a_person_is_told(
    back: int, *, is_reversed: bool
) -> None:
    """Invariant 29."""
    told = transfer(amount_reversed=back, reversed=is_reversed)
    assert told.status is ProviderStatus.UNRECOGNISED
    assert told.raw_status == "partially_reversed"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": ""},
        {"id": 7},
        {"object": "payout"},
        {"object": None},
        {"amount": None},
        {"amount": "100"},
        {"amount": 100.0},
        {"amount": True},
        {"amount_reversed": None},
        {"amount_reversed": -1},
        {"amount_reversed": 101},
        {"amount_reversed": "0"},
        {"reversed": None},
        {"reversed": "false"},
        {"currency": None},
        {"created": None},
        {"created": 10**20},
    ],
)
def test_an_entity_without_the_facts_is_not_a_transfer(changes: dict[str, object]) -> None:
    assert read_transfer({**ENTITY, **changes}) is None


@given(
    found=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_at_all_breaks_the_reader(found: object) -> None:
    assert read_transfer(found) is None


@pytest.mark.parametrize("garbled", ["\x00", "ok\ud800", "two\nlines"])
def test_what_no_database_keeps_is_not_read_as_a_word(garbled: str) -> None:
    """F61."""
    assert read_transfer({**ENTITY, "id": garbled}) is None
    assert transfer(transfer_group=garbled).reference is None
