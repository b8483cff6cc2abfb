"""EXPLAIN guards: a place is offered, told of, reminded of and ended at the same cost however long the lines are."""

from collections.abc import Iterator

import pytest

from db.bench import lining
from domain.mails import SEND
from domain.waitlist import EXPIRE, OFFER, REMIND
from tests.builders import change
from tests.kit.world import Fakes, doors, scene
from tests.mailing import turn_on
from tests.plans.explaining import Plans, explained
from tests.servers import Databases
from workers.runner.bounds import Bounds

SET = 200
MANY = 20_000
HOT = {
    "next in line": ("CROSS JOIN LATERAL", 30 * SET),
    "hold places": ("SET taken = a.taken + h.places", 10 * SET),
    "who is told": ("SELECT w.id, w.expires_at, c.name", 30 * SET),
    "write mails": ("WITH drafts AS MATERIALIZED", 60 * SET),
    "send mails": ("AS may_be_sent", 30 * SET),
    "due": ("SELECT id, state, expires_at FROM waitlist", 10 * SET),
    "over": ("SELECT id, appointment, state, greatest", 10 * SET),
    "who waits": ("AND a.state = 'PLANNED'", 10 * SET),
}
"""A piece of each statement, and the pages that a set of 200 may touch."""
LARGE = {"waitlist", "mails", "customers", "appointments", "work", "effects"}


@pytest.fixture(scope="module")
def plans(databases: Databases, template: str) -> Iterator[Plans]:
    """How a set of places was offered to the first of one line among many, until the offers ended."""
    with databases.database(template) as name, doors(databases.url(name)) as opened:
        database = opened.owner
        with database.begin(60.0) as tx:
            lining.line_up(tx, MANY)
        change(database, "UPDATE appointments SET taken = capacity - :n", n=SET)
        change(
            database,
            """UPDATE work SET due_at = due_at + interval '9 days'
               WHERE subject <> (SELECT id FROM appointments ORDER BY id LIMIT 1)""",
        )
        turn_on(database)
        change(database, "ANALYZE")
        with explained(opened.worker) as seen:
            made = scene(opened, Fakes(), bounds=Bounds(batch_max=SET))
            for job, hours in ((OFFER, 0), (SEND, 37), (REMIND, 12), (EXPIRE, 0)):
                assert made.run(job).tally["succeeded"] == SET
                with database.begin() as tx:
                    lining.pass_time(tx, hours)
        yield seen


@pytest.mark.parametrize("name", HOT)
def test_a_set_of_offers_is_found_by_index_alone(plans: Plans, name: str) -> None:
    piece, most = HOT[name]
    found = plans.of(piece)
    assert found
    for one in found:
        assert not one.scanned & LARGE
        assert one.blocks <= most, one.blocks
