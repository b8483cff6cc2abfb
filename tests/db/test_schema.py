"""Migrations from empty make the schema as it is written, in a schema of its own, beside anybody's."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

import db
from db import audit, migrate
from db.engine import Database, DatabaseOptions
from db.script import run_script
from domain.errors import BadInputError, RefusedError
from tests.db.elder import BINARIES, elder
from tests.driving import drive, process
from tests.fakes.bank import FakeBank
from tests.operating import query, samples, take
from tests.servers import Databases

if TYPE_CHECKING:
    from tests.conftest import Addresses

SCHEMA = Path(db.__file__).parent / "schema"
SERVERS = ["embedded", *(["oldest"] if BINARIES.is_dir() else [])]


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """The embedded Postgres, and where this machine has it the oldest that is promised to work."""
    if request.param == "embedded":
        addresses: Addresses = request.getfixturevalue("addresses")
        yield Databases(addresses.admin_url, addresses.owner_url)
        return
    with elder() as url:
        yield Databases(url, url)


@pytest.fixture
def url(server: Databases) -> Iterator[str]:
    """An empty database."""
    with server.database() as name:
        yield server.url(name)


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    yield engine
    engine.dispose()


COLUMNS = """
    SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
           pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind IN ('r', 'p', 'S')"""
RELATIONS = """
    SELECT c.relname, c.relkind, c.reloptions, c.relispartition, pg_get_expr(c.relpartbound, c.oid),
           pg_get_userbyid(c.relowner), CASE WHEN c.relkind IN ('i', 'I') THEN pg_get_indexdef(c.oid) END
    FROM pg_class c WHERE c.relnamespace = to_regnamespace(:schema)"""
CONSTRAINTS = """
    SELECT c.relname, n.conname, pg_get_constraintdef(n.oid)
    FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid WHERE c.relnamespace = to_regnamespace(:schema)"""
TRIGGERS = """
    SELECT c.relname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND c.relnamespace = to_regnamespace(:schema)"""
FUNCTIONS = """
    SELECT CAST(CAST(oid AS regprocedure) AS text), prosrc, prosecdef, provolatile, pg_get_function_result(oid),
           pg_get_userbyid(proowner)
    FROM pg_proc WHERE pronamespace = to_regnamespace(:schema)"""


def catalog(engine: sa.Engine, schema: str = "bursar") -> dict[str, list[str]]:
    """Everything the schema holds, as the server describes it, Alembic's own table aside."""
    parts = {
        "columns": COLUMNS,
        "relations": RELATIONS,
        "constraints": CONSTRAINTS,
        "triggers": TRIGGERS,
        "functions": FUNCTIONS,
    }
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT set_config('search_path', :s, true)"), {"s": schema})
        found = {
            part: [
                str(tuple(row))
                for row in connection.execute(sa.text(statement), {"schema": schema})
            ]
            for part, statement in parts.items()
        }
    return {
        part: sorted(row for row in rows if "alembic_version" not in row)
        for part, rows in found.items()
    }


def opened(url: str, schema: str = "bursar", role: str = "bursar_operator") -> Database:
    return Database(DatabaseOptions(url=url, schema=schema, role=role, pool_max=2))


def test_migrations_from_empty_make_the_schema_as_it_is_written(
    server: Databases, engine: sa.Engine
) -> None:
    migrate.upgrade(engine)
    with server.database() as name:
        written = sa.create_engine(server.url(name), poolclass=sa.pool.NullPool)
        with written.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA bursar AUTHORIZATION bursar_owner")
            connection.exec_driver_sql("SET LOCAL ROLE bursar_owner")
            connection.exec_driver_sql("SET LOCAL search_path = bursar, pg_temp")
            for path in sorted(SCHEMA.glob("*.sql")):
                run_script(
                    connection, path.read_text(encoding="utf-8").replace(":schema", "bursar")
                )
            connection.exec_driver_sql("SELECT make_partitions()")
        made, wanted = catalog(engine), catalog(written)
    assert made == wanted
    assert len(made["columns"]) > 200


def test_migrating_again_changes_nothing(engine: sa.Engine) -> None:
    assert migrate.pending(engine)
    migrate.upgrade(engine)
    before = catalog(engine)
    assert not migrate.pending(engine)
    migrate.upgrade(engine)
    assert catalog(engine) == before


def test_two_schemas_live_side_by_side(url: str, engine: sa.Engine) -> None:
    """Each has its own installation, payouts and books; neither sees the other's."""
    installations = set()
    for schema, count in (("bursar", 3), ("second_one", 5)):
        migrate.upgrade(engine, schema)
        database = opened(url, schema)
        take(database, samples(count), approve=True)
        installations.add(query(database, "SELECT id FROM installation")[0].id)
        database.dispose()
        assert_works(url, schema, count)
    assert len(installations) == 2
    assert_works(url, "bursar", 0)


def assert_works(url: str, schema: str, count: int) -> None:
    """As many payouts as wait are sent, and everything holds."""
    worker = opened(url, schema, "bursar_worker")
    assert drive(worker, process(FakeBank())) == count
    assert {r.name for r in audit.run(worker) if not r.holds} == set()
    worker.dispose()


APPLICATION = """
    CREATE SCHEMA app;
    CREATE TABLE app.work (job int);
    CREATE TABLE public.work (x text);
    CREATE TABLE public.runs (n int);
    CREATE TABLE public.switches (n int);
    CREATE TABLE public.payouts (id int, state text);
    INSERT INTO public.payouts VALUES (1, 'mine');
    CREATE TABLE public.alembic_version (version_num text);
    INSERT INTO public.alembic_version VALUES ('theirs');
    CREATE FUNCTION public.effect_key(text, uuid, integer) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
    ALTER ROLE CURRENT_USER IN DATABASE {} SET search_path = app, public"""


def test_an_application_with_tables_of_the_same_names_is_left_alone(
    url: str, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        run_script(connection, APPLICATION.format(f'"{engine.url.database}"'))
    theirs = catalog(engine, "public")
    migrate.upgrade(engine)
    assert catalog(engine, "public") == theirs
    operator = opened(url)
    take(operator, samples(4))
    operator.dispose()
    approve = """
        SELECT m.outcome
        FROM bursar.payouts p, bursar.bursar_move('payout', ARRAY[p.id], 'APPROVED', 'app', 'theirs') m"""
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL ROLE bursar_operator")
        assert connection.execute(sa.text(approve)).scalars().all() == ["moved"] * 4
        assert connection.exec_driver_sql(
            "SELECT bursar.bursar_enqueue('payouts.process')"
        ).scalar()
    assert_works(url, "bursar", 4)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT state FROM public.payouts").scalars().all() == [
            "mine"
        ]
        assert (
            connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            == "theirs"
        )


def test_a_schema_it_did_not_make_is_refused(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA bursar")
        connection.exec_driver_sql("CREATE TABLE bursar.installation (id int)")
    before = catalog(engine)
    with pytest.raises(RefusedError, match="BURSAR_DATABASE_SCHEMA"):
        migrate.upgrade(engine)
    assert catalog(engine) == before


def test_an_empty_schema_that_somebody_made_for_it_is_taken(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA bursar")
    migrate.upgrade(engine)
    assert not migrate.pending(engine)


@pytest.mark.parametrize("name", ["Bursar", "a b", 'x"; DROP', "", "a" * 41, "1st"])
def test_a_schema_that_cannot_be_named_is_refused(engine: sa.Engine, name: str) -> None:
    with pytest.raises(BadInputError, match="BURSAR_DATABASE_SCHEMA"):
        migrate.upgrade(engine, name)
