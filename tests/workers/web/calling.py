"""An application that asks for operations over real HTTP, and the answers held against the page of the API."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import httpx
from limits import RateLimitItem

from db import applications
from db.engine import Database
from tests.fakes.serving import serving
from tests.workers.web.page import PAGE
from workers.metrics import Metrics
from workers.web import build
from workers.web.gate import Gate
from workers.web.limits import Limiter
from workers.web.operations.catalog import ALL
from workers.web.operations.door import routes

TOKEN: Final = "t" * 40 + "-shop"
OPENAPI: Final = json.loads(PAGE.read_text(encoding="utf-8"))
SCHEMAS: Final = OPENAPI["components"]["schemas"]
KEYS: Final = count()


class Unlimited(Limiter):
    """A limiter that is off."""

    def __init__(self) -> None:
        super().__init__(None)

    def wait_seconds(self, limit: RateLimitItem, name: str) -> None:
        """Let every call through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """An application with its token."""

    http: httpx.Client
    token: str = TOKEN

    def ask(self, operation: str, key: str = "", /, **body: object) -> httpx.Response:
        """Ask for an operation, under a key of its own unless told which; ids as they are."""
        text = json.dumps(body, default=str).encode()
        return self.send(operation, text, key or f"k-{next(KEYS)}")

    def send(self, operation: str, body: bytes, key: str | None = "k") -> httpx.Response:
        """Send a body; None is no key."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        path = f"/v1/{operation.replace('.', '/')}"
        answer = self.http.post(path, content=body, headers=headers)
        fits(path, answer)
        return answer

    def at_once(self, times: int, operation: str, **body: object) -> list[httpx.Response]:
        """Ask so many times at once, each under a key of its own."""
        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(lambda _: self.ask(operation, **body), range(times)))


def fits(path: str, answer: httpx.Response) -> None:
    """Assert that an answer is one of those that the page of the API knows."""
    told = OPENAPI["paths"][path]["post"]["responses"][str(answer.status_code)]
    found: dict[str, Any] = answer.json()
    if "$ref" in told:
        error = SCHEMAS["Declined"]["properties"]["error"]["properties"]
        assert found.keys() == {"error"}
        assert found["error"].keys() == error.keys()
        assert found["error"]["code"] in error["code"]["enum"]
        return
    name = told["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert found.keys() == SCHEMAS[name]["properties"].keys()


def code(answer: httpx.Response) -> tuple[int, str]:
    """The status of a refusal, and its code."""
    return answer.status_code, answer.json()["error"]["code"]


def admit(operator: Database, name: str, token: str, *operations: str) -> None:
    """Let an application in, for every operation unless told for which."""
    with operator.begin() as tx:
        allowed = operations or [one.name for one in ALL]
        applications.add(tx, name, token, allowed, by="asha")


@contextmanager
def shop(database: Database, limiter: Limiter) -> Iterator[Shop]:
    """Serve the operations on `database` until the block ends, as an application calls them."""
    app = build(database, Metrics(), lambda _: {}, routes(Gate(database=database, limiter=limiter)))
    with (
        serving(app) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=30) as client,
    ):
        yield Shop(http=client)
