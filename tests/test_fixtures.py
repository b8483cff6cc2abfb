"""The fixtures keep their promises: databases of one's own, an empty Redis, servers to break."""

import psycopg
import pytest
import redis
import sqlalchemy as sa

from tests.servers import Cluster, freeze, kill, restart, thaw


def ask(url: str, statement: str) -> object:
    """Return the value a statement yields, if it yields one."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return result.scalar_one() if result.returns_rows else None


@pytest.mark.parametrize("_time", [1, 2])
def test_each_test_has_an_empty_database_and_redis(
    empty_database_url: str, redis_url: str, _time: int
) -> None:
    assert ask(empty_database_url, "CREATE TABLE here (n int)") is None
    assert ask(empty_database_url, "SELECT count(*) FROM here") == 0
    with redis.Redis.from_url(redis_url) as client:
        assert client.incr("here") == 1


def test_a_database_from_the_template_is_migrated(database_url: str, superuser_url: str) -> None:
    question = "SELECT count(*) FROM bursar.alembic_version"
    assert ask(database_url, question) == 1
    assert ask(superuser_url, question) == 1


def test_private_servers_come_back_from_a_kill_with_their_data(own_servers: Cluster) -> None:
    """F19: what was acknowledged before kill -9 is there after the restart."""
    url = own_servers.database_url
    ask(url, "CREATE TABLE kept AS SELECT 5 AS n")
    kill(own_servers.postgres)
    with pytest.raises(sa.exc.OperationalError):
        ask(url, "SELECT 1")
    own_servers.postgres.start()
    assert ask(url, "SELECT n FROM kept") == 5
    restart(own_servers.postgres)
    assert ask(url, "SELECT n FROM kept") == 5


def test_a_frozen_redis_is_silent_until_thawed(own_servers: Cluster) -> None:
    url = own_servers.broker_url
    freeze(own_servers.redis)
    with redis.Redis.from_url(url, socket_timeout=0.2, retry=None) as client:
        with pytest.raises(redis.TimeoutError):
            client.ping()
        thaw(own_servers.redis)
        assert client.ping()


def test_a_killed_redis_keeps_what_it_synced(own_servers: Cluster) -> None:
    """F37: restart with the append-only file."""
    with redis.Redis.from_url(own_servers.broker_url) as client:
        client.set("kept", "yes")
        restart(own_servers.redis)
        assert client.get("kept") == b"yes"
        kill(own_servers.redis)
        own_servers.redis.start()
        assert client.get("kept") == b"yes"


def test_a_frozen_postgres_does_not_answer(own_servers: Cluster) -> None:
    freeze(own_servers.postgres)
    host = str(own_servers.pair.sockets)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=host, user="bursar", connect_timeout=2)
    thaw(own_servers.postgres)
    assert ask(own_servers.database_url, "SELECT 1") == 1
