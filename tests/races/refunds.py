"""Races about refunds: whoever is first, no more is given back than was paid, and each comes into the books once."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from db import runs
from db.inbox.heard import Word
from db.refunds.again import propose
from db.refunds.hearing import hear
from db.runs import Request
from db.work import ClaimOrder
from domain.batching import BATCH
from domain.checkout_answers import RefundAnswer, RefundStatus
from domain.ledger import AccountKind
from domain.ports import FrozenCall
from domain.refund_errors import ExceedsRefundableError
from domain.refunds import RECOVER
from domain.runs import Origin
from domain.tally import Count
from jobs.refunds.cascade import CascadeRefunds
from jobs.refunds.recover import RecoverRefunds
from jobs.refunds.submit import SubmitRefunds
from tests.booking import PRICE, balance
from tests.builders import RECOVER_SECONDS, change, expire, hurry, owner, rows
from tests.fakes.payments import FakePayments
from tests.races import parts
from tests.races.earnings import batches
from tests.races.explorer import Act, Race
from tests.races.parts import Made, process, works
from tests.races.sides import Side, step
from tests.races.stage import Stage
from tests.refunding import Paid, give_back, paid, payable

WALLET: Final = 4_000
LARGE: Final = 100_000
"""A price of which the share is above the least that is paid out."""


class SteppedPayments(FakePayments):
    """A gateway; each refund is a step."""

    def refund(self, request: FrozenCall) -> RefundAnswer:
        step("gateway: refund")
        return super().refund(request)


def submits(payments: FakePayments) -> Made:
    """The job that asks this gateway for refunds."""
    return lambda _bank: SubmitRefunds(
        payments, call_seconds_max=1.0, recover_seconds=RECOVER_SECONDS
    )


def asks(payments: FakePayments) -> Made:
    """The job that asks it what became of them."""
    return lambda _bank: RecoverRefunds(
        payments, call_seconds_max=1.0, recover_seconds=RECOVER_SECONDS
    )


def captured(stage: Stage) -> tuple[Paid, SteppedPayments]:
    """A payment that was captured, a part of it by a wallet, and its gateway."""
    payments = SteppedPayments()
    return paid(stage.operator, stage.operator, payments, wallet=WALLET), payments


def wants(key: str, amount: int) -> Act:
    """Somebody asks for a refund."""
    return lambda stage: give_back(stage.worker, stage.given[0].payment, amount, key).amount_minor


def one_fits(stage: Stage, sides: Sequence[Side]) -> None:
    """Invariant 52: two that are more than was paid together: one of them is refused."""
    assert sorted(side.result or 0 for side in sides) == [0, 6_000]
    assert sum(isinstance(side.error, ExceedsRefundableError) for side in sides) == 1
    left = rows(stage.worker, "SELECT sum(amount - given_back) AS left_minor FROM payment_legs")
    assert left[0].left_minor == PRICE - 6_000


def one_refund(stage: Stage, sides: Sequence[Side]) -> None:
    """One key is one refund, told to both."""
    assert [side.result for side in sides] == [6_000, 6_000]
    assert len(rows(stage.worker, "SELECT FROM refunds")) == 1


def reserved(stage: Stage) -> tuple[Paid, SteppedPayments]:
    """All of it, to be given."""
    given = captured(stage)
    give_back(stage.operator, given[0].payment)
    return given


def asleep(stage: Stage) -> Any:  # noqa: ANN401 - as every race is given something of its own
    """The same, claimed by a worker whose lease lapsed before it sent; its items too."""
    made, payments = reserved(stage)
    items = parts.claim(stage, submits(payments), run=1)
    expire(stage.worker)
    return made, payments, items


def pending(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """The same, which the gateway has given, and we are to ask it."""
    made, payments = reserved(stage)
    make = submits(payments)
    parts.settle(stage, make, parts.act(stage, make, parts.claim(stage, make, run=1)), run=1)
    payments.finish()
    hurry(stage.worker, RECOVER)
    return made, payments


def sends(run: int) -> Act:
    """A worker that asks the gateway."""
    return lambda stage: works(submits(deepcopy(stage.given[1])), run)(stage)


def wakes_up(stage: Stage) -> int:
    """A worker that slept after its claim: only now it sends, and settles."""
    payments = deepcopy(stage.given[1])
    answers = parts.act(stage, submits(payments), stage.given[2])
    parts.settle(stage, submits(payments), answers, run=1)
    return len(payments.refunds)


def recovers(run: int) -> Act:
    """A worker that asks what became of it."""
    return lambda stage: works(asks(deepcopy(stage.given[1])), run)(stage)


def hears(stage: Stage) -> str:
    """The gateway tells by itself that it was given."""
    told = replace(stage.given[1].refunds[0], status=RefundStatus.SUCCEEDED, raw_status="processed")
    word = Word(event=uuid4(), provider="razorpay", is_fresh=False, told=told)
    heard = stage.worker.transact(lambda tx: hear(tx, [word], run=9))
    return heard[word.event].outcome


def cascades(run: int) -> Act:
    """A worker that brings refunds into the books."""

    def act(stage: Stage) -> int:
        order = ClaimOrder(run=run, limit=10, lease_seconds=15.0)
        done = stage.worker.transact(lambda tx: CascadeRefunds().work(tx, order))
        return done.tally[Count.SUCCEEDED]

    return act


def claimed_once(stage: Stage, sides: Sequence[Side]) -> None:
    """One of both sends it."""
    assert [side.result is None for side in sides].count(True) == 1
    [row] = rows(stage.worker, "SELECT state FROM refunds")
    assert row.state == "PROCESSING"
    assert [
        e.sends for e in rows(stage.worker, "SELECT sends FROM effects WHERE kind = 'refund.give'")
    ] == [1]


def under_one_key(stage: Stage, _sides: Sequence[Side]) -> None:
    """Both may have sent it, under one key: a second send of it gives nothing."""
    [effect] = rows(stage.worker, "SELECT sends, state FROM effects WHERE kind = 'refund.give'")
    assert (effect.sends, effect.state) in {(1, "accepted"), (2, "accepted")}
    [row] = rows(stage.worker, "SELECT state, given_as FROM refunds")
    assert (row.state, row.given_as is None) == ("PROCESSING", False)


def given_once(stage: Stage, _sides: Sequence[Side]) -> None:
    """Invariant 55: whoever heard it first, it is given, and waits for its books once."""
    [row] = rows(stage.worker, "SELECT state FROM refunds")
    assert row.state == "SUCCEEDED"
    cascades(99)(stage)
    cascades(99)(stage)
    in_the_books_once(stage, ())


def given(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """Two halves, given by the books alone, on their way into them."""
    payments = SteppedPayments()
    made = paid(stage.operator, stage.operator, payments, wallet=PRICE)
    for key in ("first", "second"):
        give_back(stage.operator, made.payment, PRICE // 2, key)
    return made, payments


def in_the_books_once(stage: Stage, _sides: Sequence[Side]) -> None:
    """Each has its entry, the wallet what it had, the payee nothing."""
    made = stage.given[0]
    states = {row.state for row in rows(stage.worker, "SELECT state FROM refunds")}
    assert states == {"CASCADED"}
    [all_] = rows(stage.worker, "SELECT count(*) AS n FROM refunds")
    assert len(rows(stage.worker, "SELECT FROM entries WHERE type = 'refund.given'")) == all_.n
    assert balance(stage.worker, AccountKind.PAYEE_PAYABLE, made.consultant) == 0
    [booking] = rows(stage.worker, "SELECT state FROM bookings")
    assert booking.state == "CANCELLED"


def earned(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """A payment of a wallet whose earning a batch would pay, and a refund of it on its way."""
    payments = SteppedPayments()
    made = paid(stage.operator, stage.operator, payments, price=LARGE, wallet=LARGE)
    with owner(stage.url) as database:
        payable(database, made)
    give_back(stage.operator, made.payment, LARGE // 4)
    return made, _runs(stage)


def _runs(stage: Stage) -> list[int]:
    asked = [Request(job=BATCH, queue="money", version=1, origin=Origin.OPERATOR, key="run")]
    with stage.operator.begin() as tx:
        return [run.id for run in runs.enqueue(tx, asked)]


def batched(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """The same, its payout made, approved and due."""
    given_ = earned(stage)
    stage.given = given_
    batches(0)(stage)
    hurry(stage.worker)
    return given_


def pays(stage: Stage) -> object:
    """A worker that sends payouts."""
    return works(process, 1)(stage)


def owed_as_left(stage: Stage, _sides: Sequence[Side]) -> None:
    """The batch made it before or after; what is left is owed, in it or beside it."""
    share = LARGE - LARGE // 5
    [earning] = rows(stage.worker, "SELECT refunded, state FROM earnings")
    assert (earning.refunded, earning.state) == (share // 4, "BATCHED")
    [payout] = rows(stage.worker, "SELECT amount FROM payouts")
    assert payout.amount in {share, share - share // 4}


def not_sent_short(stage: Stage, _sides: Sequence[Side]) -> None:
    """Invariant 16: while the refund is on its way nothing is sent; after it, no more than is owed."""
    assert [row.state for row in rows(stage.worker, "SELECT state FROM refunds")] == ["CASCADED"]
    assert stage.bank.transfers == []
    [payout] = rows(stage.worker, "SELECT state FROM payouts")
    assert payout.state in {"APPROVED", "FAILED"}


def taken_back(stage: Stage) -> Any:  # noqa: ANN401 - the same
    """A refund of the gateway's part that it took back after it was in the books."""
    made = pending(stage)
    stage.given = made
    hears(stage)
    cascades(1)(stage)
    with owner(stage.url) as database:
        change(database, "UPDATE refunds SET taken_back_at = clock_timestamp()")
    return made


def again(by: str) -> Act:
    """An operator proposes to give it again."""

    def act(stage: Stage) -> object:
        [row] = rows(stage.operator, "SELECT id FROM refunds WHERE again_of IS NULL")
        return stage.operator.transact(
            lambda tx: propose(tx, row.id, by=by, why="seen there")
        ).refund

    return act


def owed_once(stage: Stage, sides: Sequence[Side]) -> None:
    """Both are told of one refund, and the books owe it once."""
    assert sides[0].result == sides[1].result
    assert balance(stage.worker, AccountKind.REFUNDS_PAYABLE) == PRICE - WALLET


ALL: Final = (
    Race(
        name="refund/refund",
        prepare=captured,
        sides=(wants("a", 6_000), wants("b", 6_000)),
        check=one_fits,
        errors=(ExceedsRefundableError,),
    ),
    Race(
        name="refund key replay",
        prepare=captured,
        sides=(wants("a", 6_000), wants("a", 6_000)),
        check=one_refund,
    ),
    Race(
        name="refunds submit/submit",
        prepare=reserved,
        sides=(sends(1), sends(2)),
        check=claimed_once,
    ),
    Race(
        name="refunds submit/sleeper",
        prepare=asleep,
        sides=(wakes_up, sends(2)),
        check=under_one_key,
    ),
    Race(
        name="refund/webhook",
        prepare=pending,
        sides=(recovers(2), hears),
        check=given_once,
    ),
    Race(
        name="refund webhook/webhook",
        prepare=pending,
        sides=(hears, hears),
        check=given_once,
    ),
    Race(
        name="refunds cascade/cascade",
        prepare=given,
        sides=(cascades(1), cascades(2)),
        check=in_the_books_once,
    ),
    Race(
        name="refunds again/again",
        prepare=taken_back,
        sides=(again("asha"), again("ravi")),
        check=owed_once,
    ),
    Race(
        name="refund/payout batch",
        prepare=earned,
        sides=(cascades(2), batches(0)),
        check=owed_as_left,
    ),
    Race(
        name="refund/payout",
        prepare=batched,
        sides=(cascades(2), pays),
        check=not_sent_short,
    ),
)
