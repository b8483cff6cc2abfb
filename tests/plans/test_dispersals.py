"""EXPLAIN guards: an obligation is divided at the same cost however many there were before."""

from collections.abc import Iterator
from typing import Final

import pytest

from db import installation
from db.bench import lending
from domain.obligations import CREATE
from tests.builders import change
from tests.kit.world import Fakes, doors, scene
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
def plans(databases: Databases, template: str) -> Iterator[Plans]:
    """How one set was divided among many that were divided, or wait for money."""
    with databases.database(template) as name, doors(databases.url(name)) as opened:
        database = opened.owner
        with database.begin(120.0) as tx:
            lending.owe(tx, installation.get(tx).id, MANY)
            for _ in range(2):
                lending.settle(tx, 20 * SET // 2)
        made = scene(opened, Fakes(), bounds=Bounds(batch_max=SET))
        assert made.run(CREATE).tally["succeeded"] == 20 * SET
        with database.begin(120.0) as tx:
            lending.settle(tx, SET)
        change(database, "ANALYZE")
        with explained(opened.worker) as seen:
            assert made.run(CREATE).tally["succeeded"] == SET
        yield seen


@pytest.mark.parametrize("name", HOT)
def test_a_set_is_divided_by_index_alone(plans: Plans, name: str) -> None:
    piece, most = HOT[name]
    found = plans.of(piece)
    assert found
    for one in found:
        assert not one.scanned & LARGE
        assert one.blocks <= most, one.blocks
