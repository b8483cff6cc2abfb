"""The page of the API says what there is: every route, and each operation as the table has it."""

import json

from starlette.routing import Route

from db.engine import Database
from tests.operating import opened
from tests.workers.web.page import PAGE, text
from workers.metrics import Metrics
from workers.servers import Addresses
from workers.settings import load
from workers.web import build
from workers.web.doors import open_doors
from workers.web.operations.catalog import ALL
from workers.web.webhooks import open_receiver


def test_the_page_is_what_the_table_of_operations_makes_of_it() -> None:
    """`python -m tests.workers.web.page` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == text()


def test_the_page_has_every_route_and_no_other(database_url: str, redis_url: str) -> None:
    """Those of the process as it is in production."""
    with opened(database_url, "bursar_worker") as database:
        routes = served(database, database_url, redis_url)
    paths = json.loads(PAGE.read_text(encoding="utf-8"))["paths"]
    assert {(path, m.upper()) for path, methods in paths.items() for m in methods} == routes
    assert {(one.path, "POST") for one in ALL} < routes


def served(database: Database, database_url: str, redis_url: str) -> set[tuple[str, str]]:
    """The routes of a web process, with their methods."""
    settings = load({"BURSAR_DATABASE_URL": database_url, "BURSAR_BROKER_URL": redis_url})
    addresses = Addresses(database_url=database_url, broker_url=redis_url, embedded=False)
    metrics = Metrics()
    with (
        open_receiver(settings, addresses, metrics) as receiver,
        open_doors(settings, addresses, metrics) as doors,
    ):
        app = build(database, metrics, lambda _: {}, [receiver.route(), *doors])
    return {
        (route.path, method)
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_every_operation_has_a_name_a_path_and_shapes_of_its_own() -> None:
    """Two shapes of one name would be one on the page."""
    for found in ([one.name for one in ALL], [one.path for one in ALL]):
        assert len(found) == len(set(found))
    shapes = {shape for one in ALL for shape in (one.asks, one.answers)}
    assert len({shape.__name__ for shape in shapes}) == len(shapes)
