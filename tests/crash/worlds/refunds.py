"""Refunds to be given, in doubt, pending, and on their way into the books; and the operator who asks for them."""

from typing import Final

from db.refunds.again import propose
from db.refunds.decide import Decision, decide
from domain.checkout_answers import RefundStatus
from domain.ledger import AccountKind
from domain.refunds import CASCADE, RECOVER, SUBMIT
from tests.booking import PRICE, balance
from tests.builders import change, hurry, rows
from tests.kit.world import BATCH, Fakes, Scene, World
from tests.refunding import Paid, give_back, orphan, paid
from workers.sandbox.faults import Fault

KEPT: Final = 4_000
"""What a wallet paid of each."""


def payments(scene: Scene, wallet: int = KEPT) -> list[Paid]:
    """As many captured payments as a run settles at once."""
    return [
        paid(scene.operator, scene.operator, scene.fakes.payments, wallet=wallet)
        for _ in range(BATCH)
    ]


def reserved(scene: Scene, wallet: int = KEPT) -> None:
    """A refund of all of each."""
    for one in payments(scene, wallet):
        give_back(scene.operator, one.payment)


def assert_given_once(scene: Scene) -> None:
    """Each is in the books once, and the gateway gave each once."""
    assert [row.state for row in rows(scene.owner, "SELECT DISTINCT state FROM refunds")] == [
        "CASCADED"
    ]
    given = scene.fakes.payments.refunds
    assert len(given) == len({one.reference for one in given}) == BATCH
    assert_in_the_books_once(scene)


def assert_in_the_books_once(scene: Scene) -> None:
    """Every wallet has what it had, once, and every earning is gone, once."""
    owners = [row.id for row in rows(scene.owner, "SELECT id FROM customers")]
    assert [balance(scene.owner, AccountKind.WALLET, one) for one in owners] == [KEPT] * BATCH
    assert len(rows(scene.owner, "SELECT FROM entries WHERE type = 'refund.given'")) == BATCH
    assert len(rows(scene.owner, "SELECT FROM refund_records")) == BATCH
    assert balance(scene.owner, AccountKind.GATEWAY_CLEARING) == 0
    assert {row.state for row in rows(scene.owner, "SELECT state FROM bookings")} == {"CANCELLED"}


class Reserved(World):
    """Each is given once, and is in the books once."""

    job = SUBMIT

    def prepare(self, scene: Scene) -> None:
        reserved(scene)

    def check(self, scene: Scene) -> None:
        assert_given_once(scene)


class ReservedLost(Reserved):
    """The same, where the first reply is lost and the second request goes nowhere."""

    variant = "replies lost"

    def fakes(self) -> Fakes:
        made = Fakes()
        # The orders of the payments are made before.
        made.payments.script(*[None] * BATCH, Fault.DROP, Fault.ERROR_BEFORE)
        return made


class InDoubt(World):
    """Nobody knows of the first, and the others never arrived: each is given once."""

    job = RECOVER

    def prepare(self, scene: Scene) -> None:
        reserved(scene)
        scene.fakes.payments.script(Fault.DROP, Fault.ERROR_BEFORE, Fault.RATE_LIMIT)
        scene.run(SUBMIT)
        hurry(scene.owner)

    def check(self, scene: Scene) -> None:
        assert_given_once(scene)


class Pending(World):
    """The gateway has each; one of them fails in the end."""

    job = RECOVER
    variant = "pending"

    def prepare(self, scene: Scene) -> None:
        reserved(scene)
        scene.fakes.payments.script(Fault.FAIL)
        scene.run(SUBMIT)
        hurry(scene.owner)
        scene.fakes.payments.finish()

    def check(self, scene: Scene) -> None:
        states = sorted(row.state for row in rows(scene.owner, "SELECT state FROM refunds"))
        assert states == ["CASCADED"] * (BATCH - 1) + ["FAILED"]
        assert len(scene.fakes.payments.refunds) == BATCH
        assert (
            len(rows(scene.owner, "SELECT FROM entries WHERE type = 'refund.given'")) == BATCH - 1
        )


class Given(World):
    """All are in the books, once, with their seats free and their wallets filled."""

    job = CASCADE

    def prepare(self, scene: Scene) -> None:
        reserved(scene)
        scene.run(SUBMIT)
        scene.fakes.payments.finish()
        hurry(scene.owner)
        scene.run(RECOVER)

    def check(self, scene: Scene) -> None:
        assert_given_once(scene)


class Creates(World):
    """Whoever asks for a refund and is not answered asks again with its key: it is one refund."""

    job = "refunds create"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        payments(scene)

    def act(self, scene: Scene) -> None:
        for row in rows(scene.database, "SELECT id FROM payments ORDER BY id"):
            give_back(scene.database, row.id)

    def check(self, scene: Scene) -> None:
        assert_given_once(scene)


class Approves(World):
    """Whoever approves what was proposed and is not answered approves it again: it is given once."""

    job = "refunds approve"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        for _ in range(BATCH):
            orphan(scene.operator, scene.operator, scene.fakes.payments)
        scene.run("bookings.flag_orphans")

    def act(self, scene: Scene) -> None:
        ids = [row.id for row in rows(scene.operator, "SELECT id FROM refunds")]
        with scene.operator.begin() as tx:
            decide(tx, Decision.APPROVE, ids, actor="asha", why="owed back")

    def check(self, scene: Scene) -> None:
        assert {row.state for row in rows(scene.owner, "SELECT state FROM refunds")} == {"CASCADED"}
        given = scene.fakes.payments.refunds
        assert [one.amount_minor for one in given] == [PRICE] * BATCH
        assert {one.status for one in given} <= {RefundStatus.PENDING, RefundStatus.SUCCEEDED}
        assert balance(scene.owner, AccountKind.REFUNDS_PAYABLE) == 0


class GivesAgain(World):
    """Whoever proposes to give again what was taken back, and is not answered, proposes it again: once."""

    job = "refunds again"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        reserved(scene)
        scene.run(SUBMIT)
        scene.fakes.payments.finish()
        hurry(scene.owner)
        for job in (RECOVER, CASCADE):
            scene.run(job)
        change(scene.owner, "UPDATE refunds SET taken_back_at = clock_timestamp()")
        scene.fakes.payments._failing.update(
            one.provider_id for one in scene.fakes.payments.refunds
        )

    def act(self, scene: Scene) -> None:
        for row in rows(scene.owner, "SELECT id FROM refunds WHERE again_of IS NULL ORDER BY id"):
            with scene.operator.begin() as tx:
                again = propose(tx, row.id, by="asha", why="their account is closed").refund
            with scene.operator.begin() as tx:
                decide(tx, Decision.APPROVE, [again], actor="ravi", why="seen there")

    def check(self, scene: Scene) -> None:
        states = [row.state for row in rows(scene.owner, "SELECT state FROM refunds")]
        assert states == ["CASCADED"] * 2 * BATCH
        assert len(scene.fakes.payments.refunds) == 2 * BATCH
        assert balance(scene.owner, AccountKind.REFUNDS_PAYABLE) == 0
        assert balance(scene.owner, AccountKind.GATEWAY_CLEARING) == 0


WORLDS: Final = (
    GivesAgain(),
    Reserved(),
    ReservedLost(),
    InDoubt(),
    Pending(),
    Given(),
    Creates(),
    Approves(),
)
