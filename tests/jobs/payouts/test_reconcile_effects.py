"""A database restored to an hour ago: what the bank has is adopted before anything is claimed (F34)."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from db import installation, switches
from db.clock import now
from db.earnings import deciding
from db.engine import Database
from db.reconcile import Match
from domain.answers import ProviderStatus
from domain.errors import BadInputError, UnreachableError
from domain.payout_ids import reference
from domain.switches import RESTORED
from domain.tax import Engine, Withholding
from jobs.payouts.process import ProcessPayouts
from jobs.payouts.reconcile_effects import Compared, reconcile_effects
from tests.builders import assert_sound
from tests.driving import claim, drive, follow, hasten, ids, org_process, process, recover
from tests.earned import COMPANY, PERSON, earned, over_the_limit
from tests.fakes.bank import FakeBank
from tests.operating import change, line, opened, query, samples, take
from tests.servers import Databases
from workers.sandbox.faults import Fault


@pytest.fixture
def bank() -> FakeBank:
    return FakeBank()


@pytest.fixture
def copies(databases: Databases) -> Iterator[ExitStack]:
    """Copies of databases, dropped at the end."""
    with ExitStack() as stack:
        yield stack


@contextmanager
def working(url: str) -> Iterator[tuple[Database, Database]]:
    """A database as an operator and as a worker; no connection is left at the end."""
    with opened(url) as operator, opened(url, "bursar_worker") as worker:
        yield operator, worker


def backup(databases: Databases, copies: ExitStack, url: str) -> str:
    """Copy a database as it is now, as a restore would bring it back; workers are held back in it."""
    name = sa.make_url(url).database
    assert name is not None
    copy = databases.url(copies.enter_context(databases.database(name)))
    with opened(copy) as operator, operator.begin() as tx:
        switches.turn(tx, RESTORED, on=True, who="bursar", why="another server wrote this")
    return copy


def compare(operator: Database, bank: FakeBank) -> Compared:
    return reconcile_effects(operator, bank, actor="asha")


def finish(worker: Database, bank: FakeBank) -> None:
    """Send, ask and follow until every payout is final."""
    for _ in range(4):
        hasten(worker)
        drive(worker, process(bank))
        hasten(worker)
        drive(worker, recover(bank))
        for transfer in bank.transfers:
            if transfer.payout.status is ProviderStatus.UNDER_WAY:
                bank.settle(str(transfer.payout.reference), "processed")
        hasten(worker)
        drive(worker, follow(bank))


def is_held_back(database: Database) -> bool:
    return bool(query(database, "SELECT FROM switches WHERE name = 'restored' AND is_on"))


def test_payouts_sent_after_the_backup_are_found_and_not_sent_again(
    databases: Databases, copies: ExitStack, database_url: str, bank: FakeBank
) -> None:
    """F34, invariant 1: dump, run, restore, run; each is paid once, and the books agree."""
    with working(database_url) as (operator, worker):
        take(operator, samples(60), approve=True)
        drive(worker, process(bank), limit=10)
    restored = backup(databases, copies, database_url)
    with working(database_url) as (_, worker):
        drive(worker, process(bank), limit=30)
        bank.settle(str(bank.transfers[20].payout.reference), "processed")
    with working(restored) as (operator, worker):
        assert claim(worker, process(bank)) == []
        sent = len(bank.submits)
        compared = compare(operator, bank)
        assert compared.matches == {Match.KNOWN: 10, Match.ADOPTED: 30}
        assert len(bank.submits) == sent
        assert not is_held_back(worker)
        assert_sound(worker)
        finish(worker, bank)
        assert len(ids(worker, "COMPLETED")) == 60
        assert [bank.times_paid(reference(p, 1)) for p in ids(worker, "COMPLETED")] == [1] * 60
        assert len(bank.submits) == 60
        assert_sound(worker)


def test_what_was_sent_with_tax_withheld_is_withheld_from_again_and_adopted(
    databases: Databases, copies: ExitStack, database_url: str, bank: FakeBank
) -> None:
    """F34: the same tax comes out again, so what the bank was asked for is what we would ask for."""
    with working(database_url) as (operator, worker):
        over_the_limit(operator, ["A", "B", "C"])
    restored = backup(databases, copies, database_url)
    with working(database_url) as (_, worker):
        assert drive(worker, process(bank)) == 3
    with working(restored) as (operator, worker):
        assert compare(operator, bank).matches == {Match.ADOPTED: 3}
        assert_sound(worker)
        finish(worker, bank)
        assert len(ids(worker, "COMPLETED")) == len(bank.submits) == 3
        assert_sound(worker)


def test_what_nobody_may_withhold_from_and_was_sent_waits_for_a_person(
    databases: Databases, copies: ExitStack, database_url: str, bank: FakeBank
) -> None:
    """F34: sent under another setting in the time that was lost; the rest of the page goes on."""
    with working(database_url) as (operator, worker):
        earned(operator, "A", gross=100_000, payee=PERSON._replace(name="N"))
        earned(operator, "B", gross=100_000, payee=COMPANY)
    restored = backup(databases, copies, database_url)
    none = Withholding(engine=Engine.NONE)
    with working(database_url) as (_, worker):
        job = ProcessPayouts(bank, call_seconds_max=1.0, recover_seconds=(1.0,), withholding=none)
        assert drive(worker, job) == 2
    change_as_owner(restored, "UPDATE bursar.payees SET resident = false WHERE name = 'N'")
    with working(restored) as (operator, worker):
        assert compare(operator, bank).matches == {Match.PARKED: 2}
        assert ids(worker, "APPROVED") != []
        finish(worker, bank)
        assert len(bank.submits) == 2
        assert_sound(worker)


def test_payouts_that_were_lost_themselves_are_the_same_payments_when_imported_again(
    databases: Databases, copies: ExitStack, database_url: str, bank: FakeBank
) -> None:
    """F34: ids and keys come from what was imported, so the bank sees the requests it knows."""
    restored = backup(databases, copies, database_url)
    with working(database_url) as (operator, worker):
        take(operator, samples(5), approve=True)
        drive(worker, process(bank))
    change_as_owner(
        restored, "UPDATE bursar.installation SET id = :id", id=installation_of(database_url)
    )
    with working(restored) as (operator, worker):
        assert compare(operator, bank).matches == {Match.FOREIGN: 5}
        kinds = query(worker, "SELECT DISTINCT kind FROM findings")
        assert [row.kind for row in kinds] == ["transfer-without-payout"]
        take(operator, samples(5), approve=True)
        finish(worker, bank)
        assert len(ids(worker, "COMPLETED")) == len(bank.transfers) == 5
        assert compare(operator, bank).matches == {Match.KNOWN: 5}
        assert_sound(worker)


def test_an_approval_and_a_retry_that_were_lost_are_made_again(
    databases: Databases, copies: ExitStack, database_url: str, bank: FakeBank
) -> None:
    with working(database_url) as (operator, worker):
        take(operator, [line("A")], approve=True)
        bank.script(Fault.REFUSE)
        drive(worker, process(bank))
        take(operator, [line("B")])
    restored = backup(databases, copies, database_url)
    with working(database_url) as (operator, worker):
        again = [*ids(worker, "FAILED"), *ids(worker, "PENDING")]
        statement = "SELECT outcome FROM bursar_move('payout', CAST(:ids AS uuid[]), 'APPROVED', 'asha', 'x')"
        assert [row.outcome for row in query(operator, statement, ids=again)] == ["moved", "moved"]
        assert drive(worker, process(bank)) == 2
    with working(restored) as (operator, worker):
        with (
            operator.begin() as tx
        ):  # who compares is who brought it: it was another who approved it
            switches.turn(tx, "policy:maker-checker", on=True, who="asha", why="two people")
        assert compare(operator, bank).matches == {Match.ADOPTED: 2}
        assert_sound(worker)
        finish(worker, bank)
        assert len(ids(worker, "COMPLETED")) == 2
        assert len(bank.transfers) == 2


def test_comparing_twice_changes_nothing(
    databases: Databases, copies: ExitStack, database_url: str, bank: FakeBank
) -> None:
    with working(database_url) as (operator, _):
        take(operator, samples(5), approve=True)
    restored = backup(databases, copies, database_url)
    with working(database_url) as (_, worker):
        drive(worker, process(bank))
    with working(restored) as (operator, worker):
        assert compare(operator, bank).matches == {Match.ADOPTED: 5}
        before = query(worker, "SELECT * FROM payouts ORDER BY id")
        assert compare(operator, bank).matches == {Match.KNOWN: 5}
        assert query(worker, "SELECT * FROM payouts ORDER BY id") == before


@pytest.mark.parametrize("sender", [process, org_process])
def test_what_contradicts_ours_is_parked_for_its_own_job_and_not_sent(
    databases: Databases,
    copies: ExitStack,
    database_url: str,
    bank: FakeBank,
    sender: Callable[[FakeBank], ProcessPayouts],
) -> None:
    with working(database_url) as (operator, _):
        take(operator, [line("A")])
        if sender is org_process:
            change_as_owner(database_url, "UPDATE bursar.payouts SET payee_kind = 'organisation'")
        take(operator, [line("A")], approve=True)
    restored = backup(databases, copies, database_url)
    with working(database_url) as (_, worker):
        drive(worker, sender(bank))
    with working(restored) as (operator, worker):
        change_as_owner(restored, "UPDATE bursar.payouts SET amount = amount + 1")
        assert compare(operator, bank).matches == {Match.PARKED: 1}
        rows = query(worker, "SELECT job, parked_reason FROM work")
        assert [row.job for row in rows] == [sender(bank).name]
        assert "amount is 125050, not 125051" in rows[0].parked_reason
        found = query(worker, "SELECT kind FROM findings WHERE resolved_at IS NULL")
        assert [row.kind for row in found] == ["payout-answer-mismatch"]
        assert drive(worker, sender(bank)) == 0


def test_what_less_is_owed_for_by_now_waits_for_a_person_and_holds_nobody_up(
    databases: Databases, copies: ExitStack, database_url: str, bank: FakeBank
) -> None:
    """Reduced after the restore, paid before it: the books cannot hold it, and the rest is compared all the same."""
    with working(database_url) as (operator, _):
        earned(operator, "A", gross=100_000)
        earned(operator, "B", gross=100_000, payee=COMPANY)
    restored = backup(databases, copies, database_url)
    with working(database_url) as (_, worker):
        assert drive(worker, process(bank)) == 2
    with working(restored) as (operator, worker):
        [one, _] = query(worker, "SELECT id FROM earnings ORDER BY external_id")
        with operator.begin() as tx:
            deciding.reduce(tx, {one.id: 10_000}, actor="asha", why="given back")
        assert compare(operator, bank).matches == {Match.ADOPTED: 1, Match.PARKED: 1}
        [waits] = query(worker, "SELECT parked_reason FROM work WHERE parked_reason IS NOT NULL")
        assert "owed less than approved" in waits.parked_reason
        assert not is_held_back(worker)
        assert_sound(worker)


def test_a_transfer_of_a_payout_that_was_given_up_is_a_finding(
    database_url: str, bank: FakeBank
) -> None:
    with working(database_url) as (operator, worker):
        take(operator, [line("A")], approve=True)
        drive(worker, process(bank))
        change(worker, "UPDATE effects SET provider_id = NULL, state = 'rejected'")
        for statement in (
            "ALTER TABLE bursar.effect_payments DISABLE TRIGGER effect_payments_append_only",
            "DELETE FROM bursar.effect_payments",
        ):
            change_as_owner(database_url, statement)
        change(worker, "UPDATE payouts SET state = 'FAILED'")
        assert compare(operator, bank).matches == {Match.SURPLUS: 1}
        found = query(worker, "SELECT kind, severity FROM findings")
        assert [(row.kind, row.severity) for row in found] == [("payout-paid-after-failed", "P0")]


def test_a_bank_that_cannot_be_read_to_its_end_lets_nobody_go_on(
    database_url: str, bank: FakeBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(start: datetime, end: datetime) -> Iterator[object]:
        assert start < datetime.now(UTC) - timedelta(days=6) < end
        raise UnreachableError("the bank does not answer")

    monkeypatch.setattr(bank, "payouts_between", gone)
    with working(database_url) as (operator, _):
        with operator.begin() as tx:
            switches.turn(tx, RESTORED, on=True, who="bursar", why="another server wrote this")
        with pytest.raises(UnreachableError):
            compare(operator, bank)
        assert is_held_back(operator)


def installation_of(url: str) -> UUID:
    with opened(url) as database, database.begin() as tx:
        return installation.get(tx).id


def change_as_owner(url: str, statement: str, **parameters: object) -> None:
    """Change rows as the schema's owner, whom no grant holds back."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL ROLE bursar_owner")
        connection.execute(sa.text(statement), parameters)


def test_a_comparison_that_begins_too_late_lets_nobody_go_on(
    databases: Databases, database_url: str, copies: ExitStack, bank: FakeBank
) -> None:
    """F34: what was not compared must not be sent again, whatever `--since` says."""
    with opened(backup(databases, copies, database_url)) as operator:
        with operator.begin() as tx:
            late = now(tx) - timedelta(days=1)
        with pytest.raises(BadInputError, match="must not be later than"):
            reconcile_effects(operator, bank, actor="asha", since=late)
        with operator.begin() as tx:
            assert switches.is_on(tx, RESTORED)
        reconcile_effects(operator, bank, actor="asha", since=late - timedelta(days=30))
        with operator.begin() as tx:
            assert not switches.is_on(tx, RESTORED)
