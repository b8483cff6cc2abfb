"""`bursar payouts resolve`: on the provider's own word, and on nothing less."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.answers import Found, LookUp, LookUpFailed, ProviderPayout, ProviderStatus
from tests.operating import change, claimed, one, query
from tests.workers.cli.conftest import Line


class Answering:
    """A bank that answers one look-up."""

    def __init__(self, answer: LookUp) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def find(self, reference: str) -> LookUp:
        """What it was told to say."""
        self.asked.append(reference)
        return self.answer


def paid(payout: UUID, number: int = 1) -> ProviderPayout:
    return ProviderPayout(
        provider_id=f"pout_{number}",
        reference=str(payout),
        status=ProviderStatus.PAID,
        raw_status="processed",
        amount_minor=125_050,
        currency="INR",
        fund_account_id="fa_1",
        utr="UTR1",
        reason=None,
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
    )


@pytest.fixture
def doubtful(bursar: Line) -> UUID:
    """A payout of which nobody knows whether it was sent."""
    id_ = one(bursar.database)
    claimed(bursar.database)
    change(bursar.database, "UPDATE effects SET state = 'unknown'")
    change(bursar.database, "UPDATE work SET token = NULL, leased_until = NULL, holder = NULL")
    return id_


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[LookUp], Answering]:
    """Make the configured bank answer a look-up."""

    def install(answer: LookUp) -> Answering:
        bank = Answering(answer)

        @contextmanager
        def opened(_settings: object) -> Iterator[Answering]:
            yield bank

        monkeypatch.setattr("workers.cli.resolving.open_bank", opened)
        return bank

    return install


def test_what_the_provider_paid_is_completed(
    bursar: Line, doubtful: UUID, says: Callable[[LookUp], Answering]
) -> None:
    bank = says(Found(payouts=(paid(doubtful),)))
    said = bursar("payouts", "resolve", "A-1", "--why", "asked", "--json")
    assert (said.code, said.json["state"], said.json["provider_id"]) == (0, "COMPLETED", "pout_1")
    assert bank.asked == [str(doubtful)]


@pytest.mark.parametrize("count", [0, 2])
def test_none_or_several_at_the_provider_move_nothing(
    bursar: Line, doubtful: UUID, says: Callable[[LookUp], Answering], count: int
) -> None:
    """Invariant 11: only exactly one match is adopted."""
    says(Found(payouts=tuple(paid(doubtful, n) for n in range(count))))
    assert bursar("payouts", "resolve", "A-1", "--why", "asked").code == 1
    assert query(bursar.database, "SELECT state FROM payouts") == [("PROCESSING",)]


def test_a_provider_that_cannot_be_asked_moves_nothing(
    bursar: Line, doubtful: UUID, says: Callable[[LookUp], Answering]
) -> None:
    says(LookUpFailed(reason="timeout"))
    said = bursar("payouts", "resolve", str(doubtful), "--why", "asked")
    assert said.code == 3
    assert "timeout" in said.err
    assert query(bursar.database, "SELECT state FROM effects") == [("unknown",)]


def test_an_effect_is_resolved_by_its_key(
    bursar: Line, doubtful: UUID, says: Callable[[LookUp], Answering]
) -> None:
    says(Found(payouts=(paid(doubtful),)))
    key = query(bursar.database, "SELECT effect_key FROM payouts")[0].effect_key
    assert bursar("effects", "resolve", key.hex, "--why", "asked").code == 0
    assert query(bursar.database, "SELECT state FROM effects") == [("accepted",)]
