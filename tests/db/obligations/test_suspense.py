"""Money leaves suspense: matched, given back or written off, in whole or in part, never more than is open."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from db import findings
from db.engine import Database
from db.obligations.flow import Leg, legs
from db.obligations.reverse import reverse
from db.suspense.items import show
from db.suspense.resolve import Resolution, Resolved, resolve
from db.tx import Row, Tx
from domain.errors import BadInputError, NotFoundError, RefusedError
from domain.obligations import TRIES_MAX
from domain.suspense import Way
from tests.builders import rows
from tests.mortgages import (
    DAY,
    LINE,
    balances,
    bring,
    disperse,
    heal,
    lend,
    owe,
    pay,
    shares,
    standing,
    stray,
)

AMOUNT = 30_000
ITEMS = ("receipt", "obligation")


def routed(database: Database) -> UUID:
    """An item of a receipt of 300.00 that names nothing."""
    bring(database, stray(amount_minor=AMOUNT))
    [row] = rows(database, "SELECT id FROM receipts")
    found: UUID = row.id
    return found


def escalated(database: Database, amount: int = AMOUNT) -> UUID:
    """An item of an obligation in whose mortgage nobody had a position, four times."""
    [id_] = owe(database, replace(LINE, mortgage="M-2", amount_minor=amount, fee_rate_ppm=0))
    pay(database, id_, amount)
    disperse(database)
    heal(database, TRIES_MAX + 1)
    assert standing(database, id_).state == "ESCALATED"
    return id_


OPENED: dict[str, Callable[[Database], UUID]] = {"receipt": routed, "obligation": escalated}


def leave(
    database: Database,
    item: UUID,
    way: Way,
    amount: int | None = None,
    obligation: UUID | None = None,
) -> Resolved:
    """Two people let money leave an item."""
    asked = Resolution(item=item, way=way, amount=amount, obligation=obligation)
    return database.transact(lambda tx: resolve(tx, asked, actor="asha, ravi", why="letter 7"))


def home(database: Database, kind: str) -> UUID | None:
    """The obligation that a receipt was for, all of it."""
    line = replace(LINE, external_id="O-9", amount_minor=AMOUNT)
    return owe(database, line)[0] if kind == "receipt" else None


def legs_of(obligation: UUID) -> Callable[[Tx], list[Leg]]:
    """Every leg of the books about it."""
    return lambda tx: legs(tx, obligation)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("kind", ITEMS)
@pytest.mark.parametrize("parts", [(AMOUNT,), (10_000, 19_999, 1)])
def test_suspense_falls_by_what_leaves_it_whichever_way_it_goes(
    database: Database, kind: str, way: Way, parts: tuple[int, ...]
) -> None:
    """Invariant 67. TRAP 7: resolving an item by posting its opening once more, so that suspense grows.

    Each resolution is an entry of its own type that names the opening one, says why, and is by two people.
    """
    item = OPENED[kind](database)
    obligation = home(database, kind) if way is Way.MATCH else None
    [opening] = rows(database, "SELECT id FROM entries WHERE type LIKE 'SUSPENSE_%'")
    left = AMOUNT
    for part in parts:
        assert balances(database)["suspense"] == left
        left -= part
        done = leave(database, item, way, part, obligation)
        assert (done.amount, done.left) == (part, left)
    assert "suspense" not in balances(database)
    told = rows(
        database,
        """SELECT e.key, e.cause, e.reason, e.actor, e.run, p.amount FROM entries e JOIN postings p ON p.entry = e.id
           WHERE e.type = 'SUSPENSE_RESOLVED' ORDER BY e.id""",
    )
    assert [tuple(row) for row in told] == [
        (f"suspense-resolved:{item}:{n}", opening.id, "letter 7", "asha, ravi", None, part)
        for n, part in enumerate(parts, 1)
    ]
    with pytest.raises(RefusedError, match="nothing of item"):
        leave(database, item, way, None, obligation)


@pytest.mark.parametrize("kind", ITEMS)
def test_never_more_than_is_open_leaves(database: Database, kind: str) -> None:
    """Invariant 67: what is asked for above it changes nothing."""
    item = OPENED[kind](database)
    leave(database, item, Way.WRITE_OFF, 10_000)
    before = balances(database)
    for amount in (20_001, 0, -1):
        with pytest.raises(RefusedError, match="20000 are open"):
            leave(database, item, Way.REFUND, amount)
    assert balances(database) == before


def test_a_receipt_is_received_by_the_obligations_that_it_was_for(database: Database) -> None:
    """As if its parts had come for them alone, on the day on which it came."""
    lend(database, {"A": 1, "B": 1})
    free = replace(LINE, fee_rate_ppm=0, amount_minor=10_000)
    first, second = owe(database, free, replace(free, external_id="O-2", mortgage="M-2"))
    item = routed(database)
    leave(database, item, Way.MATCH, 4_000, first)
    assert standing(database, first).state == "PARTIALLY_SETTLED"
    leave(database, item, Way.MATCH, 6_000, first)
    one = standing(database, first)
    assert (one.state, one.settled_on, one.method) == ("SETTLED", DAY, "pad")
    leave(database, item, Way.MATCH, None, second)
    assert standing(database, second).state == "SETTLED"
    assert balances(database) == {
        "trust_cash": 30_000,
        "control_allocation": 20_000,
        "unapplied_cash": 10_000,
    }
    disperse(database)
    assert sorted(shares(database, first).values()) == [5_000, 5_000]
    [told] = rows(database, "SELECT resolved_at FROM findings WHERE kind = 'suspense-open'")
    assert told.resolved_at is not None


def test_what_was_escalated_is_divided_once_its_money_is_back(database: Database) -> None:
    item = escalated(database)
    leave(database, item, Way.MATCH, 10_000)
    assert standing(database, item).state == "ESCALATED"
    lend(database, {"A": 2, "B": 1}, mortgage="M-2")
    leave(database, item, Way.MATCH)
    assert standing(database, item).job == "dispersals.create"
    disperse(database)
    assert standing(database, item).state == "DISPERSED"
    assert shares(database, item) == {"A": 20_000, "B": 10_000}
    assert balances(database) == {"trust_cash": 30_000, "lender_payable": 30_000}
    assert rows(database, "SELECT FROM findings WHERE resolved_at IS NULL") == []


def test_what_was_given_back_is_owed_to_nobody_and_the_rest_is_divided(database: Database) -> None:
    """What is divided is what the journal says was received, net of what left suspense again."""
    item = escalated(database)
    lend(database, {"A": 2, "B": 1}, mortgage="M-2")
    leave(database, item, Way.REFUND, 12_000)
    leave(database, item, Way.MATCH)
    disperse(database)
    assert shares(database, item) == {"A": 12_000, "B": 6_000}
    assert balances(database) == {"trust_cash": 18_000, "lender_payable": 18_000}


def test_all_of_it_given_back_ends_the_obligation(database: Database) -> None:
    item = escalated(database)
    leave(database, item, Way.REFUND)
    one = standing(database, item)
    assert (one.state, one.job) == ("RETURNED", None)
    assert balances(database) == {}


def test_what_was_written_off_is_owed_still_and_we_bear_it(database: Database) -> None:
    item = escalated(database)
    lend(database, {"A": 2, "B": 1}, mortgage="M-2")
    leave(database, item, Way.WRITE_OFF)
    disperse(database)
    assert balances(database) == {
        "write_off": 30_000,
        "lender_payable": 30_000,
        "trust_cash": 30_000,
        "cash": -30_000,
    }
    assert "suspense-borne" in {leg.key.split(":")[0] for leg in database.transact(legs_of(item))}


def test_what_was_divided_after_a_match_and_fails_again_is_not_set_apart_twice(
    database: Database,
) -> None:
    item = escalated(database)
    leave(database, item, Way.MATCH)
    disperse(database)
    heal(database, TRIES_MAX + 2)
    assert standing(database, item).state == "STALLED"
    assert balances(database) == {"trust_cash": 30_000, "control_allocation": 30_000}


@pytest.mark.parametrize(
    ("way", "word"), [(Way.REFUND, "given back"), (Way.WRITE_OFF, "written off")]
)
def test_a_receipt_of_which_something_left_suspense_for_good_is_not_reversed(
    database: Database, way: Way, word: str
) -> None:
    """Its cash was given back, or never was: it would be taken out of another's."""
    [id_] = owe(database, replace(LINE, mortgage="M-2", fee_rate_ppm=0))
    made = pay(database, id_, 100_000)
    disperse(database)
    heal(database, TRIES_MAX + 1)
    leave(database, id_, way, 1)
    leave(database, id_, Way.MATCH)
    before = balances(database)
    with pytest.raises(RefusedError, match=f"1 minor units were {word} out of suspense"):
        database.transact(lambda tx: reverse(tx, [made.id], actor="asha, ravi", why="it bounced"))
    assert balances(database) == before


def test_what_could_never_be_is_refused_before_anything_is_written(database: Database) -> None:
    item, other = routed(database), escalated(database)
    [abroad] = owe(database, replace(LINE, external_id="O-USD", currency="USD"))
    before = balances(database)
    for way, obligation in ((Way.MATCH, None), (Way.REFUND, other)):
        with pytest.raises(BadInputError, match="must be named where a receipt is matched"):
            leave(database, item, way, None, obligation)
    with pytest.raises(BadInputError, match="must be named where a receipt is matched"):
        leave(database, other, Way.MATCH, None, other)
    with pytest.raises(BadInputError, match="is owed in USD"):
        leave(database, item, Way.MATCH, None, abroad)
    with pytest.raises(NotFoundError, match="there is no item"):
        leave(database, abroad, Way.REFUND)
    assert balances(database) == before


@pytest.mark.parametrize("kind", ITEMS)
def test_an_item_is_looked_after_by_whoever_took_what_told_of_it(
    database: Database, kind: str
) -> None:
    """TRAP: of one that was escalated nobody is named before the next reconciliation, although somebody looks."""
    item = OPENED[kind](database)

    def take(tx: Tx) -> Row | None:
        open_ = findings.listing(tx, findings.Filter())
        findings.take(tx, [row.key for row in open_], owner="asha")
        return show(tx, item)

    shown = database.transact(take)
    assert shown is not None
    assert shown.owner == "asha"
