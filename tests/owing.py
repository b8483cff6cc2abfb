"""Payees who owe something back: paid, and their customer was given a share of it since."""

import json
from uuid import UUID

from db.earnings import deciding
from db.engine import Database
from domain.payouts import FOLLOW
from tests.builders import hurry, rows
from tests.earning import earn, earning, owe
from tests.kit.world import Scene

BATCH, PROCESS = "payouts.batch", "payouts.process"
KINDS = """
    SELECT CAST(abs(coalesce(sum(b.credits - b.debits), 0)) AS bigint) AS minor
    FROM accounts a JOIN balances b ON b.account = a.id WHERE a.kind = :kind"""


def balance(database: Database, kind: str) -> int:
    """What accounts of one kind hold, in minor units."""
    [row] = rows(database, KINDS, kind=kind)
    minor: int = row.minor
    return minor


def owing(database: Database) -> int:
    """What all payees owe."""
    return balance(database, "payee_receivable")


def give_back(database: Database, name: str, minor: int) -> None:
    """So much of an earning's share was given back to its customer, in all."""
    [row] = rows(database, "SELECT id FROM earnings WHERE external_id = :name", name=name)
    with database.begin() as tx:
        [done] = deciding.reduce(tx, {row.id: minor}, actor="asha", why="asked back")
    assert done.outcome == "moved"


def finish(world: Scene) -> None:
    """The bank pays what is under way, and says so."""
    world.bank.finish()
    hurry(world.owner)
    world.run(FOLLOW)


def made(world: Scene) -> list[UUID]:
    """The payouts there are, the first one first."""
    return [row.id for row in rows(world.owner, "SELECT id FROM payouts ORDER BY created_at, id")]


def in_debt(world: Scene, minor: int = 30_000) -> UUID:
    """One payee was paid 1,000 rupees and owes `minor` of it back; returns that payout."""
    owe(world.url, 1, payees=1)
    world.run(BATCH)
    world.run(PROCESS)
    finish(world)
    if minor:
        give_back(world.operator, "E-000000", minor)
    [payout] = made(world)
    return payout


def earns(world: Scene, *amounts: int, first: int = 1) -> None:
    """The payee earns so much more, in an earning each, called N-1, N-2 and so on."""
    lines = [
        earning(f"N-{n}", amount_minor=minor, gross_minor=2 * minor)
        for n, minor in enumerate(amounts, first)
    ]
    earn(world.operator, lines)


def next_payout(world: Scene, *amounts: int, period: str = "day") -> UUID:
    """A batch makes a payout of what the payee earns now; returns it."""
    before = set(made(world))
    earns(world, *amounts, first=100 * len(before))
    world.run(BATCH, period=period)
    [new] = set(made(world)) - before
    return new


def sent(world: Scene) -> list[int]:
    """What was asked of the bank, in minor units, one send after the other."""
    return [json.loads(submit.body)["amount"] for submit in world.bank.submits]
