"""A database as an operator's command sees it, with payouts to decide about."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from db import installation, seed
from db.engine import Database, DatabaseOptions
from db.payouts.claim import Provider, start_processing
from db.payouts.imports import Imported, Lines, take_over
from db.work import ClaimOrder
from domain.payout_lines import PayoutLine
from domain.payout_modes import Mode
from domain.payouts import FOLLOW, PROCESS, RECOVER
from domain.samples import sample_payouts
from tests.links import LINKS

PROVIDER = Provider(
    name="sandbox", account="1", freeze=lambda order: f'"{order.reference}"', key_seconds=3600
)


@contextmanager
def opened(url: str, role: str = "bursar_operator") -> Iterator[Database]:
    """A database acting as `role`, whose connections are closed afterwards."""
    options = DatabaseOptions(url=url, role=role, pool_max=4, application="test operator")
    with LINKS.opened(options) as database:
        yield database


def with_catalog(url: str) -> None:
    """Write the payout jobs into the catalog."""
    jobs = [(job, "money", "drain", 1, f"{job} of the tests") for job in (PROCESS, RECOVER, FOLLOW)]
    release(url, jobs)


def release(url: str, jobs: Sequence[tuple[str, str, str, int, str]]) -> None:
    """Write a catalog, as a release does."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL search_path = bursar"))
        seed.catalog(connection, jobs)


def line(external_id: str = "A-1", **changes: object) -> PayoutLine:
    """One valid line; `changes` by field."""
    fields: dict[str, object] = {
        "external_id": external_id,
        "payee": "Asha Rao",
        "fund_account_id": "fa_1",
        "amount_minor": 125_050,
        "currency": "INR",
        "mode": Mode.IMPS,
        "purpose": "payout",
        "narration": "Week 1",
    }
    return PayoutLine(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name


def samples(count: int, seed_: int = 1) -> list[PayoutLine]:
    """Sample lines."""
    return list(sample_payouts(count, seed_))


def take(
    database: Database,
    lines: Sequence[PayoutLine],
    *,
    approve: bool = False,
    due_at: datetime | None = None,
    partial: bool = False,
) -> Imported:
    """Import lines in a transaction of their own."""
    order = Lines(lines=lines, file="payouts.csv", approve=approve, due_at=due_at, partial=partial)
    with database.begin(60) as tx:
        return take_over(tx, installation.get(tx).id, order, actor="asha")


def one(
    database: Database, lines: Sequence[PayoutLine] | None = None, *, approve: bool = True
) -> UUID:
    """Import one payout and return its id."""
    wanted = lines or [line()]
    take(database, wanted, approve=approve)
    found = query(
        database, "SELECT id FROM payouts WHERE external_id = :id", id=wanted[0].external_id
    )
    id_: UUID = found[0].id
    return id_


def claimed(database: Database, *, lease_seconds: float = 15.0, limit: int = 100) -> int:
    """Claim due payouts for a send under a run of the test's own; returns how many are being sent."""
    with database.begin() as tx:
        order = ClaimOrder(run=1, limit=limit, lease_seconds=lease_seconds)
        return len(start_processing(tx, PROVIDER, order).items)


def query(database: Database, statement: str, **parameters: object) -> list[Any]:
    """Run one statement in a transaction of its own and return its rows."""
    with database.begin() as tx:
        return list(tx.rows(sa.text(statement), **parameters))


def change(database: Database, statement: str, **parameters: object) -> int:
    """Run one statement without rows in a transaction of its own."""
    with database.begin() as tx:
        return tx.run(sa.text(statement), **parameters)
