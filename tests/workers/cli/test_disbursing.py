"""`bursar dispersals retry`: a share whose payout failed is paid by a new one; after three times two people say so."""

from uuid import UUID

import pytest

from domain.dispersals import SENDINGS_MAX
from tests import driving
from tests.builders import assert_sound
from tests.fakes.bank import FakeBank
from tests.mortgages import LINE, bank, disburse, disperse, lend, owe, pay
from tests.operating import query
from tests.workers.cli.conftest import Line
from tests.workers.cli.test_obligations import operators
from workers.sandbox.faults import Fault


@pytest.fixture
def share(bursar: Line) -> str:
    """A share whose payout the bank refused."""
    lend(bursar.database, {"A": 1})
    bank(bursar.database, "A")
    [id_] = owe(bursar.database, LINE)
    pay(bursar.database, id_, 100_000)
    disperse(bursar.database)
    refuse(bursar)
    [row] = query(bursar.database, "SELECT id FROM dispersals")
    return str(row.id)


def refuse(line: Line) -> UUID:
    """One more payout of it is made, and refused; that payout."""
    disburse(line.database)
    fake = FakeBank()
    fake.script(Fault.REFUSE)
    assert driving.drive(line.database, driving.process(fake)) == 1
    [row] = query(line.database, "SELECT payout FROM dispersals")
    made: UUID = row.payout
    return made


def state(line: Line) -> str:
    """Where the share is."""
    [row] = query(line.database, "SELECT state FROM dispersals")
    found: str = row.state
    return found


def test_a_share_that_failed_says_so_and_is_paid_by_a_new_payout(bursar: Line, share: str) -> None:
    listed = bursar("dispersals", "list", "--state", "FAILED", "--json").json
    assert [(row["id"], row["sendings"]) for row in listed] == [(share, 1)]
    command = f"bursar dispersals retry {share}"
    assert command in bursar("why", "dispersal", share).out
    payout = bursar("dispersals", "show", share, "--json").json["payout"]
    assert command in bursar("why", "payout", payout).out
    refused = bursar("payouts", "retry", payout, "--why", "the bank takes it now")
    assert (refused.code, "bursar dispersals retry" in refused.out) == (1, True)

    done = bursar("dispersals", "retry", share, "--why", "account repaired")
    assert (done.code, state(bursar)) == (0, "PENDING")
    assert bursar("dispersals", "retry", share, "--why", "again").code == 1
    disburse(bursar.database)
    assert state(bursar) == "SENDING"
    assert bursar("dispersals", "show", share, "--json").json["payout"] != payout
    assert "dispersals show" in bursar("why", "dispersal", share).out
    [noted] = query(bursar.database, "SELECT * FROM changes WHERE what = 'dispersal.retry'")
    assert noted.why == "account repaired"
    assert_sound(bursar.database)


def test_a_fourth_payout_of_a_share_needs_two_people(bursar: Line, share: str) -> None:
    asha, ravi = operators(bursar)
    bursar.set("BURSAR_OPERATOR_TOKEN", asha)
    for _ in range(SENDINGS_MAX - 1):
        assert bursar("dispersals", "retry", share, "--why", "repaired").code == 0
        refuse(bursar)
    alone = bursar("dispersals", "retry", share, "--why", "repaired")
    assert alone.code == 1
    assert f"bursar propose dispersal.retry {share}" in alone.err
    wrong = bursar("propose", "dispersal.retry", share, "--set", "x=y", "--why", "repaired")
    assert wrong.code == 2
    assert bursar("propose", "dispersal.retry", "nobody", "--why", "repaired").code == 2
    assert bursar("propose", "dispersal.retry", share, "--why", "the bank's desk says so").code == 0
    assert (bursar("approve", "1").code, state(bursar)) == (1, "FAILED")
    bursar.set("BURSAR_OPERATOR_TOKEN", ravi)
    assert (bursar("approve", "1").code, state(bursar)) == (0, "PENDING")
    assert_sound(bursar.database)
