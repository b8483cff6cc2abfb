"""Each promise is broken on purpose, behind every guard, and the audit names what breaks it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from db import aggregates, audit
from db.audit import INVARIANTS, Look
from db.families import FAMILIES
from db.tx import Tx
from tests.booking import every_ending
from tests.builders import owner
from tests.conftest import Addresses
from tests.db.audit import (
    plants_bookings,
    plants_dispersals,
    plants_refunds,
    plants_waitlist,
)
from tests.db.audit.plants import HARMLESS, PLANTS as OF_PAYOUTS
from tests.driving import every_state
from tests.earned import paid_and_given_back
from tests.fakes.bank import FakeBank
from tests.keeping import credit, keep
from tests.lining import offered
from tests.mortgages import every_paying, every_standing
from tests.opening import opening, taken
from tests.operating import opened
from tests.refunding import every_refund
from tests.sealing import sealed
from tests.servers import Databases

PLANTS = [
    *OF_PAYOUTS,
    *plants_bookings.PLANTS,
    *plants_waitlist.PLANTS,
    *plants_dispersals.PLANTS,
    *plants_refunds.PLANTS,
]
STATES = ("PENDING", "APPROVED", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED", "REVERSED")
PAYOUT = (
    "(SELECT min(CAST(id AS text))::uuid FROM payouts WHERE state = '?' AND source <> 'dispersals')"
)
ACCOUNT = "(SELECT id FROM accounts WHERE kind = '?')"
NAMED = {
    "<cash>": ACCOUNT.replace("?", "cash"),
    "<tax>": ACCOUNT.replace("?", "tds_payable"),
    # The first of several: who keeps something here, and whose wallet paid for a booking.
    "<wallet>": "(SELECT min(id) FROM accounts WHERE kind = 'wallet')",
    "<liability>": ACCOUNT.replace("?", "imported_liability"),
    **{f"<{state}>": PAYOUT.replace("?", state) for state in STATES},
}


@pytest.fixture(scope="module")
def scene(databases: Databases, template: str, addresses: Addresses) -> Iterator[sa.Engine]:
    """A database with payouts in every state, some of them with tax withheld, and bookings, as superuser."""
    with databases.database(template) as name:
        url = databases.url(name)
        with opened(url) as operator, opened(url, "bursar_worker") as worker:
            bank = FakeBank()
            paid_and_given_back(operator, worker, bank)
            every_state(operator, worker, bank)
            old = [("PROCESSING", {"reference": "OLD-1"}), ("FAILED", {}), ("PENDING", {})]
            taken(operator, [opening(state, state, **more) for state, more in old], bank)
            keep(operator, [credit(payee="Kept")])
            every_ending(operator, worker)
            sealed(worker)
            every_paying(operator, worker, bank)
            every_standing(operator, worker)
            every_refund(operator, worker)
            sealed(worker)
            with owner(url) as outside:
                offered(operator, outside)
        admin = sa.make_url(addresses.admin_url).set(database=name)
        engine = sa.create_engine(admin, poolclass=sa.pool.NullPool)
        yield engine
        engine.dispose()


@contextmanager
def planted(scene: sa.Engine, statement: str) -> Iterator[Tx]:
    """A transaction in which no guard holds and `statement` has run; undone at its end."""
    with scene.connect() as connection:
        connection.exec_driver_sql("SET LOCAL search_path = bursar, pg_temp")
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for name, query in NAMED.items():
            statement = statement.replace(name, query)
        for part in statement.split(";"):
            assert connection.exec_driver_sql(part.replace("%", "%%")).rowcount, (
                f"nothing was planted by {part}"
            )
        yield Tx(connection)


def look(tx: Tx, name: str, page: int = 3) -> list[Look]:
    """Every page of one promise."""
    invariant = next(i for i in INVARIANTS if i.name == name)
    looks = [audit.look(tx, invariant, after=None, page=page, most=100, deep=True)]
    while looks[-1].after is not None:
        looks.append(
            audit.look(tx, invariant, after=looks[-1].after, page=page, most=100, deep=True)
        )
    return looks


def test_payouts_are_in_every_state_and_nothing_is_found(scene: sa.Engine) -> None:
    with planted(scene, "SELECT 1") as tx:
        states = {row.state for row in tx.rows(sa.text("SELECT state FROM payouts"))}
        assert states == set(STATES)
        broken = {i.name: [s.offences for s in look(tx, i.name) if s.found] for i in INVARIANTS}
        assert {name: found for name, found in broken.items() if found} == {}


@pytest.mark.parametrize("page", [3, 5000])
@pytest.mark.parametrize(("name", "statement", "subject"), PLANTS)
def test_what_is_broken_is_named(
    scene: sa.Engine, name: str, statement: str, subject: str, page: int
) -> None:
    with planted(scene, statement) as tx:
        looks = look(tx, name, page)
    assert sum(seen.found for seen in looks) > 0
    assert any(subject in o.subject and o.detail for seen in looks for o in seen.offences)


@pytest.mark.parametrize(("name", "statement"), HARMLESS)
def test_what_is_right_is_left_alone(scene: sa.Engine, name: str, statement: str) -> None:
    with planted(scene, statement) as tx:
        assert [o for seen in look(tx, name) for o in seen.offences] == []


def test_every_promise_can_be_broken() -> None:
    """What follows from a machine alone is broken by the tests of its family."""
    planted = {name for name, _, _ in PLANTS}
    made = {one.name for family in FAMILIES for one in aggregates.promises(family.machine)}
    named = {invariant.name for invariant in INVARIANTS}

    assert planted <= named
    assert named - planted <= made
    assert all(invariant.promise.endswith(".") for invariant in INVARIANTS)


def test_a_page_names_at_most_what_it_may_and_counts_all(scene: sa.Engine) -> None:
    invariant = next(i for i in INVARIANTS if i.name == "work-fits-state")
    with planted(scene, "DELETE FROM work") as tx:
        seen = audit.look(tx, invariant, after=None, page=5000, most=2, deep=True)
    assert (len(seen.offences), seen.after) == (2, None)
    assert seen.found > 2
