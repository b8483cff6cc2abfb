"""EXPLAIN guards: a page of an organisation's log costs what it shows, however much its wallet has seen."""

from collections.abc import Iterator

import pytest

from db.wallets.organisations import log
from domain.owners import OrganisationOwner
from tests.booking import fill, organisation
from tests.builders import change, owner
from tests.plans.explaining import Plans, explained
from tests.servers import Databases

MANY = 20_000
SHOWN = 50
LOADS = (
    """INSERT INTO entries (id, type, key, currency, effective_on, actor)
       SELECT 1000000000 + n, 'wallet.credited', 'wallet:credited:many-' || n, 'INR', '2031-01-01', 'test'
       FROM generate_series(1, :many) n""",
    """INSERT INTO postings (entry, debit, credit, amount)
       SELECT 1000000000 + n, d.id, c.id, 1 FROM generate_series(1, :many) n,
              (SELECT id FROM accounts WHERE kind = 'imported_liability') d,
              (SELECT id FROM accounts WHERE kind = 'wallet') c""",
)


@pytest.fixture(scope="module")
def plans(databases: Databases, template: str) -> Iterator[Plans]:
    """How a page of a long log was found."""
    with databases.database(template) as name, owner(databases.url(name)) as database:
        whose = organisation(database)
        fill(database, whose, 1)
        for statement in LOADS:
            change(database, statement, many=MANY)
        change(database, "ANALYZE")
        with explained(database) as seen:
            with database.begin() as tx:
                assert len(log(tx, OrganisationOwner(id=whose), limit=SHOWN)) == SHOWN
            yield seen


def test_a_page_of_a_log_is_found_by_index_alone(plans: Plans) -> None:
    [one] = plans.of("WITH theirs AS MATERIALIZED")
    assert not one.scanned & {"postings", "entries"}
    assert max(int(node["Actual Rows"]) for node in one.nodes()) <= 2 * SHOWN
    assert one.blocks <= 40 * SHOWN
