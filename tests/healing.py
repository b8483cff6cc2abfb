"""Obligations that could not be divided, and what became of them: for tests of healing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from domain.obligations import CREATE, HEAL
from tests.builders import change, hurry, rows
from tests.kit.world import Scene
from tests.mortgages import LINE, owe, pay

UNITS: Final = {"A": 6000, "B": 4000}


def stalled(world: Scene, *names: str) -> list[UUID]:
    """Obligations that received all they are owed, each of a mortgage of its own in which nobody has a position."""
    lines = [replace(LINE, external_id=name, mortgage=f"M-{name}") for name in names]
    ids = owe(world.operator, *lines)
    for id_ in ids:
        pay(world.operator, id_, 100_000)
    assert world.run(CREATE).tally["failed"] == len(ids)
    return ids


def tried(world: Scene, times: int = 1) -> list[Mapping[str, int]]:
    """What so many runs counted, each as if every wait were over."""
    told = list[Mapping[str, int]]()
    for _ in range(times):
        hurry(world.owner, HEAL)
        told.append(dict(world.run(HEAL).tally))
    return told


def failures(world: Scene, id_: UUID) -> list[tuple[int, str]]:
    """The failures of healing that were counted, with their errors."""
    found = rows(
        world.owner,
        "SELECT number, error FROM healing_failures WHERE obligation = :id ORDER BY number",
        id=id_,
    )
    return [(row.number, row.error) for row in found]


def reported(world: Scene) -> list[str]:
    """The kinds of the findings that are open."""
    found = rows(world.owner, "SELECT kind FROM findings WHERE resolved_at IS NULL ORDER BY kind")
    return [row.kind for row in found]


def escalations(world: Scene) -> list[tuple[str, str, str, int]]:
    """Entries that set money apart: key, what they debit and credit, and how much."""
    found = rows(
        world.owner,
        """SELECT e.key, d.kind AS debit, c.kind AS credit, p.amount FROM entries e JOIN postings p ON p.entry = e.id
           JOIN accounts d ON d.id = p.debit JOIN accounts c ON c.id = p.credit WHERE e.type = 'SUSPENSE_ESCALATED'""",
    )
    return [(row.key, row.debit, row.credit, row.amount) for row in found]


def moved(world: Scene, id_: UUID, source: str, target: str, job: str | None) -> None:
    """As if it had been moved so, with the work of its new state; whatever else there is of it stays."""
    change(
        world.owner,
        """WITH moved AS (
             INSERT INTO moves (kind, subject, source, target, actor)
             VALUES ('obligation', :id, :source, :target, 'test')),
           due AS (INSERT INTO work (job, subject) SELECT :job, :id WHERE CAST(:job AS text) IS NOT NULL)
           UPDATE obligations SET state = :target WHERE id = :id""",
        id=id_,
        source=source,
        target=target,
        job=job,
    )


def spent(world: Scene, mortgage: UUID, amount: int) -> None:
    """Cash of a mortgage that is gone, by the books."""
    change(
        world.owner,
        """UPDATE balances SET credits = credits + :amount
           WHERE account = (SELECT id FROM accounts WHERE kind = 'trust_cash' AND owner = CAST(:mortgage AS text))""",
        mortgage=mortgage,
        amount=amount,
    )
