"""Operators and proposals: two people, and the database holds them to it."""

from collections.abc import Iterator

import pytest

from db import operators, proposals
from db.engine import Database
from db.errors import RuleBrokenError
from domain.errors import BadInputError, NotFoundError, RefusedError
from domain.listings import ProposalState
from tests.operating import change, opened, query

TOKEN = "t" * 32


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    with opened(database_url) as database:
        yield database


def proposed(database: Database, subject: str = "A-1") -> int:
    with database.begin() as tx:
        return proposals.propose(tx, "payout.resolve", subject, {"a": 1}, by="asha", why="letter")


def test_a_token_proves_who_it_was_given_to(operator: Database) -> None:
    with operator.begin() as tx:
        operators.add(tx, "asha", TOKEN, by="os:root")
        assert operators.identify(tx, TOKEN) == "asha"
        assert operators.identify(tx, "u" * 32) is None


def test_only_the_hash_of_a_token_is_kept(operator: Database) -> None:
    with operator.begin() as tx:
        operators.add(tx, "asha", TOKEN, by="os:root")
    assert TOKEN not in str(query(operator, "SELECT * FROM operators"))


def test_a_name_is_given_once_while_its_holder_is_there(operator: Database) -> None:
    with operator.begin() as tx:
        operators.add(tx, "asha", TOKEN, by="os:root")
        with pytest.raises(RefusedError, match="asha exists"):
            operators.add(tx, "asha", "u" * 32, by="os:root")


def test_who_was_removed_proves_nothing_and_may_come_back(operator: Database) -> None:
    with operator.begin() as tx:
        operators.add(tx, "asha", TOKEN, by="os:root")
        operators.add(tx, "bela", "b" * 32, by="asha")
        operators.remove(tx, "asha")
        assert operators.identify(tx, TOKEN) is None
        operators.add(tx, "asha", "u" * 32, by="bela")
        assert operators.identify(tx, "u" * 32) == "asha"


def test_the_last_operator_stays(operator: Database) -> None:
    with operator.begin() as tx:
        operators.add(tx, "asha", TOKEN, by="os:root")
        with pytest.raises(RefusedError, match="last"):
            operators.remove(tx, "asha")
        with pytest.raises(NotFoundError):
            operators.remove(tx, "nobody")


@pytest.mark.parametrize("name", ["", " asha", "a:b", "x" * 65, "a\nb"])
def test_a_name_must_be_printable_and_plain(operator: Database, name: str) -> None:
    with operator.begin() as tx, pytest.raises(BadInputError, match="operator"):
        operators.add(tx, name, TOKEN, by="os:root")


def test_another_person_approves(operator: Database) -> None:
    number = proposed(operator)
    with operator.begin() as tx:
        row = proposals.approve(tx, number, by="bela")
        proposals.finish(tx, number, "done")
    assert (row.subject, row.arguments, row.proposed_by) == ("A-1", {"a": 1}, "asha")
    with operator.begin() as tx, pytest.raises(RefusedError, match="approved by bela: done"):
        proposals.approve(tx, number, by="chitra")


def test_nobody_approves_their_own(operator: Database) -> None:
    number = proposed(operator)
    with operator.begin() as tx, pytest.raises(RefusedError, match="own"):
        proposals.approve(tx, number, by="asha")


def test_the_database_itself_wants_two_people(operator: Database) -> None:
    number = proposed(operator)
    with pytest.raises(RuleBrokenError) as caught:
        change(operator, "UPDATE proposals SET approved_by = proposed_by WHERE id = :id", id=number)
    assert caught.value.constraint == "two_people"


def test_the_same_action_on_the_same_thing_waits_once(operator: Database) -> None:
    number = proposed(operator)
    with pytest.raises(RefusedError, match=f"number {number}"):
        proposed(operator)
    with operator.begin() as tx:
        assert proposals.withdraw(tx, number, by="asha", why="wrong")
        assert not proposals.withdraw(tx, number, by="asha", why="wrong")
    assert proposed(operator) > number


def test_a_withdrawn_or_missing_proposal_is_not_approved(operator: Database) -> None:
    number = proposed(operator)
    with operator.begin() as tx:
        proposals.withdraw(tx, number, by="asha", why="wrong")
        with pytest.raises(RefusedError, match="withdrawn"):
            proposals.approve(tx, number, by="bela")
        with pytest.raises(NotFoundError):
            proposals.approve(tx, 999, by="bela")


def test_listings_page_from_the_newest(operator: Database) -> None:
    numbers = [proposed(operator, f"A-{n}") for n in range(5)]
    with operator.begin() as tx:
        first = proposals.listing(tx, state=ProposalState.WAITING, limit=3)
        rest = proposals.listing(tx, state=ProposalState.WAITING, after=first[-1].id, limit=3)
    assert [row.id for row in [*first, *rest]] == sorted(numbers, reverse=True)
