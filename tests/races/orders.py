"""Races about orders: whoever is first, one payment is captured once, and what its gateway has is known."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

from domain.booking_errors import NotPendingError
from domain.checkout_answers import OrderAnswer, ProviderOrder
from domain.payments import ASK_ORDERS, CLOSE_ORDERS
from domain.ports import FrozenCall
from jobs.bookings.ask_orders import AskOrders
from jobs.bookings.close_orders import CloseOrders
from jobs.bookings.open_orders import OpenOrders
from tests.booking import NOON, begin, cancel, customer, everything, plan
from tests.builders import RECOVER_SECONDS, hurry, rows
from tests.fakes.payments import FakePayments
from tests.hearing import receive
from tests.paying import captured, disputed, order, order_paid
from tests.races import parts
from tests.races.explorer import Act, Race
from tests.races.parts import Made, applies, works
from tests.races.sides import Side, step
from tests.races.stage import Stage


class SteppedPayments(FakePayments):
    """A gateway; each call of it is a step."""

    def create_order(self, request: FrozenCall) -> OrderAnswer:
        step("gateway: order")
        return super().create_order(request)

    def fetch_order(self, provider_id: str) -> Any:  # noqa: ANN401 - what the fake answers
        step("gateway: fetch")
        return super().fetch_order(provider_id)


def opener(payments: FakePayments) -> Made:
    """The job that opens orders at this gateway."""
    return lambda _bank: OpenOrders(payments, call_seconds_max=1.0, recover_seconds=RECOVER_SECONDS)


def under_way(stage: Stage) -> Any:  # noqa: ANN401 - as every race is given something of its own
    """A consultation that its customer is about to pay: who, the receipt, and the gateway, which has nothing."""
    who, private = customer(stage.operator), plan(stage.operator, "consultation")
    made = begin(stage.operator, of=who, plan=private, starts=(NOON,))
    return who, made, SteppedPayments()


def asked(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """The same, asked of the gateway by a worker that has not settled yet: its answers too."""
    who, made, payments = under_way(stage)
    make = opener(payments)
    answers = parts.act(stage, make, parts.claim(stage, make, run=1, lease_seconds=3600))
    return who, made, payments, answers


def opened(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """The same, settled: the customer may pay."""
    who, made, payments, answers = asked(stage)
    parts.settle(stage, opener(payments), answers, run=1)
    return who, made, payments


def paid_before_the_settle(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """The gateway tells of a capture before the worker that made its order has settled."""
    who, made, payments, answers = asked(stage)
    receive(stage.worker, [order_paid(_of(payments, made.order))])
    return who, made, payments, answers


def told_twice(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """A capture, told by two events."""
    given = opened(stage)
    theirs = _of(given[2], given[1].order)
    receive(stage.worker, [captured(theirs), order_paid(theirs)])
    return given


def told(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """A capture, told by an event that nobody has heard yet."""
    given = opened(stage)
    receive(stage.worker, [captured(_of(given[2], given[1].order))])
    return given


def paid_too_late(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """Cancelled, and paid all the same: the event of it and the job that closes orders meet."""
    who, made, payments = opened(stage)
    cancel(stage.operator, who, made.payment)
    payments.capture(_of(payments, made.order).provider_id)
    receive(stage.worker, [captured(_of(payments, made.order))])
    hurry(stage.worker, CLOSE_ORDERS)
    return who, made, payments


def paid_at_its_end(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """Paid, its time over: the event of it and the job that asks meet."""
    given = opened(stage)
    payments, receipt = given[2], given[1]
    payments.capture(_of(payments, receipt.order).provider_id)
    receive(stage.worker, [captured(_of(payments, receipt.order))])
    hurry(stage.worker, ASK_ORDERS)
    return given


def disputed_twice(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """Paid, and two events of a dispute about it."""
    given = told(stage)
    applies(9)(stage)
    theirs = _of(given[2], given[1].order)
    receive(stage.worker, [disputed(theirs, "created"), disputed(theirs, "won")])
    return given


def _of(payments: FakePayments, reference: object) -> ProviderOrder:
    [found] = payments.of(reference)
    return found


def opens(run: int) -> Act:
    """A worker that opens orders."""
    return lambda stage: works(opener(deepcopy(stage.given[2])), run)(stage)


def settles(run: int) -> Act:
    """A worker that has its answers and settles them."""

    def act(stage: Stage) -> dict[str, int]:
        _, _, payments, answers = stage.given
        return parts.settle(stage, opener(payments), answers, run=run)

    return act


def closes(run: int) -> Act:
    """A worker that closes orders."""

    def act(stage: Stage) -> object:
        gateway = deepcopy(stage.given[2])
        return works(lambda _bank: CloseOrders(gateway, call_seconds_max=1.0), run)(stage)

    return act


def asks(run: int) -> Act:
    """A worker that asks about orders."""

    def act(stage: Stage) -> object:
        gateway = deepcopy(stage.given[2])
        return works(lambda _bank: AskOrders(gateway, call_seconds_max=1.0), run)(stage)

    return act


def cancels(stage: Stage) -> str:
    """Its customer cancels."""
    cancel(stage.worker, stage.given[0], stage.given[1].payment)
    return "cancelled"


def is_to_be_forgotten(stage: Stage, _sides: Sequence[Side]) -> None:
    """The checkout is over, and its order waits to be closed, whoever knows what the gateway has."""
    found = order(stage.worker, stage.given[1].order)
    assert (found.state, found.waits_for) == ("CLOSING", CLOSE_ORDERS)
    assert everything(stage.worker, stage.given[1])["payment"] == "EXPIRED"


def paid(stage: Stage, _sides: Sequence[Side]) -> None:
    """Paid once, under the gateway's names."""
    _all_applied(stage)
    found = everything(stage.worker, stage.given[1])
    assert (found["payment"], found["booking"], found["order"]) == (
        "SUCCEEDED",
        "SCHEDULED",
        "CLOSED",
    )
    kept = order(stage.worker, stage.given[1].order)
    assert (kept.made, bool(kept.gateway_id), bool(kept.captured_as)) == ("accepted", True, True)
    assert _booked(stage) == ["booking.paid"]


def owed_back(stage: Stage, _sides: Sequence[Side]) -> None:
    """Owed back once, whoever heard of it."""
    _all_applied(stage)
    found = everything(stage.worker, stage.given[1])
    assert (found["payment"], found["orphaned"], found["order"]) == ("SUCCEEDED", True, "CLOSED")
    assert _booked(stage) == ["booking.orphaned"]


def paid_or_owed_back(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 68: paid and scheduled, or the documented orphan; never PENDING."""
    if sides[0].result == "cancelled":
        owed_back(stage, sides)
    else:
        paid(stage, sides)


def won(stage: Stage, _sides: Sequence[Side]) -> None:
    """It ended, whichever event came first: nothing is held any more."""
    _all_applied(stage)
    assert [r.state for r in rows(stage.worker, "SELECT state FROM disputes")] == ["WON"]
    [earning] = rows(stage.worker, "SELECT state, disputed FROM earnings")
    assert (earning.state, earning.disputed) == ("READY", False)


def _booked(stage: Stage) -> list[str]:
    return [r.type for r in rows(stage.worker, "SELECT type FROM entries ORDER BY type")]


def _all_applied(stage: Stage) -> None:
    hurry(stage.worker, "webhooks.apply")
    applies(99)(stage)
    assert {r.state for r in rows(stage.worker, "SELECT state FROM inbox")} == {"APPLIED"}


ALL: Final = (
    Race(
        name="open/cancel",
        prepare=under_way,
        sides=(opens(1), cancels),
        check=is_to_be_forgotten,
    ),
    Race(
        name="open/webhook",
        prepare=paid_before_the_settle,
        sides=(settles(1), applies(2)),
        check=paid,
    ),
    Race(
        name="webhook/webhook-one-payment",
        prepare=told_twice,
        sides=(applies(1, limit=1), applies(2, limit=1)),
        check=paid,
    ),
    Race(
        name="cancel/webhook",
        prepare=told,
        sides=(cancels, applies(2)),
        check=paid_or_owed_back,
        errors=(NotPendingError,),
    ),
    Race(
        name="close/capture",
        prepare=paid_too_late,
        sides=(closes(1), applies(2)),
        check=owed_back,
    ),
    Race(
        name="ask/capture",
        prepare=paid_at_its_end,
        sides=(asks(1), applies(2)),
        check=paid,
    ),
    Race(
        name="webhook/webhook-one-dispute",
        prepare=disputed_twice,
        sides=(applies(1, limit=1), applies(2, limit=1)),
        check=won,
    ),
)
