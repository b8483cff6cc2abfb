"""Payouts in doubt, settled on the provider's word or on that of two people."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from db import clock
from db.engine import Database
from db.payouts import resolve
from db.payouts.decide import decide
from db.payouts.resolve import Word
from db.tx import Tx
from domain.answers import ProviderPayout, ProviderStatus
from domain.decisions import Decision
from domain.errors import BusyError, RefusedError
from domain.payouts import PayoutState
from tests.operating import change, claimed, one, query


def found(
    payout: UUID, status: ProviderStatus = ProviderStatus.PAID, amount: int = 125_050
) -> ProviderPayout:
    return ProviderPayout(
        provider_id="pout_1",
        reference=str(payout),
        status=status,
        raw_status=status.value,
        amount_minor=amount,
        currency="INR",
        fund_account_id="fa_1",
        utr="UTR1",
        reason=None,
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
    )


def word(tx: Tx) -> Word:
    """What two people know as of now."""
    return Word(by="asha, bela", why="bank's letter", known_at=clock.now(tx))


@pytest.fixture
def doubtful(operator: Database, worker: Database) -> UUID:
    """A payout whose outcome is unknown, with no worker on it."""
    id_ = one(operator)
    assert claimed(worker) == 1
    change(worker, "UPDATE effects SET state = 'unknown'")
    change(
        worker,
        "UPDATE work SET job = 'payouts.recover', token = NULL, leased_until = NULL, holder = NULL, claims = 0",
    )
    return id_


def books(database: Database) -> dict[str, int]:
    rows = query(
        database,
        """SELECT a.kind, sum(b.debits - b.credits) AS net FROM balances b JOIN accounts a ON a.id = b.account
           GROUP BY a.kind""",
    )
    return {row.kind: int(row.net) for row in rows}


def test_the_providers_word_completes_it(operator: Database, doubtful: UUID) -> None:
    with operator.begin() as tx:
        assert resolve.adopt(tx, doubtful, found(doubtful), actor="asha") is PayoutState.COMPLETED
    assert query(operator, "SELECT state, provider_id, utr FROM effects") == [
        ("accepted", "pout_1", "UTR1")
    ]
    assert query(operator, "SELECT job FROM work") == [("payouts.follow",)]
    assert books(operator)["cash"] == -125_050
    assert books(operator)["payouts_in_transit"] == 0


def test_what_the_provider_has_under_way_is_followed(operator: Database, doubtful: UUID) -> None:
    with operator.begin() as tx:
        under_way = found(doubtful, ProviderStatus.UNDER_WAY)
        assert resolve.adopt(tx, doubtful, under_way, actor="asha") is PayoutState.PROCESSING
    assert query(operator, "SELECT job FROM work") == [("payouts.follow",)]


def test_another_amount_is_not_adopted(operator: Database, doubtful: UUID) -> None:
    with pytest.raises(RefusedError, match="amount"), operator.begin() as tx:
        resolve.adopt(tx, doubtful, found(doubtful, amount=1), actor="asha")
    assert query(operator, "SELECT state FROM payouts") == [("PROCESSING",)]


def test_what_is_in_doubt_is_retried_by_nobody(operator: Database, doubtful: UUID) -> None:
    """F92: it is looked up, or two people declare it; a new key would pay it twice."""
    with operator.begin() as tx:
        [told] = decide(tx, Decision.RETRY, [doubtful], actor="asha", why="it takes so long")
    assert told.outcome == "illegal"
    [left] = query(operator, "SELECT state, generation FROM payouts")
    assert tuple(left) == ("PROCESSING", 1)
    assert [row.job for row in query(operator, "SELECT job FROM work")] == ["payouts.recover"]


def test_two_people_may_declare_it_unpaid(operator: Database, doubtful: UUID) -> None:
    with operator.begin() as tx:
        state = resolve.declare(tx, doubtful, word(tx), provider_id=None)
    assert state is PayoutState.FAILED
    assert query(operator, "SELECT count(*) AS n FROM work")[0].n == 0
    assert books(operator)["payee_payable"] == -125_050
    assert query(operator, "SELECT answer FROM effect_answers") == [("declared unpaid",)]


def test_what_may_have_been_sent_since_is_not_declared_unpaid(
    operator: Database, worker: Database, doubtful: UUID
) -> None:
    """They were told that it was never paid; then the same request went out again, and its answer was lost."""
    with operator.begin() as tx:
        known = word(tx)
    change(worker, "UPDATE effects SET sends = sends + 1, updated_at = clock_timestamp()")

    with pytest.raises(RefusedError, match="sent again"), operator.begin() as tx:
        resolve.declare(tx, doubtful, known, provider_id=None)

    assert query(operator, "SELECT state FROM payouts") == [("PROCESSING",)]


def test_what_its_provider_accepted_since_is_not_declared_unpaid(
    operator: Database, worker: Database, doubtful: UUID
) -> None:
    """Proposed while in doubt, approved after the provider's word: that money is on its way."""
    change(worker, "UPDATE effects SET state = 'accepted', provider_id = 'pout_1'")
    change(worker, "UPDATE work SET job = 'payouts.follow'")

    with pytest.raises(RefusedError, match="accepted"), operator.begin() as tx:
        resolve.declare(tx, doubtful, word(tx), provider_id=None)

    assert query(operator, "SELECT state FROM payouts") == [("PROCESSING",)]


def test_two_people_may_declare_what_was_parked_after_its_acceptance(
    operator: Database, worker: Database, doubtful: UUID
) -> None:
    change(worker, "UPDATE effects SET state = 'accepted', provider_id = 'pout_1'")
    change(
        worker,
        "UPDATE work SET job = 'payouts.follow', parked_reason = 'contradicts', due_at = 'infinity'",
    )

    with operator.begin() as tx:
        state = resolve.declare(tx, doubtful, word(tx), provider_id=None)

    assert state is PayoutState.FAILED


def test_two_people_may_declare_it_paid(operator: Database, doubtful: UUID) -> None:
    with operator.begin() as tx:
        state = resolve.declare(tx, doubtful, word(tx), provider_id="pout_9")
    assert state is PayoutState.COMPLETED
    assert books(operator)["cash"] == -125_050


def test_what_a_worker_holds_is_busy(operator: Database, worker: Database) -> None:
    id_ = one(operator)
    claimed(worker)
    with pytest.raises(BusyError), operator.begin() as tx:
        resolve.declare(tx, id_, word(tx), provider_id=None)
    assert query(operator, "SELECT state FROM payouts") == [("PROCESSING",)]


def test_only_what_is_processing_can_be_resolved(operator: Database) -> None:
    id_ = one(operator)
    with pytest.raises(RefusedError, match="APPROVED"), operator.begin() as tx:
        resolve.declare(tx, id_, word(tx), provider_id=None)
    assert query(operator, "SELECT token FROM work") == [(None,)]
