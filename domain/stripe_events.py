"""What a Stripe webhook says of a transfer. Source: Stripe, "Types of events" and "The event object"."""

from domain.stripe_transfers import read_transfer
from domain.telling import NothingToDo, Telling, Unreadable, inside


def read_event(type_: str, document: object) -> Telling:
    """Return what an event of `type_` tells. It carries the transfer as it was then: that counts, not the type.

    An event with an `account` is about what a connected account did, which pays nobody of ours.
    """
    if not type_.startswith("transfer.") or inside(document, "account") is not None:
        return NothingToDo(why=type_)
    transfer = read_transfer(inside(document, "data", "object"))
    return transfer or Unreadable(why=f"{type_} carries no transfer")
