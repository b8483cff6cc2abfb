"""Orders to be made, and to be forgotten, at gateways with and without keys; and what gateways tell."""

from typing import Final

from domain.inbox import APPLY
from domain.payments import ASK_ORDERS, CLOSE_ORDERS, OPEN_ORDERS
from tests.booking import cancel
from tests.builders import change, hurry, rows
from tests.crash.worlds.bookings import checkouts, found
from tests.fakes.payments import FakePayments
from tests.hearing import receive
from tests.kit.world import BATCH, Fakes, Scene, World
from tests.paying import captured, disputed, order_paid
from workers.sandbox.faults import Fault


class Wanted(World):
    """Each is made once, at a gateway that would make two if it were asked twice."""

    job = OPEN_ORDERS

    def prepare(self, scene: Scene) -> None:
        checkouts(scene, kept=0)

    def check(self, scene: Scene) -> None:
        open_ = rows(scene.owner, "SELECT id, gateway_id FROM orders WHERE state = 'OPEN'")
        assert len(open_) == BATCH
        made = {(one.reference, one.provider_id) for one in scene.fakes.payments.orders}
        assert len(scene.fakes.payments.orders) == BATCH
        assert made == {(str(row.id), row.gateway_id) for row in open_}


class WantedLost(Wanted):
    """The same, where the first reply is lost and the second request goes nowhere."""

    variant = "replies lost"

    def fakes(self) -> Fakes:
        made = Fakes()
        made.payments.script(Fault.DROP, Fault.ERROR_BEFORE)
        return made


class WantedKeyed(Wanted):
    """The same, by keys."""

    variant = "keys"

    def fakes(self) -> Fakes:
        return Fakes(payments=FakePayments("stripe"))


class Left(World):
    """The gateway forgets each; one that was paid all the same is an orphan, once."""

    job = CLOSE_ORDERS

    def fakes(self) -> Fakes:
        return Fakes(payments=FakePayments("stripe"))

    def prepare(self, scene: Scene) -> None:
        checkouts(scene, kept=0)
        scene.run(OPEN_ORDERS)
        for row in rows(scene.owner, "SELECT id, customer FROM payments"):
            cancel(scene.operator, row.customer, row.id)
        scene.fakes.payments.capture(scene.fakes.payments.orders[0].provider_id)

    def check(self, scene: Scene) -> None:
        assert [row.state for row in rows(scene.owner, "SELECT DISTINCT state FROM orders")] == [
            "CLOSED"
        ]
        words = sorted(one.raw_status for one in scene.fakes.payments.orders)
        assert words == ["canceled"] * (BATCH - 1) + ["paid"]
        states = [
            row.state for row in rows(scene.owner, "SELECT state FROM payments ORDER BY state")
        ]
        assert states == ["EXPIRED"] * (BATCH - 1) + ["SUCCEEDED"]
        assert len(rows(scene.owner, "SELECT FROM entries WHERE type = 'booking.orphaned'")) == 1


class Untold(World):
    """No event comes: what was paid keeps its seat, once, and what was not is ended at its time."""

    job = ASK_ORDERS

    def prepare(self, scene: Scene) -> None:
        checkouts(scene, "consultation", kept=0)
        scene.run(OPEN_ORDERS)
        for theirs in scene.fakes.payments.orders[1:]:
            scene.fakes.payments.capture(theirs.provider_id)
        change(scene.owner, "UPDATE payments SET expires_at = clock_timestamp()")
        hurry(scene.owner, ASK_ORDERS)

    def check(self, scene: Scene) -> None:
        assert sorted(found(scene)) == [
            ("EXPIRED", "EXPIRED", "RELEASED", "CANCELLED"),
            ("SUCCEEDED", "SCHEDULED", "CONFIRMED", "PLANNED"),
        ]
        assert len(rows(scene.owner, "SELECT FROM earnings")) == BATCH - 1


class Captured(World):
    """Each is scheduled and earned once, and each event is marked with it; one is in dispute after that."""

    job = APPLY
    variant = "payments"

    def prepare(self, scene: Scene) -> None:
        checkouts(scene, kept=0)
        scene.run(OPEN_ORDERS)
        orders = scene.fakes.payments.orders
        events = [say(theirs) for theirs in orders for say in (captured, order_paid)]
        receive(scene.owner, [*events, disputed(orders[0], "created")])

    def check(self, scene: Scene) -> None:
        assert found(scene) == [("SUCCEEDED", "SCHEDULED", "CONFIRMED", "PLANNED")]
        states = [
            row.state for row in rows(scene.owner, "SELECT state FROM earnings ORDER BY state")
        ]
        assert states == ["HELD", "READY", "READY"]
        assert [row.state for row in rows(scene.owner, "SELECT DISTINCT state FROM inbox")] == [
            "APPLIED"
        ]


WORLDS: Final = (Wanted(), WantedLost(), WantedKeyed(), Left(), Untold(), Captured())
