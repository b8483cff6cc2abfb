"""A claim commits to a send only with the money reserved."""

import pytest

from db.engine import Database
from db.payouts import claim, details
from db.payouts.claim import Provider
from db.payouts.recovering import Debts
from db.transitions import claim as lease
from db.work import ClaimOrder
from domain.payouts import PROCESS
from tests.builders import seed

BANK = Provider(name="bank", account="1", freeze=lambda _: "{}", key_seconds=1.0)


def test_no_send_is_committed_to_whose_money_cannot_be_reserved(
    database_url: str, worker: Database
) -> None:
    seed(database_url, 2)
    with worker.begin() as tx:
        leased = lease(tx, PROCESS, ClaimOrder(run=1, limit=2, lease_seconds=15))
        first, second = details.read(tx, leased.held)
        unbooked = [first._replace(in_transit=None), second]
        with pytest.raises(AssertionError, match="without books in INR"):
            claim.commit_to(leased, BANK, unbooked, Debts())
