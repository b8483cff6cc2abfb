"""The same work as most applications write it: a session of SQLAlchemy's ORM, one object after another."""

import os
from datetime import UTC, datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from tests.bench import gateway
from tests.bench.body import STRIPES
from tests.bench.world import told


class Base(DeclarativeBase):
    """The tables of `tables.py`, as objects."""


class Payout(Base):
    """A payout."""

    __tablename__ = "payouts"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    status: Mapped[int] = mapped_column(sa.SmallInteger)
    settled_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True))


class Line(Base):
    """A row of the ledger."""

    __tablename__ = "ledger"
    payout: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    account: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[int] = mapped_column(sa.BigInteger)


class Total(Base):
    """A running total of an account, in stripes."""

    __tablename__ = "totals"
    account: Mapped[int] = mapped_column(primary_key=True)
    stripe: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    entries: Mapped[int] = mapped_column(sa.BigInteger)


def pay(payout: int) -> None:
    """Claim by compare-and-swap in one transaction, call the gateway, settle in another."""
    if told().only_note:
        gateway.note(payout)
        return
    engine = _engine(os.getpid())
    swap = sa.update(Payout).where(Payout.id == payout, Payout.status == 1).values(status=2)
    with Session(engine) as session, session.begin():
        if session.execute(swap.returning(Payout.id)).first() is None:
            return
    gateway.call(payout)
    with Session(engine) as session, session.begin():
        found = session.get_one(Payout, payout, with_for_update=True)
        found.status, found.settled_at = 3, datetime.now(UTC)
        changes = {1: -found.amount, 2: found.amount}
        session.add_all(Line(payout=payout, account=a, amount=n) for a, n in changes.items())
        totals = sa.select(Total).where(Total.stripe == payout % STRIPES).order_by(Total.account)
        for total in session.scalars(totals.with_for_update()):
            total.amount += changes[total.account]
            total.entries += 1


def close() -> None:
    """Close the connections of this process."""
    _engine(os.getpid()).dispose()
    _engine.cache_clear()


@cache
def _engine(_process: int) -> sa.Engine:
    """The engine of this process, with as many connections as it has threads."""
    return sa.create_engine(told().url, pool_size=told().threads)
