"""EXPLAIN guards: an obligation is divided, and healed, at the same cost however many there were before."""

from collections.abc import Iterator
from typing import Final

import pytest
import sqlalchemy as sa

from db import installation
from db.bench import lending
from db.obligations.flow import legs
from domain.obligations import CREATE, HEAL
from tests.builders import change
from tests.kit.world import Fakes, Scene, doors, scene
from tests.plans.explaining import Plans, explained
from tests.servers import Databases
from workers.runner.bounds import Bounds

SET: Final = 200
MANY: Final = 6_000
HOT: Final = {
    "what is settled": ("SELECT o.id, o.external_id, o.mortgage", 90 * SET),
    "who lends": ("SELECT mortgage, lender, units FROM positions", 30 * SET),
    "what was divided before": ("WITH asked AS MATERIALIZED", 30 * SET),
    "how it is divided": ("INSERT INTO calculation_runs", 30 * SET),
    "shares": ("INSERT INTO dispersals", 60 * lending.SHARES * SET),
    "which accounts": ("AS w (kind, owner, currency)", 30 * SET),
    "entries": ("WITH block AS MATERIALIZED", 60 * lending.SHARES * SET),
}
"""A piece of each statement, and the pages that a set of 200 may touch."""
LARGE: Final = {"obligations", "positions", "entries", "accounts", "balances", "work", "dispersals"}


@pytest.fixture(scope="module")
def lent(databases: Databases, template: str) -> Iterator[Scene]:
    """Many obligations that were divided, as many that wait for money, and a set to be divided."""
    with databases.database(template) as name, doors(databases.url(name)) as opened:
        database = opened.owner
        with database.begin(120.0) as tx:
            lending.owe(tx, installation.get(tx).id, MANY)
            for _ in range(2):
                lending.settle(tx, 20 * SET // 2)
        made = scene(opened, Fakes(), bounds=Bounds(batch_max=SET, lease_seconds=600.0))
        assert made.run(CREATE).tally["succeeded"] == 20 * SET
        with database.begin(120.0) as tx:
            lending.settle(tx, SET)
        change(database, WAITING, job=HEAL, rows=MANY)
        change(database, "ANALYZE")
        yield made


WAITING: Final = """
    INSERT INTO work (job, subject, due_at, parked_reason)
    SELECT :job, gen_random_uuid(), clock_timestamp() + interval '1 hour', NULL FROM generate_series(1, :rows)
    UNION ALL SELECT :job, gen_random_uuid(), 'infinity', 'nobody knows' FROM generate_series(1, :rows)"""
"""Rows of healing whose wait is not over, and parked ones."""
LOOK_BLOCKS: Final = 10


@pytest.fixture(scope="module")
def plans(lent: Scene) -> Plans:
    """How one set was divided."""
    with explained(lent.database) as seen:
        assert lent.run(CREATE).tally["succeeded"] == SET
    return seen


@pytest.mark.parametrize("name", HOT)
def test_a_set_is_divided_by_index_alone(plans: Plans, name: str) -> None:
    piece, most = HOT[name]
    found = plans.of(piece)
    assert found
    for one in found:
        assert not one.scanned & LARGE
        assert one.blocks <= most, one.blocks


def test_a_look_that_finds_nothing_to_heal_reads_a_few_pages_of_one_index(lent: Scene) -> None:
    """However many were divided before, wait for a later try, or are parked."""
    with explained(lent.database) as seen:
        assert lent.run(HEAL).tally["processed"] == 0
    [look] = seen.of("claims, tries, waiting_since")
    assert not look.scanned & LARGE
    assert (look.blocks <= LOOK_BLOCKS, look.removed) == (True, 0), look.blocks
    assert not any(table in one.statement for one in seen.seen for table in LARGE - {"work"})


def test_the_entries_of_one_obligation_are_found_by_index_alone(lent: Scene) -> None:
    """However many there are of others: by the beginnings of their keys, and by its own accounts."""
    with lent.database.begin() as tx:
        id_ = tx.scalar(sa.text("SELECT id FROM obligations WHERE state = 'DISPERSED' LIMIT 1"))
    with explained(lent.database) as seen, lent.database.begin() as tx:
        # Owed, received, settled, the fee; its receipts have no rows here.
        assert len(legs(tx, id_)) == 4 + lending.SHARES
    for one in seen.seen:
        assert not one.scanned & (LARGE | {"receipts"})
        assert one.blocks <= FLOW_BLOCKS, one.blocks


FLOW_BLOCKS: Final = 1_000
"""Legs are found by ranges of pages, a few for each entry."""
