"""Races about what is brought in while others book, wait, and spend: a place, a line and a wallet are given once."""

from collections.abc import Sequence
from typing import Final

from db.waitlist.line import join
from domain.booking_errors import SoldOutError, TooLittleError, WaitingAlreadyError
from domain.errors import BadInputsError
from domain.ledger import AccountKind
from domain.owners import CustomerOwner, OrganisationOwner
from tests.booking import appointment, balance, begin, customer, organisation, plan
from tests.bringing import AS_OF, booked, bring, offers
from tests.builders import owner, rows
from tests.races.explorer import Act, Race
from tests.races.sides import Side
from tests.races.stage import Stage

KEPT: Final = 500


def one_place(stage: Stage) -> object:
    """A webinar with one place, and who is told of."""
    offers(stage.operator, capacity=1)
    [at] = rows(stage.operator, "SELECT id, plan FROM appointments")
    [who] = rows(stage.operator, "SELECT id FROM customers WHERE external_id = 'C-1'")
    return at, who.id


def full(stage: Stage) -> object:
    """The same, its place taken."""
    given = one_place(stage)
    bring(stage.operator, "bookings", booked("B-0", customer="C-2"), as_of=AS_OF)
    return given


def brings_a_booking(stage: Stage) -> str:
    """Another system's booking of that place."""
    bring(stage.operator, "bookings", booked("B-1", customer="C-3"), as_of=AS_OF)
    return "brought"


def begins(stage: Stage) -> str:
    """A customer who wants it."""
    at, who = stage.given
    begin(stage.worker, of=who, plan=at.plan, at=at.id)
    return "begun"


def given_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 73: one of both has it."""
    assert [side.result for side in sides].count(None) == 1
    assert [row.taken for row in rows(stage.worker, "SELECT taken FROM appointments")] == [1]


def brings_an_entry(stage: Stage) -> str:
    """A file in which the customer joins the line."""
    entry = {"external_id": "W-1", "appointment": "TEA-1", "customer": "C-1"}
    bring(stage.operator, "waitlist", entry)
    return "brought"


def joins(stage: Stage) -> str:
    """The customer joins it."""
    at, who = stage.given
    stage.worker.transact(lambda tx: join(tx, CustomerOwner(id=who), at.id))
    return "joined"


def waits_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Nobody waits twice."""
    assert [side.result for side in sides].count(None) == 1
    assert len(rows(stage.worker, "SELECT FROM waitlist")) == 1


def one_wallet(stage: Stage) -> object:
    """Two customers of an organisation whose wallet pays for one of them."""
    who = [customer(stage.operator) for _ in range(2)]
    webinar = plan(stage.operator)
    at = appointment(stage.operator, webinar, capacity=2)
    with owner(stage.url) as database:
        return who, webinar, at, organisation(database, *who, amount=KEPT)


def spends(number: int) -> Act:
    """One of them begins a checkout that the organisation pays a part of."""

    def act(stage: Stage) -> str:
        who, webinar, at, whose = stage.given
        pays = OrganisationOwner(id=whose)
        of = who[number]
        begin(stage.worker, of=of, plan=webinar, at=at, wallet_minor=KEPT, organisation=pays)
        return "begun"

    return act


def spent_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 56: a wallet pays no more than it holds."""
    assert [side.result for side in sides].count("begun") == 1
    assert sum(isinstance(side.error, TooLittleError) for side in sides) == 1
    assert balance(stage.worker, AccountKind.WALLET, stage.given[3]) == 0


ALL: Final = (
    Race(
        name="records/start",
        prepare=one_place,
        sides=(brings_a_booking, begins),
        check=given_once,
        errors=(BadInputsError, SoldOutError),
    ),
    Race(
        name="records/join",
        prepare=full,
        sides=(brings_an_entry, joins),
        check=waits_once,
        errors=(BadInputsError, WaitingAlreadyError),
    ),
    Race(
        name="spend/spend",
        prepare=one_wallet,
        sides=(spends(0), spends(1)),
        check=spent_once,
        errors=(TooLittleError,),
    ),
)
