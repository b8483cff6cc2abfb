"""An organisation's wallet pays for its own people alone, never more than is left, and its log tells each leg once."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from db.engine import Database
from db.errors import RuleBrokenError
from db.tx import Row
from db.wallets.organisations import listing, log
from db.wallets.paying import check_membership
from domain.booking_errors import TooLittleError, UnknownError
from domain.checkouts import Receipt
from domain.errors import BadInputError
from domain.ledger import AccountKind
from domain.owners import CustomerOwner, OrganisationOwner
from tests.booking import (
    appointment,
    ask,
    balance,
    begin,
    cancel,
    customer,
    fill,
    organisation,
    pay,
    plan,
)
from tests.builders import assert_sound, owner, rows

WALLET = AccountKind.WALLET


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """As its owner; at the end every promise of the audit holds."""
    with owner(database_url) as made:
        yield made
        assert_sound(made)


def checkout(
    database: Database, who: UUID, whose: UUID | None, *, minor: int, key: str = "k"
) -> Receipt:
    """A checkout of a place that a wallet pays a part of."""
    webinar = plan(database)
    at = appointment(database, webinar, capacity=9)
    pays = None if whose is None else OrganisationOwner(id=whose)
    return begin(database, key, of=who, plan=webinar, at=at, wallet_minor=minor, organisation=pays)


def test_an_organisation_pays_for_its_own(database: Database) -> None:
    who = customer(database)
    whose = organisation(database, who, amount=700)
    fill(database, who, 50)
    made = checkout(database, who, whose, minor=600)
    assert (made.gateway_minor, balance(database, WALLET, whose)) == (9_400, 100)
    assert pay(database, made.payment) == ["scheduled"]
    assert (balance(database, WALLET, whose), balance(database, WALLET, who)) == (100, 50)


def test_what_it_paid_for_a_checkout_that_ended_is_given_back(database: Database) -> None:
    who = customer(database)
    whose = organisation(database, who, amount=700)
    made = checkout(database, who, whose, minor=600)
    cancel(database, who, made.payment)
    assert (balance(database, WALLET, whose), balance(database, WALLET, who)) == (700, 0)


def test_a_stranger_an_unknown_one_and_no_organisation_are_told_alike(database: Database) -> None:
    """Fail closed: an organisation pays for whoever is listed as its own, and for nobody else."""
    mine, other = customer(database), customer(database)
    whose = organisation(database, other, amount=700)
    for one in (whose, uuid4(), other):
        with pytest.raises(UnknownError, match="there is no organisation"):
            checkout(database, mine, one, minor=600)
    assert balance(database, WALLET, whose) == 700
    assert rows(database, "SELECT FROM payments") == []


def test_a_person_is_no_organisation_even_where_a_customer_names_one(database: Database) -> None:
    who, friend = customer(database), customer(database)
    fill(database, friend, 700)
    with database.begin() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE customers SET organisation = %s WHERE id = %s", (friend, who)
        )
    with pytest.raises(UnknownError):
        checkout(database, who, friend, minor=600)


def test_it_pays_no_more_than_is_left_of_it(database: Database) -> None:
    who = customer(database)
    whose = organisation(database, who, amount=700)
    fill(database, who, 10_000)
    with pytest.raises(TooLittleError):
        checkout(database, who, whose, minor=701)
    poor = organisation(database, customer(database))
    stranger = customer(database)
    with database.begin() as tx, pytest.raises(UnknownError):
        check_membership(tx, OrganisationOwner(id=poor), CustomerOwner(id=stranger))


def test_the_database_itself_lets_no_organisation_pay_for_a_stranger(database: Database) -> None:
    who, other = customer(database), customer(database)
    whose = organisation(database, who, amount=700)
    made = checkout(database, who, whose, minor=600)
    theirs = checkout(database, other, None, minor=0)
    with pytest.raises(RuleBrokenError) as broken, database.begin() as tx:
        tx.connection.exec_driver_sql(
            "UPDATE payments SET organisation = %s WHERE id = %s", (whose, theirs.payment)
        )
    assert broken.value.constraint == "payments_customer_organisation_fkey"
    cancel(database, who, made.payment)


def test_an_organisation_without_an_amount_says_nothing() -> None:
    with pytest.raises(BadInputError, match="needs an amount that its wallet pays"):
        ask(of=uuid4(), plan=uuid4(), at=uuid4(), organisation=OrganisationOwner(id=uuid4()))


def test_its_log_has_a_row_for_each_leg_with_what_was_left(database: Database) -> None:
    """Invariant 54: the same organisation in ledger and log, one row for each leg of its wallet."""
    who = customer(database)
    whose = organisation(database, who, amount=2_000)
    first = checkout(database, who, whose, minor=600)
    second = checkout(database, who, whose, minor=500, key="l")
    cancel(database, who, first.payment)
    fill(database, whose, 50)
    pay(database, second.payment)
    with database.begin() as tx:
        told = log(tx, OrganisationOwner(id=whose))
    assert [(row.fact, row.minor, row.balance_minor) for row in told] == [
        ("wallet.credited", 50, 1_550),
        ("checkout.released", 600, 1_500),
        ("checkout.held", -500, 900),
        ("checkout.held", -600, 1_400),
        ("wallet.credited", 2_000, 2_000),
    ]
    assert told[1].payment == first.payment
    assert (told[2].booking, told[2].actor) == (str(second.booking), f"customer:{who}")
    assert told[0].balance_minor == balance(database, WALLET, whose)


def test_a_page_of_the_log_goes_on_with_the_same_balances(database: Database) -> None:
    who = customer(database)
    whose = organisation(database, who, amount=2_000)
    for n in range(4):
        checkout(database, who, whose, minor=100 + n, key=str(n))
    owned = OrganisationOwner(id=whose)
    with database.begin() as tx:
        whole = log(tx, owned)
        pages, after = list[Row](), None
        while page := log(tx, owned, after=after, limit=2):
            pages += page
            after = page[-1].entry
    assert len(whole) == 5
    assert [tuple(row) for row in pages] == [tuple(row) for row in whole]


def test_organisations_are_listed_with_their_people_and_wallets(database: Database) -> None:
    who = customer(database)
    whose = organisation(database, who, customer(database), amount=700)
    empty = organisation(database)
    with database.begin() as tx:
        found = {row.id: row for row in listing(tx, after=None, limit=50)}
        last = max(row.name for row in found.values())
        assert list(listing(tx, after=last, limit=50)) == []
    assert set(found) == {whose, empty}
    assert (found[whose].customers, found[whose].balance_minor) == (2, 700)
    assert (found[empty].customers, found[empty].wallet) == (0, None)
