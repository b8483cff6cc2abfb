"""`refunds …`: an operator gives money back, decides about what was proposed, and reads what became of it."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from db import changes, switches
from db.engine import Database
from domain.switches import MAKER_CHECKER
from domain.telling import DisputeStatus
from tests.booking import PRICE
from tests.builders import change, owner, rows
from tests.fakes.payments import FakePayments
from tests.refunding import Paid, orphan, paid, refunds, told_of_dispute
from tests.workers.cli.conftest import Line, Said

BECAUSE = ("--why", "the host was ill")
GIVEN = """
    UPDATE refunds SET state = 'CASCADED', payee_part = 0, given_as = 'rfnd_1', given_by = 'razorpay',
                       taken_back_at = clock_timestamp()"""
"""Given, in the books, and taken back by its gateway."""


@pytest.fixture
def outside(bursar: Line) -> Iterator[Database]:
    with owner(bursar.database.options.url) as made:
        yield made


@pytest.fixture
def one(bursar: Line) -> Paid:
    """A payment that was captured, a part of it by a wallet."""
    return paid(bursar.database, bursar.database, FakePayments(), wallet=4_000)


def create(bursar: Line, payment: object, *more: str, key: str = "k") -> Said:
    return bursar("refunds", "create", str(payment), "--key", key, *BECAUSE, *more)


def test_a_payment_is_given_back_once_under_its_key(bursar: Line, one: Paid) -> None:
    first = create(bursar, one.payment, "--amount", "12.50", "--json")
    assert (first.code, first.json["state"], first.json["amount_minor"]) == (0, "RESERVED", 1_250)
    again = create(bursar, one.payment, "--amount", "12.50", "--json")
    assert (again.json["refund"], again.json["replayed"]) == (first.json["refund"], True)
    assert create(bursar, one.payment, "--amount", "13").code == 1
    whole = create(bursar, one.payment, "--json", key="rest").json
    assert whole["amount_minor"] == PRICE - 1_250
    assert create(bursar, one.payment, key="more").code == 1
    assert bursar("audit").code == 0


def test_what_its_gateway_took_back_is_given_again_by_somebody_else(
    bursar: Line, one: Paid, outside: Database
) -> None:
    refund = create(bursar, one.payment, "--json").json["refund"]
    assert bursar("refunds", "again", refund, *BECAUSE).code == 1
    change(outside, GIVEN)
    said = bursar("why", "refund", refund, "--json").json
    assert said["command"] == f"bursar refunds again {refund} --why …"
    made = bursar("refunds", "again", refund, *BECAUSE, "--json")
    assert (made.code, made.json["state"], made.json["amount_minor"]) == (
        0,
        "PROPOSED",
        PRICE - 4_000,
    )
    refused = bursar("refunds", "approve", made.json["refund"], *BECAUSE, "--json")
    assert (refused.code, refused.json[0]["outcome"]) == (1, "own")
    assert made.json["refund"] in bursar("why", "refund", refund, "--json").json["reason"]
    assert bursar("refunds", "again", str(uuid4()), *BECAUSE).code == 2


def test_what_a_lost_dispute_holds_that_never_fits_is_released_as_its_page_says(
    bursar: Line, one: Paid
) -> None:
    """A part was given back before, and the bank took the whole: what is left of the earning waits for people."""
    gateway = PRICE - 4_000
    create(bursar, one.payment, "--amount", "12.50")
    change(bursar.database, "DELETE FROM work WHERE job = 'refunds.submit'")
    assert not told_of_dispute(bursar.database, one, DisputeStatus.LOST, gateway).applied
    said = bursar("why", "earning", str(one.payment), "--json").json
    assert "was lost" in said["reason"]
    assert bursar("earnings", "release", str(one.payment), *BECAUSE).code == 0
    [earning] = rows(bursar.database, "SELECT state, disputed FROM earnings")
    assert tuple(earning) == ("READY", False)
    assert said["command"] == f'bursar earnings release {one.payment} --why "…"'


def test_what_an_open_dispute_holds_is_not_released(bursar: Line, one: Paid) -> None:
    told_of_dispute(bursar.database, one, DisputeStatus.OPEN, 1_000)
    said = bursar("earnings", "release", str(one.payment), *BECAUSE, "--json")
    assert (said.code, said.json[0]["outcome"]) == (1, "disputed")


@pytest.mark.parametrize("amount", ["0", "12.345", "1e3", "-1", "1,000"])
def test_a_bad_amount_is_refused_and_nothing_is_reserved(
    bursar: Line, one: Paid, amount: str
) -> None:
    said = create(bursar, one.payment, f"--amount={amount}")
    assert (said.code, "amount" in said.err) == (2, True)
    assert refunds(bursar.database) == {}


def test_what_there_is_not_is_not_found(bursar: Line) -> None:
    assert create(bursar, uuid4()).code == 2
    assert create(bursar, uuid4(), "--amount", "1").code == 2
    assert create(bursar, "no id").code == 2


def test_refunds_are_listed_with_their_total_shown_and_explained(bursar: Line, one: Paid) -> None:
    refund = create(bursar, one.payment, "--json").json["refund"]
    listed = bursar("refunds", "list", "--state", "reserved", "--json").json
    assert [(row["id"], row["amount_minor"]) for row in listed] == [(refund, PRICE)]
    assert "100.00 INR" in bursar("refunds", "list").out
    assert bursar("refunds", "list", "--csv").out.splitlines()[1].startswith(str(one.payment))
    shown = bursar("refunds", "show", refund, "--json").json
    assert (shown["gateway_minor"], shown["wallet_minor"], shown["waits_for"]) == (
        6_000,
        4_000,
        "refunds.submit",
    )
    why = bursar("why", "refund", refund, "--json").json
    assert any("asked for by" in line for line in why["evidence"])
    assert bursar("refunds", "show", str(uuid4())).code == 2


def test_what_is_proposed_is_approved_or_rejected(
    bursar: Line, outside: Database, one: Paid
) -> None:
    with bursar.database.begin() as tx:
        switches.turn(tx, MAKER_CHECKER, on=True, who="asha", why="policy")
    refund = create(bursar, one.payment, "--amount", "10", "--json").json["refund"]
    own = bursar("refunds", "approve", refund, *BECAUSE)
    assert (own.code, "somebody else must approve it" in own.out) == (1, True)
    assert "a person must approve or reject it" in bursar("why", "refund", refund).out
    change(outside, "UPDATE refunds SET asked_by = 'somebody else'")
    assert bursar("refunds", "approve", refund, *BECAUSE).code == 0
    assert refunds(outside) == {UUID(refund): "RESERVED"}
    assert bursar("refunds", "reject", refund, *BECAUSE).code == 1
    second = create(bursar, one.payment, "--amount", "10", "--json", key="2").json["refund"]
    assert bursar("refunds", "reject", second, *BECAUSE).code == 0
    assert bursar("refunds", "retry", second, *BECAUSE).code == 1
    assert bursar("audit").code == 0


def test_an_orphans_payment_is_marked_as_owed_back(bursar: Line, outside: Database) -> None:
    made = orphan(bursar.database, bursar.database, FakePayments(), wallet=4_000)
    assert create(bursar, made.payment, "--amount", "100").code == 1
    said = create(bursar, made.payment, "--json").json
    assert (said["amount_minor"], said["gateway_minor"]) == (6_000, 6_000)
    assert len(rows(outside, "SELECT FROM refunds")) == 1


def test_two_people_resolve_what_is_in_doubt(bursar: Line, outside: Database, one: Paid) -> None:
    refund = create(bursar, one.payment, "--json").json["refund"]
    propose = ("propose", "refund.resolve", refund, *BECAUSE)
    assert bursar(*propose, "--set", "result=not_given").code == 1
    assert bursar(*propose, "--set", "result=perhaps").code in {1, 2}
    with bursar.database.begin() as tx:
        assert changes.listing(tx, subject=refund) == []
