"""`applications …`: whom the door over HTTP is open to; and the page that says how it is used, followed."""

import json
import re
import shlex
from pathlib import Path
from typing import Final

import httpx
import pytest

from db import changes
from tests.fakes.curl import curl
from tests.fakes.serving import serving
from tests.operating import line, one, opened, query
from tests.workers.cli.conftest import Line
from workers.metrics import Metrics
from workers.web import build
from workers.web.gate import Gate
from workers.web.limits import Limiter
from workers.web.operations.catalog import ALL
from workers.web.runs import Door

PAGE: Final = Path(__file__).parents[3] / "docs/how-to/trigger-over-http.md"
FENCE: Final = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_a_token_is_shown_once_and_only_its_hash_is_kept(bursar: Line) -> None:
    said = bursar("applications", "add", "shop", "--job", "payouts.process", "--why", "x", "--json")
    assert said.code == 0, said.err
    assert len(said.json["token"]) >= 32
    [row] = query(bursar.database, "SELECT CAST(a AS text) AS row FROM applications a")
    assert said.json["token"] not in row.row
    [listed] = bursar("applications", "list", "--json").json
    assert (listed["name"], listed["scopes"]) == ("shop", "payouts.process")
    assert "hash" not in str(listed)


def test_a_name_is_given_once_and_again_after_it_was_removed(bursar: Line) -> None:
    add = ("applications", "add", "shop", "--job", "payouts.process", "--why", "x")
    assert bursar(*add).code == 0
    assert bursar(*add).code == 1
    assert bursar("applications", "remove", "shop", "--why", "gone").code == 0
    assert bursar("applications", "remove", "shop", "--why", "gone").code == 2
    assert bursar("applications", "list", "--state", "removed", "--json").json[0]["name"] == "shop"
    assert bursar(*add).code == 0
    with bursar.database.begin() as tx:
        noted = [row.what for row in changes.listing(tx, subject="shop")]
    assert noted == ["application.add", "application.remove", "application.add"]


@pytest.mark.parametrize(
    "words",
    [
        ["shop"],
        ["shop", "--job", "payouts.lose"],
        ["shop", "--job", "notices.deliver"],
        ["a:b", "--job", "payouts.process"],
        ["", "--job", "payouts.process"],
        ["shop", "--operation", "bookings.cancel"],
        ["shop", "--job", "bookings.reschedule"],
        ["shop", "--operation", "payouts.process"],
    ],
)
def test_what_cannot_be_asked_for_is_not_given(bursar: Line, words: list[str]) -> None:
    assert bursar("applications", "add", *words, "--why", "x").code == 2
    assert query(bursar.database, "SELECT FROM applications") == []


def test_the_jobs_that_can_be_asked_for_are_told(bursar: Line) -> None:
    told = {row["job"]: row["triggerable"] for row in bursar("jobs", "--json").json}
    assert told["payouts.process"] is True
    assert told["notices.deliver"] is False


def test_the_operations_that_can_be_asked_for_are_told_and_given(bursar: Line) -> None:
    told = {row["operation"]: row for row in bursar("applications", "operations", "--json").json}
    assert told.keys() == {one.name for one in ALL}
    cancel = told["bookings.cancel_pending_checkout"]
    assert (cancel["actor"], cancel["limit"], cancel["a_minute"]) == ("customer", "cancel", 10)
    named = [word for name in told for word in ("--operation", name)]
    assert bursar("applications", "add", "shop", *named, "--why", "x").code == 0
    [listed] = bursar("applications", "list", "--json").json
    assert set(listed["scopes"].split(", ")) == told.keys()


def test_the_doctor_names_what_is_open(bursar: Line) -> None:
    def door() -> str:
        rows = {row["subject"]: row["detail"] for row in bursar("doctor", "--json").json}
        return str(rows["POST /v1"])

    assert door() == "closed: there is no application"
    bursar("applications", "add", "shop", "--job", "upkeep.audit", "--why", "x")
    assert door() == "open to shop: upkeep.audit"


@pytest.mark.parametrize(
    ("url", "turned", "grade"),
    [
        (None, None, "info"),
        (None, "on", "warning"),
        ("https://shop.example/h", None, "warning"),
        ("https://shop.example/h", "on", "ok"),
    ],
)
def test_the_doctor_says_whether_applications_are_told(
    bursar: Line, url: str | None, turned: str | None, grade: str
) -> None:
    if url is not None:
        bursar.set("BURSAR_EVENTS_URL", url)
        bursar.set("BURSAR_EVENTS_SECRETS", "s3cret")
    if turned is not None:
        bursar("notices", turned, "--why", "x")
    said = bursar("doctor", "--json")
    [told] = [row for row in said.json if row["subject"] == "notices"]
    assert told["grade"] == grade
    assert "s3cret" not in said.out


def test_the_page_is_followed(bursar: Line, database_url: str) -> None:
    """Every command and every call of the page, with the answers it shows."""
    one(bursar.database, [line("WEEK-7-001")])
    blocks = FENCE.findall(PAGE.read_text(encoding="utf-8"))
    token, answers = "", []
    with opened(database_url, "bursar_worker") as worker:
        gate = Gate(database=worker, limiter=Limiter(None))
        door = Door(gate=gate, ring=lambda _run, _queue: None)
        app = build(worker, Metrics(), lambda _: {}, [door.route()])
        with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            for block in blocks:
                program, *words = shlex.split(block)
                if program == "bursar":
                    said = bursar(*words, "--json")
                    assert said.code == 0, said.err
                    token = said.json["token"]
                elif program == "curl":
                    answers.append(curl(client, words, token).json())
                else:
                    assert answers[-1] == json.loads(block)
    assert len(answers) == 3
