"""`audit` and `reconcile effects` as an operator meets them, the latter on the real client and bank."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from db import audit, installation, switches
from domain.switches import RESTORED
from tests.driving import claim, drive, process
from tests.fakes.sandbox import RunningSandbox, running
from tests.operating import change, one, opened, query, samples, take
from tests.servers import Databases
from tests.workers.cli.conftest import Line
from workers.sandbox.settings import SandboxSettings


def test_an_audit_that_finds_nothing_exits_0(bursar: Line) -> None:
    take(bursar.database, samples(20), approve=True)
    said = bursar("audit", "--json")
    assert (said.code, said.err) == (0, "")
    assert [row["name"] for row in said.json] == [i.name for i in audit.INVARIANTS]
    assert {row["broken"] for row in said.json} == {0}
    assert {row["name"]: row["looked_at"] for row in said.json}["work-fits-state"] == 20


def test_an_audit_that_finds_something_names_it_and_exits_1(bursar: Line) -> None:
    payout = one(bursar.database)
    change(bursar.database, "DELETE FROM work")
    said = bursar("audit")
    assert said.code == 1
    assert f"work-fits-state: payout {payout}: it waits for nothing" in said.err
    line = next(row for row in said.out.splitlines() if "work-fits-state" in row)
    assert line.split()[:3] == ["no", "1", "1"]


def test_the_doctor_shows_settings_and_pads_no_line(bursar: Line) -> None:
    rows = {row["subject"]: row for row in bursar("doctor", "--json").json}
    assert rows["BURSAR_STRIPE_URL"]["grade"] == "info"
    lines = bursar("doctor").out.splitlines()
    assert [line for line in lines if line != line.rstrip() or " " * 60 in line] == []


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[RunningSandbox]:
    with running(SandboxSettings(storage=tmp_path / "bank.sqlite")) as sandbox:
        yield sandbox


@pytest.fixture
def configured(bursar: Line, bank: RunningSandbox) -> Line:
    """The command line of an installation whose provider is the bank."""
    bursar.set("BURSAR_PAYOUT_PROVIDER", "razorpayx")
    bursar.set("BURSAR_RAZORPAYX_URL", bank.url)
    bursar.set("BURSAR_RAZORPAYX_KEY_ID", bank.settings.key_id)
    bursar.set("BURSAR_RAZORPAYX_KEY_SECRET", bank.settings.key_secret)
    bursar.set("BURSAR_RAZORPAYX_ACCOUNT_NUMBER", bank.settings.account_number)
    with bursar.database.begin() as tx:
        installation.bind(tx, "razorpayx", bank.settings.account_number)
    return bursar


def test_the_doctor_asks_the_gateway_that_customers_pay_by(
    bursar: Line, bank: RunningSandbox
) -> None:
    [none] = [
        row for row in bursar("doctor", "--live", "--json").json if row["subject"] == "payments"
    ]
    assert (none["grade"], "no gateway is configured" in none["detail"]) == ("info", True)
    bursar.set("BURSAR_PAYMENT_PROVIDER", "razorpay")
    bursar.set("BURSAR_RAZORPAY_URL", bank.url)
    bursar.set("BURSAR_RAZORPAY_KEY_ID", bank.settings.key_id)
    for secret, grade in ((bank.settings.key_secret, "ok"), ("another", "fault")):
        bursar.set("BURSAR_RAZORPAY_KEY_SECRET", secret)
        rows = {row["subject"]: row for row in bursar("doctor", "--live", "--json").json}
        assert rows["payments"]["grade"] == grade, rows["payments"]
    assert rows["BURSAR_RAZORPAY_KEY_SECRET"]["detail"] == "***"


def test_the_doctor_asks_stripe_whose_key_it_is(bursar: Line, bank: RunningSandbox) -> None:
    """F95: a key of another account, or a test key in the place of a live one."""
    ours = bank.settings.stripe_account
    bursar.set("BURSAR_PAYOUT_PROVIDER", "stripe")
    bursar.set("BURSAR_STRIPE_URL", f"http://127.0.0.1:{bank.port}")
    bursar.set("BURSAR_STRIPE_API_KEY", bank.settings.key_secret)
    for account, grade, told in (
        (ours, "ok", f"stripe {ours} answers this key"),
        ("acct_another", "fault", f"the key is of account {ours}, not of acct_another"),
    ):
        bursar.set("BURSAR_STRIPE_ACCOUNT", account)
        rows = {row["subject"]: row for row in bursar("doctor", "--live", "--json").json}
        assert (rows["provider"]["grade"], rows["provider"]["detail"]) == (grade, told)


def test_a_restored_database_adopts_what_the_bank_has_and_lets_workers_go_on(
    configured: Line, bank: RunningSandbox, databases: Databases, database_url: str
) -> None:
    """F34: dump, run, restore, run, on the real client; each is paid once."""
    take(configured.database, samples(12), approve=True)
    configured.database.dispose()
    name = sa.make_url(database_url).database
    assert name is not None
    with databases.database(name) as copy, bank.client() as client:
        with opened(database_url, "bursar_worker") as worker:
            assert drive(worker, process(client), limit=7) == 7
        configured.set("BURSAR_DATABASE_URL", databases.url(copy))
        with opened(databases.url(copy)) as restored:
            with restored.begin() as tx:
                tx.run(
                    sa.text("UPDATE installation SET system_identifier = 'another', timeline = 1")
                )
                assert installation.was_restored(tx)
            assert claim(restored, process(client)) == []
            said = configured("reconcile", "effects", "--json")
            assert (said.code, said.err) == (0, "")
            assert said.json["adopted"] == 7
            with restored.begin() as tx:
                assert not switches.is_on(tx, RESTORED)
                assert not installation.was_restored(tx)
            assert drive(restored, process(client)) == 5
            assert bank.summary()["transfers"] == 12
            assert {r.name for r in audit.run(restored) if not r.holds} == set()


def test_transfers_and_refunds_that_are_nobodys_are_reported_and_exit_1(
    configured: Line, bank: RunningSandbox, databases: Databases, template: str
) -> None:
    """A database that never heard of a payout, beside a bank that paid it, and gave a refund too."""
    for name, value in (
        ("PAYMENT_PROVIDER", "razorpay"),
        ("RAZORPAY_URL", bank.url),
        ("RAZORPAY_KEY_ID", bank.settings.key_id),
        ("RAZORPAY_KEY_SECRET", bank.settings.key_secret),
    ):
        configured.set(f"BURSAR_{name}", value)
    order = bank.http.post("/v1/orders", json={"amount": 5_000, "currency": "INR"}).json()
    capture = bank.capture(order["id"])
    key = {"X-Refund-Idempotency": "0123456789abcdef"}
    bank.http.post(
        f"/v1/payments/{capture}/refund", json={"amount": 1_000}, headers=key
    ).raise_for_status()
    with (
        databases.database(template) as other,
        bank.client() as client,
        opened(databases.url(other)) as elsewhere,
    ):
        one(elsewhere)
        drive(elsewhere, process(client))
    said = configured("reconcile", "effects", "--json")
    assert (said.code, said.json["foreign"], said.json["refunds_foreign"]) == (1, 1, 1)
    assert "foreign, refunds_foreign: see" in said.err
    assert "bursar findings list" in said.err
    found = query(configured.database, "SELECT kind, severity FROM findings ORDER BY kind")
    assert [(row.kind, row.severity) for row in found] == [
        ("refund-unasked", "P0"),
        ("transfer-without-payout", "P0"),
    ]


def test_without_a_provider_there_is_nothing_to_compare_with(bursar: Line) -> None:
    said = bursar("reconcile", "effects")
    assert said.code == 2
    assert "BURSAR_PAYOUT_PROVIDER" in said.err


def test_a_database_bound_to_another_account_is_not_compared(configured: Line) -> None:
    configured.set("BURSAR_RAZORPAYX_ACCOUNT_NUMBER", "9999990000000009")
    said = configured("reconcile", "effects")
    assert said.code == 1
    assert "is bound to razorpayx account" in said.err
