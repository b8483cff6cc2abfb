"""The page that says how an application books, followed: every command, every call, and the answers it shows."""

import json
import re
import shlex
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx
import pytest

from tests.booking import appointment, customer, plan
from tests.builders import worker
from tests.fakes.curl import curl
from tests.fakes.serving import serving
from tests.workers.cli.conftest import Line
from workers.metrics import Metrics
from workers.web import build
from workers.web.gate import Gate
from workers.web.limits import Limiter
from workers.web.operations.catalog import ALL
from workers.web.operations.door import routes

PAGE: Final = Path(__file__).parents[3] / "docs/how-to/book-over-http.md"
FENCE: Final = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ROW: Final = re.compile(r"^\| `(\w+\.\w+)` \| (\w+) \| (\d+) \(`(\w+)`\) \|$", re.MULTILINE)


class Names:
    """What the page calls things, and what they are in this test; an id is learned where it is first shown."""

    def __init__(self, **known: UUID) -> None:
        self.known = {name.replace("_", "-"): str(id_) for name, id_ in known.items()}

    def in_place(self, text: str) -> str:
        """A text of the page with what is known in place; the longest name first."""
        for name in sorted(self.known, key=len, reverse=True):
            text = text.replace(f'"{name}"', f'"{self.known[name]}"')
            text = text.replace(f" {name} ", f" {self.known[name]} ")
        return text

    def learn(self, shown: object, given: object) -> None:
        """Take the ids of an answer for those that the page shows in its place."""
        pairs = zip(ID.findall(json.dumps(shown)), ID.findall(json.dumps(given)), strict=False)
        for name, id_ in pairs:
            if name not in self.known.values():
                self.known.setdefault(name, id_)


def same(shown: object, given: object) -> None:
    """Assert that an answer is what the page shows; when a checkout ends depends on when it began."""
    if isinstance(shown, dict) and isinstance(given, dict) and "expires_at" in shown:
        assert datetime.fromisoformat(given["expires_at"]).tzinfo is not None
        given = {**given, "expires_at": shown["expires_at"]}
    assert given == shown


def test_the_page_is_followed(bursar: Line, database_url: str) -> None:
    offer = plan(bursar.database)
    names = Names(
        MIRA=customer(bursar.database),
        RAVI=customer(bursar.database, "Ravi"),
        TEA=offer,
        TEA_MARCH=appointment(bursar.database, offer, capacity=2),
    )
    token, answers = "", []
    with worker(database_url, pool_max=4) as database:
        gate = Gate(database=database, limiter=Limiter(None))
        app = build(database, Metrics(), lambda _: {}, routes(gate))
        with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            for block in FENCE.findall(PAGE.read_text(encoding="utf-8")):
                program, *words = shlex.split(names.in_place(block))
                if program == "bursar":
                    said = bursar(*words, "--json")
                    assert said.code == 0, said.err
                    token = said.json["token"]
                elif program == "curl":
                    answers.append(curl(client, words, token).json())
                else:
                    names.learn(json.loads(names.in_place(block)), answers[-1])
                    same(json.loads(names.in_place(block)), answers[-1])
    assert len(answers) == 7


def test_the_page_names_every_operation_with_its_limit() -> None:
    told = set(ROW.findall(PAGE.read_text(encoding="utf-8")))
    assert told == {
        (one.name, one.actor.value, str(one.bucket.limit.amount), one.bucket.name) for one in ALL
    }


@pytest.mark.parametrize(("shown", "given"), [({"a": 1}, {"a": 2}), ({"a": 1}, {}), ({}, {"a": 1})])
def test_an_answer_that_differs_is_seen(shown: object, given: object) -> None:
    with pytest.raises(AssertionError):
        same(shown, given)
