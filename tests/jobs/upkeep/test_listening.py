"""A provider that tells nothing of payouts that go on being paid is a finding, until it is heard again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from db import findings, installation
from db.engine import Database
from db.findings import Filter
from db.hearing import PAID_MIN, SILENT_AFTER
from jobs.ports import Ports
from jobs.upkeep.watch import Watch
from tests.builders import owner
from tests.driving import drive, follow, hasten, process
from tests.fakes.bank import FakeBank
from tests.hearing import raw, receive
from tests.operating import change, line, opened, take

KEY = "webhooks-silent:razorpayx"
HOUR = timedelta(hours=1)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database that is bound to RazorpayX, as its owner."""
    with owner(database_url) as database:
        with database.begin() as tx:
            installation.bind(tx, "razorpayx", FakeBank().account)
        yield database


@pytest.fixture
def paid(database: Database, database_url: str) -> Database:
    """As many payouts as it takes, paid just now, found out by look-ups."""
    pay(database_url, PAID_MIN)
    return database


def pay(url: str, count: int) -> None:
    bank = FakeBank()
    with opened(url) as operator, opened(url, "bursar_worker") as worker:
        take(operator, [line(f"A-{n}") for n in range(count)], approve=True)
        drive(worker, process(bank))
        bank.finish()
        hasten(worker)
        drive(worker, follow(bank))


def heard(database: Database, ago: timedelta, provider: str = "razorpayx") -> None:
    """An event of so long ago."""
    receive(database, [raw(b"{}", "payout.processed", provider=provider)])
    newest = """
        UPDATE inbox SET created_at = clock_timestamp() - CAST(:ago AS interval)
        WHERE created_at = (SELECT max(created_at) FROM inbox)"""
    change(database, newest, ago=ago)


def told(database: Database, *, hears: bool = True) -> dict[str, str]:
    """What is open after one look."""
    job = Watch.made(Ports(hears=hears))
    with database.begin() as tx:
        job.page(tx, {}, 1)
    with database.begin() as tx:
        rows = findings.listing(tx, Filter())
        return {row.key: row.detail for row in rows if row.kind == "webhooks-silent"}


def test_where_none_was_ever_heard_and_payouts_are_paid_webhooks_are_silent(
    paid: Database,
) -> None:
    assert told(paid) == {
        KEY: f"no valid event for {SILENT_AFTER}, while at least {PAID_MIN} payouts were paid"
    }


def test_an_event_of_the_provider_heals_it_and_a_quiet_night_does_not(paid: Database) -> None:
    heard(paid, SILENT_AFTER + HOUR)
    [detail] = told(paid).values()
    assert "no valid event since 20" in detail
    change(paid, "UPDATE payouts SET completed_at = clock_timestamp() - interval '1 day'")
    assert set(told(paid)) == {KEY}
    heard(paid, timedelta(0))
    assert told(paid) == {}


def test_an_event_of_another_provider_is_none_of_ours(paid: Database) -> None:
    heard(paid, timedelta(0), provider="stripe")
    assert set(told(paid)) == {KEY}


def test_a_provider_heard_within_hours_is_not_silent(paid: Database) -> None:
    heard(paid, SILENT_AFTER - HOUR)
    assert told(paid) == {}


def test_a_few_payouts_are_no_sign(database: Database, database_url: str) -> None:
    pay(database_url, PAID_MIN - 1)
    assert told(database) == {}


def test_payouts_of_another_time_do_not_count(paid: Database) -> None:
    change(
        paid,
        "UPDATE payouts SET completed_at = completed_at - CAST(:ago AS interval)",
        ago=SILENT_AFTER + HOUR,
    )
    assert told(paid) == {}


@pytest.mark.parametrize(("days", "expected"), [(6, {KEY}), (8, set())])
def test_without_a_secret_one_who_was_heard_is_expected_for_a_week(
    paid: Database, days: int, expected: set[str]
) -> None:
    assert told(paid, hears=False) == {}
    heard(paid, timedelta(days=days))
    assert set(told(paid, hears=False)) == expected


def test_a_database_bound_to_no_provider_expects_nobody(paid: Database) -> None:
    with paid.begin() as tx:
        tx.run(sa.text("UPDATE installation SET provider = NULL, account = NULL"))
    assert told(paid) == {}
