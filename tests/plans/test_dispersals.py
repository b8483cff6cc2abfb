"""EXPLAIN guards: an obligation is divided, and healed, at the same cost however many there were before."""

from collections.abc import Iterator
from typing import Final

import pytest
import sqlalchemy as sa

from db import installation
from db.bench import lending
from db.dispersals.family import LENDERS_ARE_OWED_THEIR_SHARES
from db.invariant import look
from db.obligations import receipts
from db.obligations.flow import legs
from db.suspense import items
from domain.dispersals import DISBURSE
from domain.listings import ReceiptState
from domain.obligations import CREATE, HEAL
from tests.builders import change
from tests.kit.world import Fakes, Scene, doors, scene
from tests.mortgages import bring, stray
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
        # Nearly all that lenders ever had is over.
        change(database, "UPDATE dispersals SET state = 'CANCELLED'")
        change(database, "DELETE FROM work WHERE job = :job", job=DISBURSE)
        change(database, STRAYS, rows=MANY)
        change(database, "ANALYZE")
        yield made


STRAYS: Final = """
    WITH made AS (
      INSERT INTO receipts (id, external_id, reference, obligation, amount, currency, received_on, method, content_hash)
      SELECT gen_random_uuid(), 'R-' || n, '', CASE WHEN n > 3 THEN (SELECT id FROM obligations LIMIT 1) END, 100,
             'INR', '2026-03-20', 'pad', ''
      FROM generate_series(1, :rows) n RETURNING id, obligation),
    item AS (
      INSERT INTO accounts (kind, owner, currency, normal, stripes, bounded)
      SELECT 'suspense', CAST(id AS text), 'INR', 'D', 1, true FROM made WHERE obligation IS NULL RETURNING id)
    INSERT INTO balances (account, stripe, debits, floor) SELECT id, 0, 100, 'D' FROM item"""
"""Receipts of one obligation, and three before them all that name nothing."""


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


def test_a_set_of_shares_is_paid_by_index_alone(lent: Scene, plans: Plans) -> None:
    """However many their lenders had before: in one call, whose reads are counted with it."""
    assert plans.seen
    with explained(lent.database) as seen:
        assert lent.run(DISBURSE).tally["processed"] == lending.SHARES * SET
    pays = seen.of("FROM pay_dispersals")
    assert pays
    for one in seen.seen:
        assert not one.scanned & LARGE
    assert max(one.blocks for one in pays) <= PAY_BLOCKS, [one.blocks for one in pays]


PAY_BLOCKS: Final = 60 * SET
"""What a set of 200 may touch: its shares, their payouts, and what is under way of their mortgages and lenders."""


def test_what_lenders_are_owed_is_summed_over_what_is_open_alone(lent: Scene) -> None:
    with explained(lent.database) as seen, lent.database.begin() as tx:
        look(tx, LENDERS_ARE_OWED_THEIR_SHARES, after=None, page=100, most=1, deep=False)
    [one] = seen.seen
    used = {node.get("Index Name") for node in one.nodes()}
    assert "dispersals_open_of_lender" in used
    assert not one.scanned & {"dispersals", "balances", "accounts"}


def test_what_is_in_suspense_is_listed_by_index_alone(lent: Scene) -> None:
    """The few that named nothing, however many came in after them."""
    with explained(lent.database) as seen, lent.database.begin() as tx:
        found = receipts.listing(tx, state=ReceiptState.SUSPENSE, after=None, limit=10)
        assert len(list(found)) == 3
        assert len(list(items.listing(tx, state=None, after=None, limit=10))) == 3
    for one in seen.seen:
        assert not one.scanned & (LARGE | {"receipts"})
        assert one.blocks <= LIST_BLOCKS, one.blocks


LIST_BLOCKS: Final = 600
"""Three items, each with what opened it, found in every month of the books."""


def test_receipts_are_brought_in_by_index_alone(lent: Scene) -> None:
    """However many there are: which there were before, and which obligations they mean."""
    lines = [stray(f"RC-{n}", reference=f"O-{MANY - n}") for n in range(1, 4)]
    with explained(lent.database) as seen:
        assert bring(lent.operator, *lines).created == 3
    for one in seen.seen:
        assert not one.scanned & (LARGE | {"receipts"})


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
