"""An application asks for something under its key, is not answered, and asks again."""

from typing import Final
from uuid import UUID

from db import idempotency
from db.bookings.start import start_checkout
from db.idempotency import Key
from db.tx import Tx
from tests.booking import appointment, ask, customer, plan
from tests.builders import rows
from tests.kit.world import BATCH, Scene, World

HASH: Final = "ab" * 32


class AsksAgain(World):
    """What was done is kept with what it was answered, in one transaction: asked again, it is answered alike."""

    job = "operation under a key"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        appointment(scene.operator, plan(scene.operator), capacity=BATCH)
        customer(scene.operator)

    def act(self, scene: Scene) -> None:
        answered(scene)

    def check(self, scene: Scene) -> None:
        [payment] = rows(scene.owner, "SELECT id FROM payments")
        [kept] = rows(scene.owner, "SELECT reply FROM idempotency_keys")
        assert kept.reply == {"payment": str(payment.id)}
        assert answered(scene) == kept.reply
        assert [row.taken for row in rows(scene.owner, "SELECT taken FROM appointments")] == [1]


def answered(scene: Scene) -> object:
    """Begin the checkout as the door does; returns what the application is told."""
    [at] = rows(scene.database, "SELECT id, plan FROM appointments")
    [who] = rows(scene.database, "SELECT id FROM customers")
    return scene.database.transact(lambda tx: _once(tx, who.id, at.plan, at.id))


def _once(tx: Tx, who: UUID, webinar: UUID, at: UUID) -> object:
    request, wanted = ask(of=who, plan=webinar, at=at)

    def work() -> str:
        return f'{{"payment": "{start_checkout(tx, request, wanted).payment}"}}'

    key = Key(application="shop", actor=who, key=request.key)
    return idempotency.once(tx, key, HASH, work)


WORLDS: Final = (AsksAgain(),)
