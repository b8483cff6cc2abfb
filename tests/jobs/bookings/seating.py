"""A customer whose checkout is under way."""

from uuid import UUID

from domain.checkouts import Receipt
from tests.booking import (
    NOON,
    appointment,
    begin,
    customer,
    plan,
)
from tests.kit.world import Scene


def seated(world: Scene, *, kind: str = "webinar", **asked: object) -> tuple[UUID, Receipt]:
    """A customer whose checkout is under way."""
    who, offer = customer(world.operator), plan(world.operator, kind)
    private = kind in {"consultation", "subscription"}
    what = {"starts": (NOON,)} if private else {"at": appointment(world.operator, offer)}
    return who, begin(world.database, "k", of=who, plan=offer, **what, **asked)
