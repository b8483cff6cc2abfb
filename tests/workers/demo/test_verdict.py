"""The demo's verdict finds what it is there to find."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.answers import ProviderPayout, ProviderStatus
from domain.payout_ids import reference
from domain.payouts import PayoutState
from workers.demo.verdict import Ours, promises, unforged
from workers.practice import Counted

PAID = Ours(id=UUID(int=1), state=PayoutState.COMPLETED, amount_minor=100, generation=1)
FAILED = Ours(id=UUID(int=2), state=PayoutState.FAILED, amount_minor=50, generation=1)
OPEN = Ours(id=UUID(int=3), state=PayoutState.PROCESSING, amount_minor=7, generation=1)
BOOKS = {
    "imported_liability": (150, 0),
    "payee_payable": (150, 200),
    "payouts_in_transit": (150, 150),
    "cash": (0, 100),
}


def transfer(
    payout: Ours, status: ProviderStatus = ProviderStatus.PAID, amount_minor: int | None = None
) -> ProviderPayout:
    """One transfer as the bank lists it."""
    return ProviderPayout(
        provider_id="pout_1",
        reference=reference(payout.id, payout.generation),
        status=status,
        raw_status=status.value,
        amount_minor=payout.amount_minor if amount_minor is None else amount_minor,
        currency="INR",
        fund_account_id=None,
        utr=None,
        reason=None,
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


def broken(
    ours: list[Ours], theirs: list[ProviderPayout], books: Mapping[str, tuple[int, int]] = BOOKS
) -> list[str]:
    """The names of the promises that do not hold."""
    return [promise.name for promise in promises(ours, theirs, books) if not promise.holds]


def test_everything_holds_where_each_was_paid_once() -> None:
    assert broken([PAID, FAILED], [transfer(PAID)]) == []
    assert broken([PAID, FAILED], [transfer(PAID), transfer(FAILED, ProviderStatus.FAILED)]) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "name"),
    [
        ([PAID, FAILED], [transfer(PAID), transfer(PAID)], "at most one transfer per reference"),
        ([PAID, FAILED], [], "each completed payout was paid once"),
        ([PAID, FAILED], [transfer(PAID), transfer(FAILED)], "no failed payout was paid"),
        ([PAID, FAILED], [transfer(PAID), transfer(OPEN)], "nothing we did not ask for"),
        ([PAID, FAILED], [transfer(PAID, amount_minor=99)], "our sum of completed payouts"),
        ([PAID, OPEN], [transfer(PAID)], "completed or failed"),
        ([], [], "completed or failed"),
    ],
)
def test_each_broken_promise_is_found(
    ours: list[Ours], theirs: list[ProviderPayout], name: str
) -> None:
    assert any(name in found for found in broken(ours, theirs))


@pytest.mark.parametrize(
    "wrong", [{"cash": (0, 99)}, {"payouts_in_transit": (149, 150)}, {"payee_payable": (150, 201)}]
)
def test_books_that_do_not_fit_are_found(wrong: dict[str, tuple[int, int]]) -> None:
    (found,) = broken([PAID, FAILED], [transfer(PAID)], BOOKS | wrong)
    assert found.startswith("the books balance")


def test_a_failed_payout_is_unpaid_under_every_generation() -> None:
    twice = Ours(id=UUID(int=2), state=PayoutState.FAILED, amount_minor=50, generation=2)
    first = Ours(id=UUID(int=2), state=PayoutState.FAILED, amount_minor=50, generation=1)
    assert "no failed payout was paid" in broken([PAID, twice], [transfer(PAID), transfer(first)])


def test_a_forged_webhook_that_was_believed_is_told() -> None:
    """F72."""
    held = unforged(Counted(faults={"event_forged": 3}))
    assert (held.holds, held.detail) == (True, "3 forged, 0 believed")
    assert not unforged(Counted(faults={"event_forged": 3}, forgeries_believed=1)).holds
