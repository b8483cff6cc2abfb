"""Lenders who are owed shares, and the ends that payouts of those come to."""

from collections import Counter
from uuid import UUID

from db.dispersals.retrying import retry
from domain.dispersals import DISBURSE
from domain.payouts import FOLLOW, PROCESS
from tests.builders import hurry, rows
from tests.hearing import about, event, receive
from tests.kit.world import Scene
from tests.mortgages import LINE, balances, bank, disperse, lend, owe, pay

PAYOUTS = "SELECT * FROM payouts ORDER BY created_at, external_id"
DISPERSALS = "SELECT * FROM dispersals ORDER BY amount DESC"


def owed(world: Scene, units: dict[str, int] | None = None, *, method: str = "manual") -> UUID:
    """An obligation that is divided among lenders who can be paid; the receipt that settled it."""
    units = {"A": 1} if units is None else units
    lend(world.operator, units)
    bank(world.operator, *units)
    [id_] = owe(world.operator, LINE)
    made = pay(world.operator, id_, 100_000, method=method)
    disperse(world.database)
    return made.id


def states(world: Scene) -> Counter[str]:
    """Dispersals by state."""
    return Counter(row.state for row in rows(world.owner, "SELECT state FROM dispersals"))


def the_payout(world: Scene, which: int = -1) -> UUID:
    """The newest payout, or another."""
    found: UUID = rows(world.owner, PAYOUTS)[which].id
    return found


def the_dispersal(world: Scene) -> UUID:
    """The only dispersal there is."""
    [row] = rows(world.owner, DISPERSALS)
    found: UUID = row.id
    return found


def hears(world: Scene, made: UUID, *words: str) -> None:
    """Its provider sends an event for each word, and each is applied."""
    receive(world.database, [event(about(world.bank, made), word) for word in words])
    world.run("webhooks.apply")


def follows(world: Scene) -> None:
    """Time passes, and its bank is asked."""
    hurry(world.owner)
    world.run(FOLLOW)


def paid(world: Scene) -> UUID:
    """A lender's share that was sent and arrived; its payout."""
    owed(world)
    world.run(DISBURSE)
    world.run(PROCESS)
    made = the_payout(world)
    hears(world, made, "processed")
    return made


def failed(world: Scene) -> UUID:
    """A lender's share whose payout the bank called failed; that payout."""
    owed(world)
    world.run(DISBURSE)
    world.run(PROCESS)
    made = the_payout(world)
    world.bank.settle(str(made), "failed")
    follows(world)
    return made


def again(world: Scene) -> None:
    """A person has it paid once more."""
    world.operator.transact(
        lambda tx: retry(tx, the_dispersal(world), actor="asha", why="account repaired")
    )


def findings(world: Scene) -> dict[str, str]:
    """The detail of each open finding, by kind."""
    found = rows(world.owner, "SELECT kind, detail FROM findings WHERE resolved_at IS NULL")
    return {row.kind: row.detail for row in found}


def owes(world: Scene) -> int:
    """What payees owe."""
    return balances(world.owner).get("payee_receivable", 0)
