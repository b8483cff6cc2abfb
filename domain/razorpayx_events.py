"""What a RazorpayX webhook says of a payout. Source: RazorpayX, "Webhooks: payouts"."""

from domain.razorpayx_payouts import read_payout
from domain.telling import NothingToDo, Telling, Unreadable, inside


def read_event(type_: str, document: object) -> Telling:
    """Return what an event of `type_` tells. It carries the payout as it was then: that counts, not the type."""
    if not type_.startswith("payout.") or type_.startswith("payout.downtime."):
        return NothingToDo(why=type_)
    payout = read_payout(inside(document, "payload", "payout", "entity"))
    return payout or Unreadable(why=f"{type_} carries no payout")
