"""Checkouts that nobody paid, seats left behind, appointments that have taken place, and what customers do."""

from functools import partial
from typing import Final
from uuid import UUID

from db.bookings.participants import remove_participant
from db.bookings.reschedule import reschedule
from domain.appointments import COMPLETE, RELEASE_TENTATIVE
from domain.booking_errors import NotPendingError
from domain.ledger import AccountKind
from domain.owners import ConsultantOwner, CustomerOwner
from domain.payments import EXPIRE_CHECKOUTS
from tests.booking import (
    NOON,
    abandon,
    appointment,
    balance,
    begin,
    cancel,
    customer,
    end,
    fill,
    pay,
    plan,
)
from tests.builders import change, hurry, rows
from tests.kit.world import BATCH, Scene, World

KEPT: Final = 500
"""What a wallet pays of each."""


def checkouts(scene: Scene, kind: str = "webinar", kept: int = KEPT) -> list[UUID]:
    """As many checkouts as a run settles at once, a part of each paid by a wallet; their payments."""
    made = []
    for n in range(BATCH):
        who, offer = customer(scene.operator), plan(scene.operator, kind)
        if kept:
            fill(scene.operator, who, kept)
        what = (
            {"at": appointment(scene.operator, offer)}
            if kind == "webinar"
            else {"starts": (NOON.replace(hour=8 + n),)}
        )
        one = begin(scene.operator, of=who, plan=offer, wallet_minor=kept, **what)
        made.append(one.payment)
    return made


def found(scene: Scene) -> list[tuple[str, ...]]:
    """Where payments, bookings, seats and appointments are; each kind of it once."""
    statement = """
        SELECT DISTINCT p.state, b.state AS booking, s.state AS seat, a.state AS appointment FROM payments p
        JOIN bookings b ON b.id = p.booking JOIN seats s ON s.booking = b.id
        JOIN appointments a ON a.id = s.appointment"""
    return [tuple(row) for row in rows(scene.owner, statement)]


class Unpaid(World):
    """All expire: legs are given back once, places are free."""

    job = EXPIRE_CHECKOUTS

    def prepare(self, scene: Scene) -> None:
        checkouts(scene, "consultation")
        change(scene.owner, "UPDATE payments SET expires_at = clock_timestamp()")
        hurry(scene.owner, EXPIRE_CHECKOUTS)

    def check(self, scene: Scene) -> None:
        assert found(scene) == [("EXPIRED", "EXPIRED", "RELEASED", "CANCELLED")]
        assert_given_back(scene)


def assert_given_back(scene: Scene) -> None:
    """Every wallet has what it had."""
    owners = rows(scene.owner, "SELECT id FROM customers")
    assert [balance(scene.owner, AccountKind.WALLET, row.id) for row in owners] == [KEPT] * BATCH


class LeftBehind(World):
    """Seats whose payment is gone are released, each once."""

    job = RELEASE_TENTATIVE

    def prepare(self, scene: Scene) -> None:
        for payment in checkouts(scene, kept=0):
            abandon(scene.owner, payment)
        statement = "UPDATE seats SET updated_at = clock_timestamp() - interval '25 hours'"
        change(scene.owner, statement)
        hurry(scene.owner, RELEASE_TENTATIVE)

    def check(self, scene: Scene) -> None:
        assert [row[2] for row in found(scene)] == ["RELEASED"]
        assert [
            row.taken for row in rows(scene.owner, "SELECT DISTINCT taken FROM appointments")
        ] == [0]
        moves = rows(scene.owner, "SELECT FROM moves WHERE kind = 'seat' AND target = 'RELEASED'")
        assert len(moves) == BATCH


class TookPlace(World):
    """All are over, and what was booked of them is completed, once."""

    job = COMPLETE

    def prepare(self, scene: Scene) -> None:
        pay(scene.operator, *checkouts(scene))
        end(scene.owner, *[row.id for row in rows(scene.owner, "SELECT id FROM appointments")])

    def check(self, scene: Scene) -> None:
        assert found(scene) == [("SUCCEEDED", "COMPLETED", "CONFIRMED", "OVER")]


class Orphans(World):
    """What was captured too late is a finding, once."""

    job = "bookings.flag_orphans"

    def prepare(self, scene: Scene) -> None:
        made = checkouts(scene)
        for row in rows(scene.owner, "SELECT id, customer FROM payments"):
            cancel(scene.operator, row.customer, row.id)
        pay(scene.operator, *made)

    def check(self, scene: Scene) -> None:
        statement = (
            "SELECT seen FROM findings WHERE kind = 'payment-orphaned' AND resolved_at IS NULL"
        )
        assert len(rows(scene.owner, statement)) == BATCH


class Cancels(World):
    """Whoever cancels and is not answered cancels again: it is done, once."""

    job = "cancel_pending_checkout"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        checkouts(scene, "consultation")

    def act(self, scene: Scene) -> None:
        for row in rows(scene.database, "SELECT id, customer FROM payments ORDER BY id"):
            try:
                cancel(scene.database, row.customer, row.id)
            except NotPendingError:
                continue

    def check(self, scene: Scene) -> None:
        assert found(scene) == [("EXPIRED", "CANCELLED", "RELEASED", "CANCELLED")]
        assert_given_back(scene)


class Captures(World):
    """Whoever says that they were captured says it again until it is heard: they are scheduled and earned, once."""

    job = "capture"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        checkouts(scene, "consultation")

    def act(self, scene: Scene) -> None:
        pay(scene.database, *[row.id for row in rows(scene.database, "SELECT id FROM payments")])

    def check(self, scene: Scene) -> None:
        assert found(scene) == [("SUCCEEDED", "SCHEDULED", "CONFIRMED", "PLANNED")]
        assert len(rows(scene.owner, "SELECT FROM earnings")) == BATCH


class Begins(World):
    """Whoever begins a checkout and is not answered begins it again with its key: it is one payment."""

    job = "start_checkout"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        offer = plan(scene.operator)
        appointment(scene.operator, offer, capacity=BATCH)
        fill(scene.operator, customer(scene.operator), KEPT)

    def act(self, scene: Scene) -> None:
        [at] = rows(scene.database, "SELECT id, plan FROM appointments")
        [who] = rows(scene.database, "SELECT id FROM customers")
        begin(scene.database, of=who.id, plan=at.plan, at=at.id, wallet_minor=KEPT)

    def check(self, scene: Scene) -> None:
        assert [row.taken for row in rows(scene.owner, "SELECT taken FROM appointments")] == [1]
        assert len(rows(scene.owner, "SELECT FROM payments")) == 1


class Moves(World):
    """Whoever moves a booking and is not answered moves it again: it is where it was to be, once."""

    job = "reschedule"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        pay(scene.operator, *checkouts(scene))
        for row in rows(scene.owner, "SELECT plan FROM appointments"):
            appointment(scene.operator, row.plan, starts=(NOON.replace(hour=20),))

    def act(self, scene: Scene) -> None:
        statement = """
            SELECT b.id, b.customer, a.id AS appointment FROM bookings b JOIN appointments a ON a.plan = b.plan
            WHERE EXTRACT(hour FROM a.starts_at) = 20 ORDER BY b.id"""
        for row in rows(scene.database, statement):
            owner = CustomerOwner(id=row.customer)
            move = partial(reschedule, owner=owner, booking=row.id, to=row.appointment)
            scene.database.transact(move)

    def check(self, scene: Scene) -> None:
        statement = (
            "SELECT DISTINCT EXTRACT(hour FROM starts_at) AS hour FROM appointments WHERE taken = 1"
        )
        assert [row.hour for row in rows(scene.owner, statement)] == [20]


class TakesOut(World):
    """Whoever takes a participant out and is not answered does it again: their places are freed once."""

    job = "remove_participant"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        pay(scene.operator, *checkouts(scene, "consultation"))

    def act(self, scene: Scene) -> None:
        statement = """
            SELECT s.appointment, s.customer, l.consultant FROM seats s JOIN appointments a ON a.id = s.appointment
            JOIN plans l ON l.id = a.plan WHERE s.state = 'CONFIRMED' ORDER BY s.id"""
        for row in rows(scene.database, statement):
            owner = ConsultantOwner(id=row.consultant)
            take_out = partial(
                remove_participant, owner=owner, appointment=row.appointment, customer=row.customer
            )
            scene.database.transact(take_out)

    def check(self, scene: Scene) -> None:
        assert found(scene) == [("SUCCEEDED", "CANCELLED", "RELEASED", "CANCELLED")]


WORLDS: Final = (
    Unpaid(),
    LeftBehind(),
    TookPlace(),
    Orphans(),
    Cancels(),
    Captures(),
    Begins(),
    Moves(),
    TakesOut(),
)
