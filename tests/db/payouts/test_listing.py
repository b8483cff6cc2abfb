"""Listings of payouts: pages that neither repeat nor skip, and everything about one."""

from uuid import UUID, uuid4

import pytest

from db.engine import Database
from db.payouts import listing
from db.payouts.listing import FIELDS, Page
from domain.errors import BadInputError
from domain.payouts import PayoutState
from tests.operating import change, claimed, line, one, samples, take


def pages(database: Database, limit: int, state: PayoutState | None = None) -> list[UUID]:
    found: list[UUID] = []
    after = None
    for _ in range(1_000):
        with database.begin() as tx:
            rows = listing.listing(tx, Page(state=state, after=after, limit=limit))
        if not rows:
            return found
        found += [row.id for row in rows]
        after = found[-1]
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("state", [None, PayoutState.PENDING])
def test_pages_hold_everything_once(operator: Database, state: PayoutState | None) -> None:
    take(operator, samples(50))
    found = pages(operator, 7, state)
    assert len(found) == len(set(found)) == 50


def test_a_page_has_the_promised_fields(operator: Database) -> None:
    one(operator, approve=False)
    with operator.begin() as tx:
        row = listing.listing(tx, Page())[0]
    assert tuple(row._mapping) == FIELDS
    assert (row.payee, row.amount_minor, row.mode, row.effect_state) == (
        "Asha Rao",
        125_050,
        "IMPS",
        None,
    )


def test_states_that_wait_are_found_by_their_work(operator: Database, worker: Database) -> None:
    take(operator, samples(20), approve=True)
    claimed(worker, limit=5)
    assert len(pages(operator, 3, PayoutState.APPROVED)) == 15
    assert len(pages(operator, 3, PayoutState.PROCESSING)) == 5


def test_an_unknown_after_is_refused(operator: Database) -> None:
    with operator.begin() as tx, pytest.raises(BadInputError, match="--after"):
        listing.listing(tx, Page(after=uuid4()))


def test_payouts_are_found_by_either_id(operator: Database) -> None:
    id_ = one(operator, [line("A-7")], approve=False)
    with operator.begin() as tx:
        assert listing.find(tx, ["A-7", str(id_)]) == {"A-7": id_, str(id_): id_}
        with pytest.raises(BadInputError, match="A-8"):
            listing.find(tx, ["A-7", "A-8"])


def test_everything_about_a_parked_payout_can_be_shown(
    operator: Database, worker: Database
) -> None:
    id_ = one(operator)
    claimed(worker)
    change(
        worker,
        """UPDATE work SET due_at = 'infinity', parked_reason = 'why not',
                          token = NULL, leased_until = NULL, holder = NULL""",
    )
    with operator.begin() as tx:
        row = listing.show(tx, id_)
        history = listing.history(tx, id_)
    assert row is not None
    assert (row.waits_for, row.parked_reason, row.due_at, row.sends) == (
        "payouts.process",
        "why not",
        None,
        1,
    )
    assert [h.fact for h in history] == ["PENDING -> APPROVED", "APPROVED -> PROCESSING"]
