"""A web process for each test."""

from collections.abc import Iterator

import pytest

from db.engine import Database
from tests.builders import assert_sound, patient_worker
from tests.operating import opened
from tests.workers.web.calling import TOKEN, Shop, Unlimited, admit, shop
from tests.workers.web.webs import Web, web
from workers.web import keeping, limits, webhooks
from workers.web.limits import Limiter


@pytest.fixture
def here(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A web process on the test's own database, which may take its time: this machine may be busy."""
    monkeypatch.setattr(keeping, "KEEP_SECONDS_MAX", 60.0)
    monkeypatch.setattr(webhooks, "COMMIT_SECONDS_MAX", 60.0)
    with web(database_url, redis_url) as made:
        yield made


@pytest.fixture
def operator(database_url: str) -> Iterator[Database]:
    """The test's database as an operator sees it."""
    with opened(database_url) as made:
        yield made


@pytest.fixture
def database(database_url: str, operator: Database) -> Iterator[Database]:
    """As the web process has it, with one application; at the end every promise of the audit holds."""
    admit(operator, "shop", TOKEN)
    with patient_worker(database_url, pool_max=4) as made:
        yield made
        assert_sound(made)


@pytest.fixture
def asker(database: Database) -> Iterator[Shop]:
    """The application, before a door that counts nothing."""
    with shop(database, Unlimited()) as made:
        yield made


@pytest.fixture
def counted(database_url: str, database: Database, redis_url: str) -> Iterator[Shop]:
    """The application, before a door that counts on Redis, however long that takes to answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "SOCKET_SECONDS", 60.0)
        limiter = Limiter(redis_url)
    with patient_worker(database_url, pool_max=12) as patient, shop(patient, limiter) as made:
        yield made
    limiter.close()
