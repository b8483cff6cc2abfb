"""A Redis that would lose wake-ups in silence is refused at the start, with the cure."""

import pytest

from domain.errors import BadInputError, RefusedError, UnreachableError
from tests.workers.broker.conftest import Server
from workers.broker import check_broker, check_redis, open_broker


def test_a_redis_with_default_settings_is_taken(server: Server) -> None:
    check_broker(server.url)


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
def test_an_evicting_redis_is_refused_with_the_cure(server: Server, policy: str) -> None:
    """F48."""
    server.admin.config_set("maxmemory-policy", policy)
    with pytest.raises(RefusedError, match=f"{policy}.*maxmemory-policy noeviction"):
        check_redis(server.url)


def test_the_policy_is_found_where_config_is_forbidden(server: Server) -> None:
    """F48: as on most hosted servers."""
    server.admin.config_set("maxmemory-policy", "allkeys-lru")
    server.admin.acl_setuser("default", enabled=True, nopass=True, commands=["-config"])
    with pytest.raises(RefusedError, match="noeviction"):
        check_redis(server.url)


def test_the_policy_is_found_where_info_is_forbidden(server: Server) -> None:
    server.admin.acl_setuser("default", enabled=True, nopass=True, commands=["-info"])
    check_redis(server.url)
    server.admin.acl_setuser("default", enabled=True, nopass=True, commands=["-info", "-config"])
    with pytest.raises(RefusedError, match="cannot be read"):
        check_redis(server.url)


def test_a_replica_is_refused(server: Server) -> None:
    server.admin.replicaof("127.0.0.1", "1")
    with pytest.raises(RefusedError, match="replica"):
        check_redis(server.url)


def test_a_redis_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        check_redis("unix:///nowhere/at/all")


@pytest.mark.parametrize("url", ["http://x", "", "redis+sentinel://host", "redis+sentinel:///s"])
def test_other_urls_are_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(BadInputError, match="BURSAR_BROKER_URL"):
        open_broker(url)
    with pytest.raises(BadInputError) as caught:
        open_broker("ftp://me:secret@host/")
    assert "secret" not in str(caught.value)
