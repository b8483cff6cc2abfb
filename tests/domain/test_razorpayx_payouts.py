"""A payout entity is read whole or not at all."""

import pytest
from hypothesis import given, strategies as st

from domain.answers import ProviderPayout, ProviderStatus
from domain.razorpayx_payouts import STATUSES, read_payout

ENTITY: dict[str, object] = {
    "id": "pout_1",
    "entity": "payout",
    "fund_account_id": "fa_1",
    "amount": 100,
    "currency": "INR",
    "status": "processing",
    "utr": None,
    "reference_id": "r1",
    "status_details": {"description": None, "source": None, "reason": None},
    "created_at": 1_700_000_000,
}


def payout(**changes: object) -> ProviderPayout:
    found = read_payout({**ENTITY, **changes})
    assert found
    return found


def test_every_published_state_has_a_meaning() -> None:
    assert set(STATUSES) == {
        "pending", "queued", "scheduled", "processing", "processed", "reversed", "cancelled",
        "rejected", "failed",
    }  # fmt: skip


@given(word=st.text(min_size=1).filter(lambda word: word.isprintable() and word not in STATUSES))
def test_a_word_nobody_published_is_unrecognised(word: str) -> None:
    """Invariant 29."""
    assert payout(status=word).status is ProviderStatus.UNRECOGNISED
    assert payout(status=word).raw_status == word


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": ""},
        {"id": 7},
        {"status": None},
        {"amount": None},
        {"amount": "100"},
        {"amount": 100.0},
        {"amount": True},
        {"currency": None},
        {"created_at": None},
        {"created_at": -1},
        {"created_at": 10**20},
    ],
)
def test_an_entity_without_the_facts_is_not_a_payout(changes: dict[str, object]) -> None:
    assert read_payout({**ENTITY, **changes}) is None


@given(
    found=st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_at_all_breaks_the_reader(found: object) -> None:
    assert read_payout(found) is None


def test_the_reason_is_that_of_the_status_details() -> None:
    details = {"reason": "bank_account_closed"}
    assert payout(status_details=details, failure_reason="old").reason == "bank_account_closed"
    assert payout(status_details=None, failure_reason="old").reason == "old"


@pytest.mark.parametrize("garbled", ["\x00", "ok\ud800", "two\nlines"])
def test_what_no_database_keeps_is_not_read_as_a_word(garbled: str) -> None:
    """F61: such a payout is unreadable where the word matters, and without it where it does not."""
    assert read_payout({**ENTITY, "status": garbled}) is None
    assert payout(utr=garbled).utr is None
