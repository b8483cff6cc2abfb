"""What each role may not do: forbidden SQL is refused by the database, whoever wrote it."""

from collections.abc import Iterator, Sequence
from uuid import uuid4

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.errors import DatabaseRefusedError, RuleBrokenError
from tests.earning import owe
from tests.operating import line, opened, query, samples, take
from tests.servers import Databases

WORKER, OPERATOR, APP = "bursar_worker", "bursar_operator", "bursar_app"
EVERYONE = (WORKER, OPERATOR, APP)

FORBIDDEN: list[tuple[Sequence[str], str]] = [
    # Money and beneficiary are what was imported.
    (EVERYONE, "UPDATE payouts SET amount = 1"),
    (EVERYONE, "UPDATE payouts SET account = account"),
    (EVERYONE, "UPDATE payouts SET payable = payable"),
    (EVERYONE, "UPDATE payouts SET effect_key = gen_random_uuid()"),
    (EVERYONE, "UPDATE payouts SET approval_seal = ''"),
    (EVERYONE, "UPDATE payouts SET approved_by = 'me'"),
    (EVERYONE, "UPDATE payouts SET generation = 9"),
    (EVERYONE, "UPDATE effects SET request = '{}'"),
    (EVERYONE, "UPDATE effects SET key = gen_random_uuid()"),
    (EVERYONE, "UPDATE effects SET provider = 'x', account = 'mine'"),
    (EVERYONE, "UPDATE effects SET taken_over = false"),
    (EVERYONE, "UPDATE effects SET reference = 'mine', idempotency_key = 'mine'"),
    (EVERYONE, "DELETE FROM payouts"),
    (EVERYONE, "UPDATE payees SET payable = payable"),
    (EVERYONE, "UPDATE payout_accounts SET fund_account_id = 'fa_mine'"),
    (EVERYONE, "UPDATE earnings SET amount = 1"),
    (EVERYONE, "UPDATE payouts SET wallet = NULL, source = 'import'"),
    (EVERYONE, "UPDATE payouts SET payee_kind = 'organisation'"),
    (EVERYONE, "UPDATE wallets SET account = account"),
    ((WORKER, APP), "UPDATE wallets SET opted_out = false"),
    ((WORKER, APP), "INSERT INTO wallets SELECT * FROM wallets"),
    (EVERYONE, "DELETE FROM payout_earnings"),
    # States are changed through the one door.
    ((APP,), "UPDATE payouts SET state = 'APPROVED'"),
    ((APP,), "INSERT INTO work (job, subject) SELECT 'payouts.process', id FROM payouts"),
    ((APP,), "DELETE FROM work"),
    ((APP,), "INSERT INTO runs (job, queue, origin) VALUES ('a.b', 'rest', 'sql')"),
    ((APP,), "INSERT INTO moves (kind, subject, source, target, actor) SELECT 'payout', id, 'A', 'B', '' FROM payouts"),
    ((APP,), "SELECT * FROM move_payouts(ARRAY[gen_random_uuid()], 'APPROVED', 'x', 'y', NULL)"),
    # What was asked for stays: a payment's amount, whose seat it is, what pays it.
    (EVERYONE, "UPDATE payments SET amount = 1"),
    (EVERYONE, "UPDATE payments SET key = 'another'"),
    (EVERYONE, "UPDATE payment_legs SET amount = 1"),
    (EVERYONE, "UPDATE orders SET amount = 1"),
    (EVERYONE, "UPDATE bookings SET customer = customer"),
    (EVERYONE, "UPDATE seats SET customer = customer"),
    (EVERYONE, "UPDATE appointments SET capacity = 9"),
    (EVERYONE, "UPDATE plans SET price = 1"),
    (EVERYONE, "DELETE FROM payments"),
    (EVERYONE, "DELETE FROM seats"),
    (EVERYONE, "DELETE FROM slots"),
    ((APP,), "UPDATE payments SET state = 'SUCCEEDED'"),
    ((APP,), "UPDATE seats SET state = 'CONFIRMED'"),
    ((APP,), "SELECT * FROM earn_of_payments(ARRAY[gen_random_uuid()])"),
    ((WORKER, APP), "INSERT INTO earnings (id) SELECT id FROM earnings"),
    ((WORKER, APP), "INSERT INTO plans SELECT * FROM plans"),
    # A worker makes no payout, no operator and no approval.
    ((WORKER, APP), "INSERT INTO payees (id, name, payable) VALUES (gen_random_uuid(), 'x', 1)"),
    ((WORKER, APP), "INSERT INTO payouts SELECT * FROM payouts"),
    ((WORKER, APP), "INSERT INTO takeovers SELECT * FROM takeovers"),
    ((WORKER, APP), "INSERT INTO earning_takeovers SELECT * FROM earning_takeovers"),
    ((WORKER, APP), "INSERT INTO operators (name, token_hash, added_by) VALUES ('me', 'x', 'me')"),
    ((WORKER, APP), "INSERT INTO proposals (action, subject, proposed_by, why) VALUES ('a', 'b', 'c', 'd')"),
    ((WORKER, APP), "UPDATE proposals SET approved_by = 'me'"),
    ((WORKER, APP), "INSERT INTO schedule_settings (schedule, changed_by, why) VALUES ('a', 'b', 'c')"),
    ((WORKER, APP), "UPDATE installation SET provider = 'x'"),
    (EVERYONE, "UPDATE installation SET id = gen_random_uuid()"),
    # What was written stays.
    *[(EVERYONE, f"TRUNCATE {table}") for table in ("entries", "work", "runs", "effects")],
    (EVERYONE, "DELETE FROM entries"),
    (EVERYONE, "DELETE FROM postings"),
    (EVERYONE, "DELETE FROM moves"),
    (EVERYONE, "DELETE FROM effects"),
    (EVERYONE, "DELETE FROM effect_answers"),
    ((OPERATOR, APP), "DELETE FROM notices"),
    (EVERYONE, "DELETE FROM ticks"),
    (EVERYONE, "UPDATE entries SET actor = 'me'"),
    (EVERYONE, "UPDATE postings_other SET amount = 1"),
    (EVERYONE, "INSERT INTO postings_other (entry, debit, credit, amount) VALUES (1, 1, 2, 3)"),
    (EVERYONE, "DELETE FROM moves_other"),
    (EVERYONE, "DELETE FROM accounts"),
    (EVERYONE, "UPDATE accounts SET bounded = false"),
    (EVERYONE, "DELETE FROM balances"),
    # The rules are the release's.
    (EVERYONE, "INSERT INTO legal_moves VALUES ('payout', 'FAILED', 'COMPLETED', 'unleased', 'never')"),
    (EVERYONE, "DELETE FROM legal_moves"),
    (EVERYONE, "UPDATE called_work SET job = NULL"),
    (EVERYONE, "INSERT INTO entry_rules VALUES ('payout.imported', 'D', 'cash')"),
    (EVERYONE, "UPDATE catalog SET version = 99"),
    (EVERYONE, "ALTER TABLE balances DROP CONSTRAINT never_below_zero"),
    (EVERYONE, "ALTER TABLE entries DISABLE TRIGGER ALL"),
    (EVERYONE, "DROP TABLE work"),
    (EVERYONE, "CREATE TABLE mine (n int)"),
    (EVERYONE, "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'"),
    (EVERYONE, "SET session_replication_role = replica"),
    (EVERYONE, "SELECT nextval('tokens'), setval('tokens', 1)"),
    ((APP,), "SELECT make_partitions(), drop_run_attempts()"),
    ((APP,), "SELECT * FROM effects"),
    ((APP,), "SELECT * FROM operators"),
]  # fmt: skip
CASES = [(role, statement) for roles, statement in FORBIDDEN for role in roles]


@pytest.fixture(scope="module")
def url(databases: Databases, template: str) -> Iterator[str]:
    """One database with payouts, for statements that change nothing."""
    with databases.database(template) as name:
        url = databases.url(name)
        with opened(url) as operator:
            take(operator, samples(3), approve=True)
            take(operator, [line("pending")])
        yield url


@pytest.mark.parametrize(("role", "statement"), CASES)
def test_what_a_role_may_not_do_is_refused(url: str, role: str, statement: str) -> None:
    with (
        opened(url, role) as database,
        pytest.raises((DatabaseRefusedError, RuleBrokenError)) as refused,
        database.begin() as tx,
    ):
        tx.run(sa.text(statement))
    # Permission, not a mistake in the statement; an append-only table may answer first.
    assert "permission denied" in str(refused.value) or "must be owner" in str(refused.value)


@pytest.mark.parametrize("role", [WORKER, OPERATOR])
def test_no_role_moves_an_earning_as_no_move_is_listed(database_url: str, role: str) -> None:
    """What was given back whole is owed to nobody again, and what was paid is in no batch."""
    owe(database_url, 2)
    with opened(database_url, role) as database:
        query(database, "UPDATE earnings SET state = 'REFUNDED' RETURNING id")
        for target in ("READY", "BATCHED", "PAID", "HELD"):
            with pytest.raises(RuleBrokenError, match=f"REFUNDED to {target} is not a move"):
                query(database, "UPDATE earnings SET state = :to RETURNING id", to=target)


def as_app(url: str, statement: str, **parameters: object) -> list[object]:
    """The first column of what another application's statement returns."""
    with opened(url, APP) as database:
        return [row[0] for row in query(database, statement, **parameters)]


def test_an_application_moves_and_enqueues_through_the_two_doors(database_url: str) -> None:
    with opened(database_url) as operator:
        take(operator, [line("A")])
    move = "SELECT outcome FROM bursar_move('payout', (SELECT array_agg(id) FROM payouts), :to, :who, :why)"
    assert as_app(database_url, move, to="COMPLETED", who="app", why="x") == ["illegal"]
    assert as_app(database_url, move, to="APPROVED", who="app", why="x") == ["forbidden"]
    assert as_app(database_url, move, to="CANCELLED", who="app", why="x") == ["moved"]
    assert as_app(database_url, "SELECT count(*) FROM work") == [0]
    assert as_app(database_url, "SELECT target FROM moves") == ["CANCELLED"]
    enqueue = "SELECT bursar_enqueue('payouts.process', '{}', CAST(:key AS text))"
    first, again, other = (as_app(database_url, enqueue, key=key) for key in ("k", "k", None))
    assert first == again != other
    assert as_app(database_url, "SELECT count(*) FROM runs WHERE origin = 'sql'") == [2]


def test_the_login_of_another_application_stands_before_whom_it_names(
    database_url: str, superuser_url: str
) -> None:
    """What an application says of the actor is its word; who logged in is the database's."""
    with opened(database_url) as operator:
        take(operator, [line("A")])
    engine = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)
    login = f"shop_{uuid4().hex[:8]}"
    with engine.connect() as connection:
        for statement in (
            f"CREATE ROLE {login} LOGIN",
            f"GRANT bursar_app TO {login}",
            f"SET LOCAL SESSION AUTHORIZATION {login}",
        ):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(
            "SELECT bursar.bursar_move('payout', array_agg(id), 'CANCELLED', 'asha', 'x')"
            " FROM bursar.payouts"
        )
        told = connection.exec_driver_sql("SELECT actor FROM bursar.moves").scalar_one()
        connection.rollback()
    assert told == f"{login} for asha"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM bursar_move('payout', NULL, 'APPROVED', 'app', 'x')",
        "SELECT * FROM bursar_move('payout', '{}', 'APPROVED', ' ', 'x')",
        "SELECT * FROM bursar_move('payout', '{}', 'APPROVED', 'app', NULL)",
        "SELECT * FROM bursar_move('wish', '{}', 'APPROVED', 'app', 'x')",
        "SELECT bursar_enqueue('no family')",
        "SELECT bursar_enqueue(NULL)",
        "SELECT bursar_enqueue('payouts.process', '[]')",
        "SELECT bursar_enqueue('payouts.process', jsonb_build_object('x', repeat('x', 70000)))",
    ],
)
def test_a_door_says_no_to_what_it_cannot_mean(url: str, statement: str) -> None:
    with opened(url, APP) as database, pytest.raises(RuleBrokenError):
        query(database, statement)


def test_a_worker_may_do_its_work(url: str) -> None:
    """The other side: what a worker must do is granted."""
    with opened(url, WORKER) as database:
        assert may(database, "payouts", "state")
        assert not may(database, "payouts", "amount")


def may(database: Database, table: str, column: str) -> bool:
    """Whether the role may update a column."""
    statement = "SELECT has_column_privilege(CAST(:t AS regclass), :c, 'UPDATE') AS may"
    return bool(query(database, statement, t=table, c=column)[0].may)
