"""Each promise is broken on purpose, behind every guard, and the audit names what breaks it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from db import audit
from db.audit import INVARIANTS, Look
from db.tx import Tx
from tests.conftest import Addresses
from tests.driving import every_state
from tests.fakes.bank import FakeBank
from tests.operating import opened
from tests.servers import Databases

STATES = ("PENDING", "APPROVED", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED", "REVERSED")
ONE = "(SELECT min(CAST(id AS text))::uuid FROM payouts WHERE state = '{}')"
CASH = "(SELECT id FROM accounts WHERE kind = 'cash')"
LIABILITY = "(SELECT id FROM accounts WHERE kind = 'imported_liability')"


def one(state: str) -> str:
    """A payout in `state`, as SQL."""
    return ONE.format(state)


PLANTS: list[tuple[str, str, str]] = [
    (
        "entries-have-postings",
        "DELETE FROM postings WHERE entry = (SELECT max(id) FROM entries)",
        "entry ",
    ),
    (
        "entries-have-postings",
        "DELETE FROM entries WHERE id = (SELECT min(id) FROM entries)",
        "entry ",
    ),
    (
        "entries-have-postings",
        f"INSERT INTO postings (entry, debit, credit, amount) VALUES (99999999999, {LIABILITY}, {CASH}, 5)",
        "entry 99999999999",
    ),
    (
        "postings-keep-the-rules",
        f"INSERT INTO postings (entry, debit, credit, amount) SELECT min(id), {CASH}, {LIABILITY}, 5 FROM entries",
        "entry ",
    ),
    (
        "postings-keep-the-rules",
        "UPDATE entries SET currency = 'USD' WHERE id = (SELECT max(id) FROM entries)",
        "entry ",
    ),
    (
        "balances-are-their-postings",
        f"UPDATE balances SET debits = debits + 1, credits = credits + 1 WHERE account = {CASH} AND stripe = 0",
        "(cash - INR)",
    ),
    (
        "balances-are-their-postings",
        f"DELETE FROM balances WHERE account = {CASH} AND stripe = 9",
        "(cash - INR)",
    ),
    (
        "bounded-not-below-zero",
        "ALTER TABLE balances DROP CONSTRAINT never_below_zero; "
        "UPDATE balances SET debits = credits + 1 WHERE floor = 'C'",
        "payee_payable",
    ),
    ("bounded-not-below-zero", "UPDATE balances SET floor = NULL", "payee_payable"),
    (
        "currencies-balance",
        f"UPDATE balances SET debits = debits + 1 WHERE account = {CASH} AND stripe = 0",
        "currency INR",
    ),
    (
        "totals-are-their-entries",
        "UPDATE ledger_totals SET amount = amount + 1 WHERE type = 'payout.failed'",
        "payout.failed",
    ),
    (
        "totals-are-their-entries",
        "DELETE FROM ledger_totals WHERE type = 'payout.reversed'",
        "payout.reversed",
    ),
    (
        "in-transit-is-processing",
        f"UPDATE payouts SET amount = amount + 1 WHERE id = {one('PROCESSING')}",
        "currency INR",
    ),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:completed'", "payout "),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:put_back:1'", "payout "),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:submitted:1'", "payout "),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:1:failed'", "payout "),
    ("state-has-its-entries", "DELETE FROM entries WHERE key LIKE '%:imported'", "payout "),
    *[
        (
            "state-has-its-entries",
            f"UPDATE payouts SET state = '{wrong}', effect_key = coalesce(effect_key, gen_random_uuid()), "
            f"approval_seal = coalesce(approval_seal, '') WHERE id = {one(state)}",
            "payout ",
        )
        for state, wrong in [
            ("PENDING", "PROCESSING"),
            ("APPROVED", "COMPLETED"),
            ("PROCESSING", "APPROVED"),
            ("COMPLETED", "PROCESSING"),
            ("FAILED", "COMPLETED"),
            ("CANCELLED", "FAILED"),
            ("REVERSED", "COMPLETED"),
        ]
    ],
    (
        "last-move-is-the-state",
        f"UPDATE payouts SET state = 'PENDING' WHERE id = {one('APPROVED')}",
        "payout ",
    ),
    ("last-move-is-the-state", "DELETE FROM moves WHERE target = 'COMPLETED'", "payout "),
    (
        "seal-fits",
        f"UPDATE payouts SET amount = amount + 1 WHERE id = {one('APPROVED')}",
        "payout ",
    ),
    (
        "seal-fits",
        f"UPDATE payouts SET account = gen_random_uuid() WHERE id = {one('PROCESSING')}",
        "payout ",
    ),
    (
        "seal-fits",
        f"UPDATE payouts SET effect_key = gen_random_uuid() WHERE id = {one('PROCESSING')}",
        "payout ",
    ),
    (
        "earnings-link-to-live-payouts",
        "INSERT INTO payout_earnings (payout, earning) SELECT id, gen_random_uuid() FROM payouts WHERE state = 'FAILED'",
        "payout ",
    ),
    (
        "effect-keys-are-made-by-rule",
        "UPDATE effects SET key = gen_random_uuid() WHERE generation = 2",
        "effect ",
    ),
    ("effect-keys-are-made-by-rule", "UPDATE installation SET id = gen_random_uuid()", "effect "),
    ("sends-are-counted", "UPDATE effects SET sends = 0", "payout "),
    ("sends-are-counted", "DELETE FROM effects", "payout "),
    (
        "completed-was-accepted",
        "UPDATE effects SET state = 'unknown' WHERE state = 'accepted'",
        "payout ",
    ),
    ("completed-was-accepted", "DELETE FROM effects", "payout "),
    (
        "rejected-is-not-processing",
        "UPDATE effects SET state = 'rejected' WHERE state = 'accepted'",
        "payout ",
    ),
    ("work-fits-state", f"DELETE FROM work WHERE subject = {one('APPROVED')}", "payout "),
    ("work-fits-state", f"DELETE FROM work WHERE subject = {one('COMPLETED')}", "payout "),
    (
        "work-fits-state",
        f"INSERT INTO work (job, subject) VALUES ('payouts.process', {one('PENDING')})",
        "payout ",
    ),
    (
        "work-fits-state",
        f"INSERT INTO work (job, subject) VALUES ('payouts.follow', {one('APPROVED')})",
        "payout ",
    ),
    (
        "work-fits-state",
        f"UPDATE work SET job = 'payouts.follow' WHERE subject = {one('APPROVED')}",
        "payout ",
    ),
    ("work-fits-state", "UPDATE effects SET state = 'rejected' WHERE state = 'unknown'", "payout "),
    (
        "work-has-a-subject",
        "INSERT INTO work (job, subject) VALUES ('payouts.process', gen_random_uuid())",
        "work payouts.process",
    ),
    (
        "running-is-leased",
        "INSERT INTO runs (job, queue, origin, state, started_at) VALUES ('a.b', 'rest', 'operator', 'running', now())",
        "run ",
    ),
    (
        "ticks-have-their-run",
        "INSERT INTO ticks (schedule, tick_at, outcome, run, recorded_by) VALUES ('a.b', now(), 'run', 4711, 'test')",
        "tick a.b ",
    ),
]

HARMLESS = [
    # Late reversals are watched for five working days: after that nothing needs to wait.
    ("work-fits-state", "UPDATE payouts SET completed_at = now() - interval '6 days'; DELETE FROM work WHERE job = 'payouts.follow' "
                        "AND subject IN (SELECT id FROM payouts WHERE state = 'COMPLETED')"),
    # A parked row is a person's already, whatever job parked it.
    ("work-fits-state", "UPDATE work SET job = 'payouts.follow', due_at = 'infinity', parked_reason = 'x', token = NULL, "
                        f"leased_until = NULL, holder = NULL WHERE subject = {one('APPROVED')}"),
    # A claim whose key grew too old is looked up instead of sent.
    ("work-fits-state", "UPDATE work SET job = 'payouts.recover' WHERE token IS NOT NULL"),
    # Released before its call began: no send counted, and nobody holds it.
    ("sends-are-counted", "UPDATE work SET token = NULL, leased_until = NULL, holder = NULL; UPDATE effects SET sends = 0"),
    # Ended runs are kept for 90 days.
    ("ticks-have-their-run", "INSERT INTO ticks (schedule, tick_at, outcome, run, recorded_at, recorded_by) "
                             "VALUES ('a.b', now(), 'run', 4711, now() - interval '91 days', 'test')"),
]  # fmt: skip


@pytest.fixture(scope="module")
def scene(databases: Databases, template: str, addresses: Addresses) -> Iterator[sa.Engine]:
    """A database with payouts in every state, as superuser."""
    with databases.database(template) as name:
        url = databases.url(name)
        with opened(url) as operator, opened(url, "bursar_worker") as worker:
            every_state(operator, worker, FakeBank())
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
        for part in statement.split("; "):
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
    assert {name for name, _, _ in PLANTS} == {invariant.name for invariant in INVARIANTS}
    assert all(invariant.promise.endswith(".") for invariant in INVARIANTS)


def test_a_page_names_at_most_what_it_may_and_counts_all(scene: sa.Engine) -> None:
    invariant = next(i for i in INVARIANTS if i.name == "work-fits-state")
    with planted(scene, "DELETE FROM work") as tx:
        seen = audit.look(tx, invariant, after=None, page=5000, most=2, deep=True)
    assert (len(seen.offences), seen.after) == (2, None)
    assert seen.found > 2
