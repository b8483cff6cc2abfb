"""The same work by each: payouts with their status changed, two rows in the ledger, totals, one call of a gateway."""

from dataclasses import dataclass

from tests.bench import gateway, tables
from tests.bench.peers.catalog import Peer
from tests.bench.stands import world
from tests.bench.workers import fill, wait_until, working
from workers.bench.drain import Drain, drain
from workers.bench.stand import Stand

SECONDS_MAX = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast one run went; what came of it was proven."""

    items: int
    per_second: float
    """Between the first and the last tenth: neither start-up nor the end."""
    whole_per_second: float
    """From the first call to the last settle."""


def of_peer(stand: Stand, peer: Peer, items: int, gateway_seconds: float = 0.0) -> Rate:
    """Give a peer its backlog, then its workers. Raises `BrokenError` unless each is paid once."""
    with world(stand, gateway_seconds=gateway_seconds) as made:
        tables.make(made, items)
        fill(peer, made, items)
        with working(peer, made) as children:
            wait_until(lambda: gateway.count(made.notes) >= items, made, children, SECONDS_MAX)
            wait_until(lambda: tables.paid(made) == items, made, children, SECONDS_MAX)
        tables.prove(made, items)
        whole, steady = tables.span(made)
    return Rate(items=items, per_second=0.8 * items / steady, whole_per_second=items / whole)


def of_bursar(stand: Stand, plan: Drain) -> Rate:
    """Let the product drain the same number; `drain` proves it by the product's own books."""
    done = drain(stand, plan)
    return Rate(
        items=plan.items, per_second=done.steady_per_second, whole_per_second=done.per_second
    )
