"""`practise pay`: a checkout is paid at the home's sandbox as its customer would, or it is said why not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from domain.checkouts import Receipt
from domain.errors import RefusedError, UnreachableError
from jobs.bookings.open_orders import OpenOrders
from jobs.ports import Ports
from tests.booking import appointment, begin, customer, fill, plan
from tests.builders import owner, worker
from tests.driving import drive
from tests.fakes.sandbox import RunningSandbox, running
from tests.workers.cli.conftest import Line
from workers.free_ports import free_ports
from workers.practice import pay
from workers.sandbox.settings import SandboxSettings
from workers.servers import SandboxPlan

PRICE = 10_000


@pytest.fixture
def bank(bursar: Line, tmp_path: Path) -> Iterator[RunningSandbox]:
    """A sandbox, and a home that knows of it."""
    bursar.set("BURSAR_HOME", str(tmp_path))
    made = SandboxPlan.make(0)
    settings = SandboxSettings(
        storage=tmp_path / "bank.sqlite", key_id=made.key_id, key_secret=made.key_secret
    )
    with running(settings) as bank:
        SandboxPlan.make(bank.port, key_id=made.key_id, key_secret=made.key_secret).write(tmp_path)
        yield bank


def begun(bursar: Line, *, wallet: int = 0) -> Receipt:
    """A checkout whose order the gateway has not made yet."""
    who, offer = customer(bursar.database), plan(bursar.database)
    if wallet:
        fill(bursar.database, who, wallet)
    at = appointment(bursar.database, offer)
    with owner(bursar.database.options.url) as outside:
        return begin(outside, of=who, plan=offer, at=at, wallet_minor=wallet)


def test_a_checkout_is_paid_at_the_sandbox_once(bursar: Line, bank: RunningSandbox) -> None:
    due = begun(bursar)
    early = bursar("practise", "pay", str(due.payment))
    assert (early.code, "has not made its order yet" in early.err) == (1, True)

    with bank.razorpay() as gateway, worker(bursar.database.options.url) as database:
        job = OpenOrders.made(Ports(payments=gateway))
        assert job is not None
        drive(database, job)
    paid = bursar("practise", "pay", str(due.payment), "--json")
    assert (paid.code, paid.json["amount_minor"]) == (0, PRICE)
    assert paid.json["captured_as"].startswith("pay_")
    again = bursar("practise", "pay", str(due.payment), "--json")
    assert again.json == paid.json
    assert (bank.summary()["captures"], bank.summary()["captured_minor"]) == (1, PRICE)


@pytest.mark.usefixtures("bank")
def test_what_the_gateway_is_not_asked_for_is_not_paid_there(bursar: Line) -> None:
    said = bursar("practise", "pay", str(begun(bursar, wallet=PRICE).payment))
    assert (said.code, "is paid at the gateway" in said.err) == (1, True)
    stranger = bursar("practise", "pay", str(uuid4()))
    assert (stranger.code, "must be the id" in stranger.err) == (2, True)


def test_without_a_sandbox_nobody_pays_there(bursar: Line, tmp_path: Path) -> None:
    bursar.set("BURSAR_HOME", str(tmp_path))
    said = bursar("practise", "pay", str(begun(bursar).payment))
    assert (said.code, "there is no sandbox" in said.err) == (1, True)


def test_a_sandbox_that_is_gone_is_said_to_be_away(
    bursar: Line, bank: RunningSandbox, tmp_path: Path
) -> None:
    plan_ = SandboxPlan.read(tmp_path)
    assert plan_ is not None
    with pytest.raises(RefusedError, match="does not take the money for order_0"):
        pay(plan_, "order_0")
    with pytest.raises(UnreachableError, match="does not answer"):
        pay(replace(plan_, port=free_ports(1)[0]), "order_0")
    assert bank.summary()["captures"] == 0
